"""Runs whose images lie on the device: the same draws as runs that load them, and the same promises."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from borderlab.data import create_dataset
from borderlab.data.base import FetchSettings
from borderlab.errors import DataError, RunError
from borderlab.evaluation.run import evaluate_run
from borderlab.files import read_json
from borderlab.models.factory import create_network
from borderlab.spec import AugmentSpec, DatasetSpec, EvaluationSpec, RecipeSpec, RunSpec
from borderlab.training import resident_sources
from borderlab.training.inputs import RunInputs
from borderlab.training.interruption import InterruptedRunError, Interruption
from borderlab.training.loop import Trainer
from borderlab.training.run import train_run
from borderlab.training.sources import evaluation_loader, training_loader

DIGITS = create_dataset("digits", {})
AUGMENT = AugmentSpec(crop=(32, 32), scale=(0.5, 1.0), aspect=(0.8, 1.25), brightness=0.2, contrast=0.2)
RECIPE = RecipeSpec(
    epochs=2,
    samples_per_epoch=64,
    batch_size=16,
    lr=0.05,
    augment=AUGMENT,
    evaluation=EvaluationSpec(resize=36, crop=(32, 32), batch_size=50),
    resident=True,
)


def spec(**changes: Any) -> RunSpec:
    return RunSpec(
        task="classification",
        dataset=DatasetSpec(key="digits", name="digits", identity=DIGITS.identity),
        train_split="train",
        eval_split="val",
        backbone="test_resnet",
        weights="random",
        padding_mode="partial",
        recipe=RECIPE.model_copy(update=changes),
        seed=3,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits, fetched."""
    folder = tmp_path_factory.mktemp("digits")
    for split in ("train", "val"):
        DIGITS.fetch(folder, split, FetchSettings())
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, trained without a break and without workers."""
    folder = tmp_path_factory.mktemp("run")
    train(folder, data)
    return folder


def train(folder: Path, data: Path, workers: int = 0) -> None:
    train_run(spec(), folder, dataset=DIGITS, data_folder=data, synthesis_folders={}, workers=workers)


def inputs(data: Path, workers: int = 0) -> RunInputs:
    return RunInputs(DIGITS, data, {}, workers)


def test_samples_are_those_of_a_run_that_loads_them_within_roundings(data: Path) -> None:
    resident, loading = spec(), spec(resident=False)
    network = create_network(resident, 10)
    least_std = min(network.std)
    ours, theirs = (training_loader(own, inputs(data), network) for own in (resident, loading))
    for epoch in (0, 1):
        ours.set_epoch(epoch)
        theirs.set_epoch(epoch)
        for one, other in zip(ours, theirs, strict=True):
            assert one.sample_ids == other.sample_ids
            assert torch.equal(one.target, other.target)
            assert one.image.shape == other.image.shape
            assert one.image.stride() == other.image.stride()
            # Three levels: each axis and the colours round once where samples are loaded.
            assert (one.image - other.image).abs().max() <= 3 / 255 / least_std
            assert not torch.equal(one.image, other.image)


def test_evaluation_images_are_those_of_a_run_that_loads_them_within_roundings(data: Path) -> None:
    network = create_network(spec(), 10)
    ours, theirs = (evaluation_loader(spec(resident=own), inputs(data), network) for own in (True, False))
    assert (ours.n_samples, ours.n_classes) == (theirs.n_samples, theirs.n_classes)
    for one, other in zip(ours, theirs, strict=True):
        assert one.sample_ids == other.sample_ids
        assert torch.equal(one.target, other.target)
        assert (one.image - other.image).abs().max() <= 2 / 255 / min(network.std)


def test_evaluation_images_are_found_once_and_are_the_same_again(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = evaluation_loader(spec(), inputs(data), create_network(spec(), 10))
    first = list(loader)
    monkeypatch.setattr(loader, "raw", lambda: pytest.fail("found again"))
    for one, other in zip(first, loader, strict=True):
        assert one.sample_ids == other.sample_ids
        assert torch.equal(one.image, other.image)


@pytest.mark.slow
def test_workers_decide_no_bit(data: Path, trained: Path, tmp_path: Path) -> None:
    train(tmp_path, data, workers=2)
    assert (tmp_path / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()


def test_a_run_that_was_stopped_ends_with_the_same_bits(
    data: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step: Callable[..., Any] = Trainer._step

    def stop_at_five(self: Trainer, *arguments: Any) -> Any:
        loss = step(self, *arguments)
        if self.steps == 5:
            self.interruption = Interruption("SIGTERM")
        return loss

    monkeypatch.setattr(Trainer, "_step", stop_at_five)
    with pytest.raises(InterruptedRunError, match="after step 5"):
        train(tmp_path, data)
    monkeypatch.setattr(Trainer, "_step", step)
    train(tmp_path, data)
    whole, resumed = (load_file(folder / "model.safetensors") for folder in (trained, tmp_path))
    assert all(torch.equal(tensor, resumed[name]) for name, tensor in whole.items())


def test_evaluation_finds_what_the_last_validation_found(data: Path, trained: Path, tmp_path: Path) -> None:
    evaluate_run(spec(), trained, tmp_path / "evaluation", dataset=DIGITS, data_folder=data)
    found = read_json(tmp_path / "evaluation" / "metrics.json")
    assert found["value"] == read_json(trained / "training.json")["last"]


def test_a_set_that_does_not_fit_is_one_line(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident_sources, "bytes_for_images", lambda device: 1000.0)
    with pytest.raises(DataError, match=r"^12\d\d decoded images take about [^\n]* set `resident: false`[^\n]*$"):
        training_loader(spec(), inputs(data), create_network(spec(), 10))


def test_an_epoch_without_a_whole_batch_is_refused_as_for_loaded_images(data: Path) -> None:
    small = spec(samples_per_epoch=8)
    with pytest.raises(RunError, match=r"lower recipe\.batch_size"):
        training_loader(small, inputs(data), create_network(small, 10))
