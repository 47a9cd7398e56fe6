"""The training loop that classification and segmentation share.

What it knows: batches with an image and a target, a loss of logits and target, a schedule, checkpoints. What it does
not know: data sets, padding, tasks; a validation is a function that it calls.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from borderlab.errors import RunError
from borderlab.spec import RecipeSpec
from borderlab.training.autocasting import autocast
from borderlab.training.checkpoint import load_checkpoint, save_checkpoint
from borderlab.training.optimiser import create_optimiser, set_lr
from borderlab.training.schedule import lr_factor

Loss = Callable[[Tensor, Tensor, float], Tensor]
Say = Callable[[str], None]


class Batches(Protocol):
    """A training loader: a fixed number of batches, their content decided by the epoch alone."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration yields."""

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

    def __post_init__(self) -> None:
        self.optimiser = create_optimiser(self.model, self.recipe)
        # Loss scaling is for float16 alone: bfloat16 has float32's range.
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.recipe.precision == "float16")
        self.curve = Curve()
        self.steps = 0

    def fit(
        self,
        batches: Batches,
        validate: Callable[[], float],
        watch: Callable[[Iterable[Any], int], Iterable[Any]] = lambda batches, epoch: batches,
        seconds: Callable[[], float] = lambda: 0.0,
    ) -> Curve:
        """Train for all epochs of the recipe that are still to do.

        Args:
            batches: the training loader.
            validate: the validation metric now, in percent.
            watch: wraps an epoch's batches, to show progress.
            seconds: training time so far; a column of the curve.
        """
        first = self._resume()
        for epoch in range(first, self.recipe.epochs):
            batches.set_epoch(epoch)
            train_loss = self._train_epoch(batches, epoch, watch)
            metric = validate() if self._is_validated(epoch) else None
            self._note(epoch, train_loss, metric, seconds())
            save_checkpoint(self.checkpoints, epoch + 1, self._state(epoch + 1))
        return self.curve

    def _train_epoch(self, batches: Batches, epoch: int, watch: Callable[[Iterable[Any], int], Iterable[Any]]) -> float:
        """Mean training loss of one epoch."""
        self.model.train()
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        for index, batch in enumerate(watch(batches, epoch)):
            progress = epoch + index / len(batches)
            set_lr(self.optimiser, self.recipe.lr * lr_factor(self.recipe.schedule, progress, self.recipe.epochs))
            total += self._step(batch, progress / self.recipe.epochs)
        mean = float(total) / len(batches)
        if not torch.isfinite(torch.tensor(mean)):
            raise RunError(
                f"training loss of epoch {epoch + 1} is {mean}: lower recipe.lr (now {self.recipe.lr}) "
                "or set recipe.gradient_clip"
            )
        return mean

    def _step(self, batch: Any, progress: float) -> Tensor:
        image = batch.image.to(self.device, non_blocking=True)
        target = batch.target.to(self.device, non_blocking=True)
        with autocast(self.device, self.recipe.precision):
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

    def _note(self, epoch: int, train_loss: float, metric: float | None, seconds: float) -> None:
        row: dict[str, float | int | None] = {
            "epoch": epoch + 1,
            "step": self.steps,
            "lr": self.optimiser.param_groups[0]["lr"],
            "train_loss": train_loss,
            "metric_pct": metric,
            "seconds": round(seconds, 3),
        }
        self.curve.rows.append(row)
        shown = "" if metric is None else f"  metric {metric:6.2f} %"
        self.say(f"epoch {epoch + 1:3d}/{self.recipe.epochs}  loss {train_loss:.4f}{shown}  {seconds:7.1f} s")

    def _state(self, epoch: int) -> dict[str, Any]:
        return {
            "identity": self.identity,
            "epoch": epoch,
            "steps": self.steps,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "curve": self.curve.rows,
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else [],
        }

    def _resume(self) -> int:
        """Epochs that are already done."""
        state, damaged = load_checkpoint(self.checkpoints)
        for line in damaged:
            self.say(line)
        if state is None:
            return 0
        if state["identity"] != self.identity:
            raise RunError(f"{self.checkpoints}: holds checkpoints of another run ({state['identity']}); delete it")
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        self.curve = Curve(list(state["curve"]))
        self.steps = state["steps"]
        torch.set_rng_state(state["random"])
        if state["random_cuda"]:
            torch.cuda.set_rng_state_all(state["random_cuda"])
        self.say(f"resumed after epoch {state['epoch']}")
        return int(state["epoch"])
