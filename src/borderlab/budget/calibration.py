"""What this machine does in training: seconds of a step of an experiment's own networks, on made-up images.

The step is training's own (forward, loss, backward, optimiser), of the share of a batch that one GPU gets. Loading,
validation and exchange between GPUs are not in it: what it says is an upper bound of the speed.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

from borderlab.budget.assumptions import PASSES, Cost
from borderlab.budget.operations import count, key_of
from borderlab.data.batch import Batch
from borderlab.losses.registry import create_loss
from borderlab.models.factory import create_network
from borderlab.plan import Plan, PlannedRun
from borderlab.training.loop import Trainer

WARM_UP_STEPS = 3


@dataclass(frozen=True)
class StepTime:
    """One network's training step, on one GPU or on `threads` threads of the CPU."""

    network: str
    batch_size: int
    seconds: float
    cost: Cost
    threads: int = 1

    @property
    def tflop_per_s(self) -> float:
        """Operations of the step, as a budget counts them, over its time; of one GPU or one CPU thread."""
        return self.cost.gflop * PASSES * self.batch_size / self.seconds / 1000 / self.threads


def step_times(plan: Plan, device: torch.device, steps: int, batch_size: int | None = None) -> Iterator[StepTime]:
    """Measure each network of `plan` once, whatever its padding mode and seed.

    Args:
        plan: the experiment.
        device: where to train.
        steps: steps that count; their median is kept.
        batch_size: samples of a step; absent: the recipe's, shared among the GPUs of the run.
    """
    for planned in {key_of(run.spec): run for run in plan.runs.values()}.values():
        spec = planned.spec
        n_classes = len(plan.datasets[spec.dataset.key].info.classes)
        own = batch_size or max(1, spec.recipe.batch_size // planned.resources.processes)
        network = " ".join(part for part in key_of(spec) if part)
        threads = spec.recipe.threads if device.type == "cpu" else 1
        torch.set_num_threads(spec.recipe.threads)
        seconds = _step_seconds(planned, n_classes, own, device, steps)
        yield StepTime(network, own, seconds, count([(spec, n_classes)])[key_of(spec)], threads)


def slowest_speed(found: list[StepTime]) -> float:
    """TFLOP/s to budget with: that of the network which makes the least of the device."""
    return min(step.tflop_per_s for step in found)


def _step_seconds(planned: PlannedRun, n_classes: int, batch_size: int, device: torch.device, steps: int) -> float:
    # Weights decide no time, and pretrained ones may not be here.
    spec = planned.spec.model_copy(update={"weights": "random", "start_from": None})
    module = create_network(spec, n_classes).module.to(device).train()
    classes = tuple(str(k) for k in range(n_classes))
    loss = create_loss(spec.loss.model_copy(update={"strict_classes": ()}), spec.recipe.label_smoothing, classes)
    trainer = Trainer(module, loss, spec.recipe, device, Path(), "", lambda _: None)
    batch = _made_up(spec.recipe.augment.crop, batch_size, n_classes, segmentation=spec.task == "segmentation")
    seconds = []
    for step in range(WARM_UP_STEPS + steps):
        _wait(device)
        begun = time.perf_counter()
        trainer._step(batch, 0.0)
        _wait(device)
        if step >= WARM_UP_STEPS:
            seconds.append(time.perf_counter() - begun)
    return median(seconds)


def _made_up(size: tuple[int, int], batch_size: int, n_classes: int, *, segmentation: bool) -> Batch:
    random = torch.Generator().manual_seed(0)
    shape = (batch_size, *size) if segmentation else (batch_size,)
    image = torch.randn(batch_size, 3, *size, generator=random)
    return Batch(image, torch.randint(0, n_classes, shape, generator=random), ("made up",) * batch_size)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
