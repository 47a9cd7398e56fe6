"""The shared loop on a model small enough to reason about."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from borderlab.errors import RunError
from borderlab.spec import RecipeSpec, ScheduleSpec
from borderlab.training import loop
from borderlab.training.interruption import InterruptedRunError
from borderlab.training.loop import Curve, Trainer

RECIPE = RecipeSpec(epochs=4, batch_size=4, lr=0.1, schedule=ScheduleSpec(name="cosine"), weight_decay=0.0)


@dataclass
class Batch:
    image: Tensor
    target: Tensor


class Points:
    """Three batches of separable points, other ones in each epoch."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self.epoch = self.first_batch = 0

    def set_epoch(self, epoch: int, first_batch: int = 0) -> None:
        self.epoch, self.first_batch = epoch, first_batch

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.epoch)
        images = torch.randn(3, 4, 2, generator=generator)
        for image in images[self.first_batch :]:
            yield Batch(image * self.scale, (image[:, 0] > 0).long())


def loss(logits: Tensor, target: Tensor, progress: float) -> Tensor:
    return F.cross_entropy(logits, target)


def trainer(folder: Path, recipe: RecipeSpec = RECIPE, said: list[str] | None = None) -> Trainer:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))
    say = (lambda line: None) if said is None else said.append
    return Trainer(model, loss, recipe, torch.device("cpu"), folder, "identity", say)


def weights(made: Trainer) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in made.model.parameters()])


def test_training_lowers_the_loss_and_fills_the_curve(tmp_path: Path) -> None:
    made = trainer(tmp_path, RECIPE.model_copy(update={"epochs": 20}))
    curve = made.fit(Points(), validate=lambda: 50.0)
    losses = [row["train_loss"] for row in curve.rows]
    assert losses[-1] < 0.5 * losses[0]  # type: ignore[operator]
    assert [row["step"] for row in curve.rows] == [3 * epoch for epoch in range(1, 21)]
    assert curve.rows[-1]["lr"] < 0.01 * RECIPE.lr  # type: ignore[operator]


class StoppedError(Exception):
    """Stands for a kill between two steps."""


def interrupted(folder: Path, after_epochs: int) -> None:
    made = trainer(folder)
    validated = iter(range(after_epochs))

    def validate() -> float:
        if next(validated, None) is None:
            raise StoppedError
        return 1.0

    with pytest.raises(StoppedError):
        made.fit(Points(), validate=validate)


@pytest.mark.parametrize("after_epochs", [1, 3])
def test_interrupted_training_ends_with_the_same_bits(tmp_path: Path, after_epochs: int) -> None:
    whole = trainer(tmp_path / "whole")
    whole.fit(Points(), validate=lambda: 1.0)
    interrupted(tmp_path / "cut", after_epochs)
    said: list[str] = []
    resumed = trainer(tmp_path / "cut", said=said)
    curve = resumed.fit(Points(), validate=lambda: 1.0)
    assert said[0] == f"resumed after epoch {after_epochs}"
    assert torch.equal(weights(resumed), weights(whole))
    assert [row["epoch"] for row in curve.rows] == [1, 2, 3, 4]
    assert [row["train_loss"] for row in curve.rows] == [row["train_loss"] for row in whole.curve.rows]


@pytest.mark.parametrize("after_steps", [1, 5, 12])
def test_run_that_is_asked_to_stop_goes_on_from_the_next_batch(tmp_path: Path, after_steps: int) -> None:
    whole = trainer(tmp_path / "whole")
    whole.fit(Points(), validate=lambda: 1.0)
    stopped = trainer(tmp_path / "stopped")

    def ask(batches: Iterable[Any], epoch: int) -> Iterator[Any]:
        for batch in batches:
            if stopped.steps == after_steps - 1:
                stopped.interruption.signal_name = "SIGTERM"
            yield batch

    with pytest.raises(InterruptedRunError, match=f"SIGTERM after step {after_steps}, with a checkpoint"):
        stopped.fit(Points(), validate=lambda: 1.0, watch=ask)
    said: list[str] = []
    resumed = trainer(tmp_path / "stopped", said=said)
    curve = resumed.fit(Points(), validate=lambda: 1.0)
    epoch, batch = divmod(after_steps - 1, 3)
    assert said[0] == f"resumed after batch {batch + 1} of epoch {epoch + 1}"
    assert torch.equal(weights(resumed), weights(whole))
    values = [[{**row, "seconds": None} for row in made.rows] for made in (curve, whole.curve)]
    assert values[0] == values[1]


def test_time_goes_on_from_what_was_spent_before(tmp_path: Path) -> None:
    first = trainer(tmp_path)
    first.stopwatch._wall_s -= 1000.0

    def ask(batches: Iterable[Any], epoch: int) -> Iterator[Any]:
        for batch in batches:
            if first.steps == 4:
                first.interruption.signal_name = "SIGTERM"
            yield batch

    with pytest.raises(InterruptedRunError):
        first.fit(Points(), validate=lambda: 1.0, watch=ask)
    resumed = trainer(tmp_path)
    seconds = [row["seconds"] for row in resumed.fit(Points(), validate=lambda: 1.0).rows]
    assert seconds == sorted(seconds)  # type: ignore[type-var]
    assert seconds[-1] > 1000  # type: ignore[operator]
    assert resumed.stopwatch.starts == 2
    assert resumed.stopwatch.started == first.stopwatch.started


def test_long_epoch_leaves_checkpoints_on_its_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    made = trainer(tmp_path)
    kept: list[str] = []

    def look(batches: Iterable[Any], epoch: int) -> Iterator[Any]:
        for batch in batches:
            kept.append(max((path.name for path in tmp_path.iterdir()), default="nothing"))
            yield batch

    made.fit(Points(), validate=lambda: 1.0, watch=look)
    assert kept == ["nothing", *(f"step_{step:09d}.checkpoint" for step in range(1, 12))]


@pytest.mark.parametrize(
    ("saving_seconds", "expected"), [(0.25, [3, 6, 9, 12, 15, 18, 21, 24]), (0.29, [3, 9, 15, 21]), (2.0, [3])]
)
def test_epochs_shorter_than_the_writing_of_a_checkpoint_go_on_without(
    tmp_path: Path, saving_seconds: float, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Epochs of 3 seconds; of training time, a twentieth may go into writing."""
    now, saved = [0.0], []

    def save(folder: Path, steps: int, state: Any) -> None:
        now[0] += saving_seconds
        saved.append(steps)

    def one_second_each(batches: Iterable[Any], epoch: int) -> Iterator[Any]:
        for batch in batches:
            now[0] += 1
            yield batch

    monkeypatch.setattr(loop, "save_checkpoint", save)
    monkeypatch.setattr(loop.time, "monotonic", lambda: now[0])
    trainer(tmp_path, RECIPE.model_copy(update={"epochs": 8})).fit(Points(), lambda: 1.0, watch=one_second_each)
    assert saved == expected


def test_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    interrupted(tmp_path, 1)
    other = trainer(tmp_path)
    other.identity = "another"
    with pytest.raises(RunError, match="another run"):
        other.fit(Points(), validate=lambda: 1.0)


def test_loss_that_is_not_finite_stops_with_a_diagnosis(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"epoch 1 is nan by step 3: lower recipe\.lr \(now 0\.1\)"):
        trainer(tmp_path).fit(Points(scale=float("inf")), validate=lambda: 1.0)


def test_validation_every_second_epoch_and_after_the_last(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"epochs": 5, "validate_every_epochs": 2})
    metrics = iter([10.0, 30.0, 20.0])
    curve = trainer(tmp_path, recipe).fit(Points(), validate=lambda: next(metrics))
    assert [row["metric_pct"] for row in curve.rows] == [None, 10.0, None, 30.0, 20.0]
    assert curve.best() == (30.0, 4)
    assert curve.last() == 20.0


def test_best_of_equal_epochs_is_the_first() -> None:
    rows = [{"epoch": epoch, "metric_pct": 5.0} for epoch in (1, 2, 3)]
    assert Curve(rows).best() == (5.0, 1)


def test_gradient_clip_bounds_a_step(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"epochs": 1, "momentum": 0.0, "gradient_clip": 1e-3, "schedule": constant()})
    made = trainer(tmp_path, recipe)
    before = weights(made)
    made.fit(Points(), validate=lambda: 1.0)
    assert 0 < float((weights(made) - before).norm()) <= 3 * recipe.lr * 1e-3 * 1.001


def constant() -> ScheduleSpec:
    return ScheduleSpec(name="constant")
