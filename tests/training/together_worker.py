"""Trains a small segmenter on fixed batches, alone or with others: `torchrun ... together_worker.py OUT STOP_AFTER`.

Labels are spread unevenly over the batch, one image has none, and batch norms see all of it.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from borderlab.data.base import IGNORE_INDEX
from borderlab.losses import create_loss
from borderlab.spec import LossSpec, RecipeSpec
from borderlab.training.interruption import InterruptedRunError, Interruption
from borderlab.training.loop import Trainer
from borderlab.training.network_files import save_weights
from borderlab.training.parallel import ParallelTrainer
from borderlab.training.together import Group, group_of, mean_over_all, synchronise_norms

RECIPE = RecipeSpec(epochs=3, batch_size=4, lr=0.1, weight_decay=1e-3, gradient_clip=1.0)
BATCHES = 3


class Images:
    """Batches of four images; a process of a group gets its part."""

    def __init__(self, group: Group | None) -> None:
        self.group = group
        self.epoch = self.first_batch = 0

    def set_epoch(self, epoch: int, first_batch: int = 0) -> None:
        self.epoch, self.first_batch = epoch, first_batch

    def __len__(self) -> int:
        return BATCHES

    def __iter__(self) -> Iterator[Any]:
        for index in range(self.first_batch, BATCHES):
            generator = torch.Generator().manual_seed(10 * self.epoch + index)
            image = torch.randn(4, 3, 12, 16, generator=generator)
            target = (image[:, 0] > 0).long() + (image[:, 1] > 1).long()
            target[0, :7] = target[1] = IGNORE_INDEX
            part = slice(None) if self.group is None else slice(2 * self.group.rank, 2 * self.group.rank + 2)
            yield Batch(image[part], target[part])


class Batch:
    def __init__(self, image: Tensor, target: Tensor) -> None:
        self.image, self.target = image, target


def network() -> nn.Module:
    torch.manual_seed(0)
    convolutions = [nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 3, 1)]
    return nn.Sequential(*convolutions)


def train(out: Path, group: Group | None, stop_after: int) -> None:
    loss = create_loss(LossSpec(name=os.environ["LOSS"]), label_smoothing=0.0)
    own = Interruption()
    common: dict[str, Any] = {
        "recipe": RECIPE,
        "device": torch.device("cpu"),
        "checkpoints": out / "checkpoints",
        "identity": "test",
        "say": print,
        "interruption": own,
    }
    module = network()
    trainer: Trainer
    if group is None:
        trainer = Trainer(module, loss, **common)
    else:
        module = synchronise_norms(module, group.device)
        trainer = ParallelTrainer(module, mean_over_all(loss, group), **common, group=group, seed=0)

    def ask(batches: Iterable[Any], epoch: int) -> Iterator[Any]:
        for batch in batches:
            # One process alone is asked to stop: all must.
            if trainer.steps == stop_after - 1 and (group is None or group.rank == group.size - 1):
                own.signal_name = "SIGTERM"
            yield batch

    curve = trainer.fit(Images(group), validate=lambda: 1.0, watch=ask)
    if group is None or group.is_first:
        save_weights(module, out / "model.safetensors")
        (out / "losses.txt").write_text("\n".join(repr(row["train_loss"]) for row in curve.rows))


if __name__ == "__main__":
    folder, stop = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    try:
        if "WORLD_SIZE" in os.environ:
            with group_of(gpus=0, expected=int(os.environ["WORLD_SIZE"])) as made:
                train(folder, made, stop)
        else:
            train(folder, None, stop)
    except InterruptedRunError as stopped:
        sys.stdout.write(f"{stopped}\n")
        sys.exit(stopped.exit_code)
