"""One training run by several processes: `torchrun` starts them, the first of them writes.

Its results have names of their own: this module counts in the identity of runs whose resources ask for more than one
process (`borderlab.plan`), for sums in another order end in other bits. The number of processes does not count.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from borderlab.allocator import keep_freed_pages
from borderlab.data.base import Dataset
from borderlab.device import make_repeatable
from borderlab.evaluation.metric import measure
from borderlab.files import sha256_of_json, write_json
from borderlab.losses import create_loss
from borderlab.models.factory import Network, create_network
from borderlab.provenance import Stopwatch
from borderlab.spec import RunSpec
from borderlab.training import loop, run
from borderlab.training.checkpoint import delete_checkpoints, save_checkpoint
from borderlab.training.inputs import RunInputs
from borderlab.training.interruption import Interruption, signals_noted
from borderlab.training.loop import Place, Trainer
from borderlab.training.network_files import load_start
from borderlab.training.sources import evaluation_loader, training_loader
from borderlab.training.together import Group, group_of, mean_over_all, synchronise_norms, take_share

# Apart from each other in the seed of every (run, process, step).
_RUN, _PROCESS = 1_000_003, 8_191


@dataclass
class SharedInterruption(Interruption):
    """What all processes agree on at every step: that one was asked to stop, or that a checkpoint is due."""

    group: Group = field(kw_only=True)
    own: Interruption = field(kw_only=True)
    saved_at: float = field(default_factory=time.monotonic)

    def __bool__(self) -> bool:
        """Ask all processes: each must call this equally often."""
        due = time.monotonic() - self.saved_at > loop.CHECKPOINT_SECONDS
        asked, due_anywhere = self.group.largest([self.own.signal_name is not None, due])
        if asked:
            self.signal_name = self.own.signal_name or "another process's signal"
        return bool(asked or due_anywhere)


@dataclass
class ParallelTrainer(Trainer):
    """A `Trainer` whose batch is shared by the processes of `group`."""

    group: Group = field(kw_only=True)
    seed: int = field(kw_only=True)

    def __post_init__(self) -> None:
        devices = [self.device] if self.device.type == "cuda" else None
        # With unused parameters looked for, gradients keep their places in the messages from the first step on, and
        # a resumed run adds in the same order as one that was never interrupted.
        self.model = DistributedDataParallel(
            self.model, device_ids=devices, broadcast_buffers=False, find_unused_parameters=True
        )
        super().__post_init__()
        self.interruption = SharedInterruption(group=self.group, own=self.interruption)
        # The clock of checkpoints is the shared one.
        self._saved_at = math.inf

    def _step(self, batch: Any, progress: float) -> Tensor:
        # From the step alone: a run that resumes needs no state of any process's generator.
        torch.manual_seed((self.seed * _RUN + self.steps) * _PROCESS + self.group.rank)
        loss = super()._step(batch, progress)
        dist.all_reduce(loss)
        return loss / self.group.size

    def _is_saving_worth_it(self) -> bool:
        # Each process has a clock of its own, and all must save together.
        return True

    def _save(self, place: Place) -> None:
        if self.group.is_first:
            save_checkpoint(self.checkpoints, self.steps, self._state(place))
        self.group.wait()
        if isinstance(self.interruption, SharedInterruption):
            self.interruption.saved_at = time.monotonic()


def train_run_together(
    spec: RunSpec,
    folder: Path,
    *,
    dataset: Dataset,
    data_folder: Path,
    synthesis_folders: Mapping[int, Path],
    start_folder: Path | None = None,
    gpus: int,
    processes: int,
    workers: int = 0,
) -> None:
    """What `borderlab.training.run.train_run` does, by all processes of this process's torchrun.

    Args:
        spec: the run; its batch is the global one.
        folder: the run's folder.
        dataset: the data set of `spec`.
        data_folder: where its files lie.
        synthesis_folders: propagated samples, by signed distance.
        start_folder: run whose weights come first, if any.
        gpus: GPUs of each node; 0 computes on CPUs.
        processes: processes that must be here.
        workers: loading processes of each process.

    Raises:
        RunError: also if the processes are not those that were asked for, or cannot share a batch evenly.
    """
    stopwatch = Stopwatch()
    keep_freed_pages()
    make_repeatable(spec.recipe.threads)
    with signals_noted() as own, group_of(gpus, processes) as group:
        if group.is_first:
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / "spec.json", spec.model_dump(mode="json"))
        network = create_network(spec, len(dataset.info.classes))
        if start_folder is not None:
            load_start(network.module, start_folder / "model.safetensors")
        network = replace(network, module=synchronise_norms(network.module, group.device).to(group.device))
        trainer = _trainer(spec, network, dataset.info.classes, folder / "checkpoints", group, own, stopwatch)
        inputs = RunInputs(dataset, data_folder, synthesis_folders, workers, group.device)
        n_samples = _fit(trainer, spec, network, inputs)
        if group.is_first:
            run._write_results(folder, network, trainer)
            facts = run._provenance(spec, stopwatch, group.device)
            write_json(folder / "provenance.json", {**facts, "processes": group.size})
            write_json(folder / "training.json", run._summary(spec, network, trainer, n_samples))
            delete_checkpoints(folder / "checkpoints")
        group.wait()


def _trainer(
    spec: RunSpec,
    network: Network,
    classes: tuple[str, ...],
    checkpoints: Path,
    group: Group,
    own: Interruption,
    stopwatch: Stopwatch,
) -> ParallelTrainer:
    return ParallelTrainer(
        model=network.module,
        loss=mean_over_all(create_loss(spec.loss, spec.recipe.label_smoothing, classes), group),
        recipe=spec.recipe,
        device=group.device,
        checkpoints=checkpoints,
        identity=sha256_of_json(spec.model_dump(mode="json")),
        say=run._say if group.is_first else lambda line: None,
        interruption=own,
        stopwatch=stopwatch,
        group=group,
        seed=spec.seed,
    )


def _fit(trainer: ParallelTrainer, spec: RunSpec, network: Network, inputs: RunInputs) -> int:
    batches = training_loader(spec, inputs, network)
    take_share(batches, trainer.group)
    # The first process alone validates: the others need not read or keep the images.
    held_out = evaluation_loader(spec, inputs, network) if trainer.group.is_first else None

    def validate() -> float:
        value = measure(spec, network.module, held_out, trainer.device).value_pct if held_out is not None else 0.0
        return trainer.group.from_first(value)

    trainer.fit(batches, validate=validate)
    return batches.n_samples
