"""The training loop that classification and segmentation share.

What it knows: batches with an image and a target, a loss of logits and target, a schedule, checkpoints. What it does
not know: data sets, padding, tasks; a validation is a function that it calls.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from borderlab.errors import RunError
from borderlab.provenance import Stopwatch
from borderlab.spec import RecipeSpec
from borderlab.training.autocasting import autocast
from borderlab.training.checkpoint import load_checkpoint, save_checkpoint
from borderlab.training.depthwise import fast_depthwise
from borderlab.training.interruption import InterruptedRunError, Interruption
from borderlab.training.optimiser import create_optimiser, set_lr
from borderlab.training.schedule import lr_factor

# Within an epoch: often enough that a kill costs minutes, seldom enough that writing costs nothing beside training.
CHECKPOINT_SECONDS = 300.0
# A checkpoint that takes longer than this may take no more than this share of training time: a large network's takes
# longer than its epoch on a fast GPU, and then a kill loses less than all the checkpoints would cost.
CHEAP_SECONDS, WRITING_SHARE = 0.25, 0.05
# Looking at the loss waits for a GPU, so not at every step.
STEPS_BETWEEN_LOOKS = 50

Loss = Callable[[Tensor, Tensor, float], Tensor]
Say = Callable[[str], None]


class Batches(Protocol):
    """A training loader: a fixed number of batches, their content decided by epoch and place alone."""

    def set_epoch(self, epoch: int, first_batch: int = 0) -> None:
        """Choose the epoch that the next iteration yields, and the batch at which it begins."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...


@dataclass
class Curve:
    """One row for each epoch."""

    rows: list[dict[str, float | int | None]] = field(default_factory=list)

    def best(self) -> tuple[float, int]:
        """Highest validation metric and its epoch."""
        scored = [(row["metric_pct"], row["epoch"]) for row in self.rows if row["metric_pct"] is not None]
        value, epoch = max(scored, key=lambda pair: (pair[0], -int(pair[1] or 0)))
        return float(value or 0.0), int(epoch or 0)

    def last(self) -> float:
        """Validation metric after the last epoch, in percent."""
        value = self.rows[-1]["metric_pct"]
        if value is None:
            raise RunError("the last epoch was not validated")
        return float(value)


@dataclass(frozen=True)
class Place:
    """How far training has come: whole epochs, batches of the epoch after them, and those batches' summed loss."""

    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0

    def __str__(self) -> str:
        return f"epoch {self.epoch}" if self.batch == 0 else f"batch {self.batch} of epoch {self.epoch + 1}"


@dataclass
class Trainer:
    """A model in training. `fit` resumes from the newest checkpoint in `checkpoints`, if there is one."""

    model: nn.Module
    loss: Loss
    recipe: RecipeSpec
    device: torch.device
    checkpoints: Path
    identity: str
    say: Say
    interruption: Interruption = field(default_factory=Interruption)
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    metric_unit: str = "%"

    def __post_init__(self) -> None:
        self.optimiser = create_optimiser(self.model, self.recipe)
        # Loss scaling is for float16 alone: bfloat16 has float32's range.
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.recipe.precision == "float16")
        self.curve = Curve()
        self.steps = 0
        self._saved_at = time.monotonic()
        self._saving_seconds = 0.0

    def fit(
        self,
        batches: Batches,
        validate: Callable[[], float],
        watch: Callable[[Iterable[Any], int], Iterable[Any]] = lambda batches, epoch: batches,
    ) -> Curve:
        """Train for all epochs of the recipe that are still to do.

        Args:
            batches: the training loader.
            validate: the validation metric now, in `metric_unit`; higher is better.
            watch: wraps an epoch's batches, to show progress.
        """
        place = self._resume()
        for epoch in range(place.epoch, self.recipe.epochs):
            start = place if place.epoch == epoch else Place(epoch)
            train_loss = self._train_epoch(batches, start, watch)
            metric = validate() if self._is_validated(epoch) else None
            self._note(epoch, train_loss, metric)
            if self._is_saving_worth_it():
                self._save(Place(epoch + 1))
        return self.curve

    def _train_epoch(
        self, batches: Batches, start: Place, watch: Callable[[Iterable[Any], int], Iterable[Any]]
    ) -> float:
        """Mean training loss of one epoch, of which `start.batch` batches are done."""
        self.model.train()
        total = torch.full((), start.loss_sum, dtype=torch.float64, device=self.device)
        batches.set_epoch(start.epoch, start.batch)
        for done, batch in enumerate(watch(batches, start.epoch), start.batch + 1):
            progress = start.epoch + (done - 1) / len(batches)
            set_lr(self.optimiser, self.recipe.lr * lr_factor(self.recipe.schedule, progress, self.recipe.epochs))
            total += self._step(batch, progress / self.recipe.epochs)
            if self.steps % STEPS_BETWEEN_LOOKS == 0:
                self._check_finite(total, start.epoch)
            if self.interruption or time.monotonic() - self._saved_at > CHECKPOINT_SECONDS:
                self._check_finite(total, start.epoch)
                self._save(Place(start.epoch, done, float(total)))
                self._end_if_asked()
        self._check_finite(total, start.epoch)
        return float(total) / len(batches)

    def _check_finite(self, total: Tensor, epoch: int) -> None:
        """Stop a run that cannot recover, before its checkpoint replaces a sound one."""
        if not math.isfinite(total):
            raise RunError(
                f"training loss of epoch {epoch + 1} is {float(total)} by step {self.steps}: lower recipe.lr "
                f"(now {self.recipe.lr}) or set recipe.gradient_clip"
            )

    def _end_if_asked(self) -> None:
        if self.interruption:
            raise InterruptedRunError(
                f"stopped by {self.interruption.signal_name} after step {self.steps}, with a checkpoint: "
                "the same command goes on from there"
            )

    def _step(self, batch: Any, progress: float) -> Tensor:
        image = batch.image.to(self.device, non_blocking=True)
        target = batch.target.to(self.device, non_blocking=True)
        with autocast(self.device, self.recipe.precision), fast_depthwise(self.device):
            logits = self.model(image)
        loss = self.loss(logits.float(), target, progress)
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        if self.recipe.gradient_clip is not None:
            self.scaler.unscale_(self.optimiser)
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.gradient_clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.steps += 1
        return loss.detach()

    def _is_validated(self, epoch: int) -> bool:
        return (epoch + 1) % self.recipe.validate_every_epochs == 0 or epoch + 1 == self.recipe.epochs

    def _note(self, epoch: int, train_loss: float, metric: float | None) -> None:
        seconds = self.stopwatch.wall_time_s
        row: dict[str, float | int | None] = {
            "epoch": epoch + 1,
            "step": self.steps,
            "lr": self.optimiser.param_groups[0]["lr"],
            "train_loss": train_loss,
            "metric_pct": metric,
            "seconds": round(seconds, 3),
        }
        self.curve.rows.append(row)
        shown = "" if metric is None else f"  metric {metric:6.2f} {self.metric_unit}"
        self.say(f"epoch {epoch + 1:3d}/{self.recipe.epochs}  loss {train_loss:.4f}{shown}  {seconds:7.1f} s")

    def _is_saving_worth_it(self) -> bool:
        """Whether the end of an epoch gets a checkpoint; the first one always does."""
        since = time.monotonic() - self._saved_at
        return self._saving_seconds <= CHEAP_SECONDS or self._saving_seconds <= WRITING_SHARE * since

    def _save(self, place: Place) -> None:
        begun = time.monotonic()
        save_checkpoint(self.checkpoints, self.steps, self._state(place))
        self._saved_at = time.monotonic()
        self._saving_seconds = self._saved_at - begun

    def _state(self, place: Place) -> dict[str, Any]:
        return {
            "identity": self.identity,
            "place": [place.epoch, place.batch, place.loss_sum],
            "steps": self.steps,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "curve": self.curve.rows,
            "spent": self.stopwatch.reading(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
        }

    def _resume(self) -> Place:
        """What is already done."""
        state, damaged = load_checkpoint(self.checkpoints)
        for line in damaged:
            self.say(line)
        if state is None:
            return Place()
        if state["identity"] != self.identity:
            raise RunError(f"{self.checkpoints}: holds checkpoints of another run ({state['identity']}); delete it")
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        self.curve = Curve(list(state["curve"]))
        self.steps = state["steps"]
        self.stopwatch.go_on_from(state["spent"])
        torch.set_rng_state(state["random"])
        if state["random_cuda"] is not None:
            torch.cuda.set_rng_state(state["random_cuda"], self.device)
        place = Place(*state["place"])
        self.say(f"resumed after {place}")
        return place
