"""Resident images on a device: the CPU's samples, and whole runs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.random import default_rng

from borderlab.data import create_dataset
from borderlab.data.base import FetchSettings
from borderlab.data.cutting import PixelStore, draw_cut
from borderlab.data.decoded import DecodedImages
from borderlab.data.recolouring import recolour_batch
from borderlab.data.resident import bytes_for_images
from borderlab.evaluation.run import evaluate_run
from borderlab.files import read_json
from borderlab.spec import AugmentSpec, DatasetSpec, EvaluationSpec, RecipeSpec, RunSpec
from borderlab.training.run import train_run

SPEC = AugmentSpec(
    crop=(48, 40), scale=(0.1, 1.0), aspect=(0.5, 2.0), brightness=0.3, contrast=0.3, hue=0.2, blur_sigma=(0.0, 2.0)
)
SIZES = [(90, 120), (20, 30), (100, 25), (31, 140), (48, 40)]


def decoded() -> DecodedImages:
    sizes = np.array(SIZES)
    pixels = default_rng(0).integers(0, 256, (int(sizes.prod(axis=1).sum()), 3), dtype=np.uint8)
    return DecodedImages(pixels, sizes, np.arange(len(sizes)), tuple(map(str, range(len(sizes)))))


def samples(device: torch.device) -> torch.Tensor:
    """One changed sample of each image."""
    images = decoded()
    drawn = np.stack([draw_cut(SPEC, size, i, default_rng(i))[0] for i, size in enumerate(images.sizes)])
    cut = PixelStore(images, device).cut(np.arange(len(SIZES)), drawn, SPEC.crop)
    return recolour_batch(cut, torch.from_numpy(drawn[:, 8:]).to(device, torch.float32), SPEC).cpu()


def test_samples_are_the_cpus(device: torch.device) -> None:
    assert (samples(device) - samples(torch.device("cpu"))).abs().max() <= 1e-2  # of 255
    assert torch.equal(samples(device), samples(device))


def test_there_is_room_for_a_small_set(device: torch.device) -> None:
    assert bytes_for_images(device) > 1e8


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_on_a_gpu_learns_and_is_evaluated_as_it_was_validated(
    gpu: torch.device, precision: str, tmp_path: Path
) -> None:
    digits = create_dataset("digits", {})
    for split in ("train", "val"):
        digits.fetch(tmp_path / "data", split, FetchSettings())
    spec = RunSpec(
        task="classification",
        dataset=DatasetSpec(key="digits", name="digits", identity=digits.identity),
        train_split="train",
        eval_split="val",
        backbone="resnet10t",
        weights="random",
        padding_mode="partial",
        recipe=RecipeSpec(
            epochs=6,
            batch_size=64,
            lr=0.1,
            augment=AugmentSpec(crop=(32, 32), scale=(0.7, 1.0), flip=False),
            evaluation=EvaluationSpec(resize=32, crop=(32, 32), batch_size=100),
            precision=precision,  # type: ignore[arg-type]
            resident=True,
        ),
        seed=0,
    )
    folder = tmp_path / "run"
    train_run(spec, folder, dataset=digits, data_folder=tmp_path / "data", synthesis_folders={}, gpus=1, workers=1)
    training = read_json(folder / "training.json")
    assert training["last"] > 60  # of 100; guessing gives 10
    evaluate_run(spec, folder, folder / "evaluation", dataset=digits, data_folder=tmp_path / "data", gpus=1)
    assert read_json(folder / "evaluation" / "metrics.json")["value"] == pytest.approx(training["last"], abs=1.0)
