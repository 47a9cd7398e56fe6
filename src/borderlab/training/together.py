"""Several processes that train one network: their group, their share of each batch, and norms over all of it.

The global batch is the recipe's, whatever the number of processes: each takes an equal, consecutive part of it, batch
norms see all of it, and a mean over labelled pixels is that of the whole batch, however the labels are spread.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

import borderlab.torchvision_compat  # noqa: F401  isort: skip  (must come before timm)
from timm.layers.norm_act import BatchNormAct2d, convert_sync_batchnorm
from torch import Tensor, nn

from borderlab.data.base import IGNORE_INDEX
from borderlab.data.loader import Draw, TrainingLoader
from borderlab.errors import RunError
from borderlab.training.loop import Loss

# The first process validates alone, and the others wait for it.
PATIENCE = timedelta(hours=4)


@dataclass(frozen=True)
class Group:
    """The processes of one run. `control` passes small facts between their CPUs, without waiting for a GPU."""

    rank: int
    size: int
    device: torch.device
    control: dist.ProcessGroup

    @property
    def is_first(self) -> bool:
        """Whether this process speaks and writes for all."""
        return self.rank == 0

    def largest(self, values: list[int]) -> list[int]:
        """The largest of each value over all processes."""
        shared = torch.tensor(values)
        dist.all_reduce(shared, dist.ReduceOp.MAX, group=self.control)
        return [int(value) for value in shared]

    def from_first(self, value: float) -> float:
        """The first process's value."""
        shared = torch.tensor(value, dtype=torch.float64)
        dist.broadcast(shared, 0, group=self.control)
        return float(shared)

    def wait(self) -> None:
        """Wait until every process is here."""
        dist.barrier(group=self.control)


@contextmanager
def group_of(gpus: int, expected: int) -> Iterator[Group]:
    """The group that torchrun started this process in.

    Args:
        gpus: GPUs of each node; 0 computes on CPUs.
        expected: processes that the configuration asks for.

    Raises:
        RunError: if torchrun started another number of processes, or a GPU is missing.
    """
    size, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
    if size != expected:
        raise RunError(f"{size} processes were started, but the configuration's resources ask for {expected}")
    if gpus and torch.cuda.device_count() <= local:
        raise RunError(f"resources.gpus asks for {gpus} GPUs on each node, but torch sees {torch.cuda.device_count()}")
    device = torch.device("cuda", local) if gpus else torch.device("cpu")
    if gpus:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if gpus else "gloo", timeout=PATIENCE)
    try:
        yield Group(dist.get_rank(), size, device, dist.new_group(backend="gloo", timeout=PATIENCE))
    finally:
        dist.destroy_process_group()


def take_share(loader: TrainingLoader, group: Group) -> None:
    """Make `loader` load only this process's part of each batch; its length and order stay.

    Raises:
        RunError: if a batch cannot be divided evenly.
    """
    if loader.batch_size % group.size:
        raise RunError(f"recipe.batch_size {loader.batch_size} cannot be shared evenly by {group.size} processes")
    part = loader.batch_size // group.size
    whole = loader.draws

    def share() -> list[list[Draw]]:
        return [batch[group.rank * part : (group.rank + 1) * part] for batch in whole()]

    # From outside, so that the loader's own code, which names the results of runs of one process, stays as it is.
    loader.draws = share  # type: ignore[method-assign]


def mean_over_all(loss: Loss, group: Group) -> Loss:
    """`loss`, a mean over labelled samples or pixels, scaled so that the processes' mean is that of the whole batch."""

    def scaled(logits: Tensor, target: Tensor, progress: float) -> Tensor:
        ignored = IGNORE_INDEX if target.ndim > 1 else -1
        counted = (target != ignored).sum().to(torch.float64)
        everywhere = counted.clone()
        dist.all_reduce(everywhere)
        weight = (counted * group.size / everywhere.clamp(min=1)).to(logits.dtype)
        return loss(logits, target, progress) * weight

    return scaled


def synchronise_norms(module: nn.Module, device: torch.device) -> nn.Module:
    """`module` with batch norms over all processes; parameters, buffers and their names stay."""
    if device.type == "cuda":
        return convert_sync_batchnorm(module)
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        return _CpuSyncBatchNorm(module)
    for name, child in module.named_children():
        setattr(module, name, synchronise_norms(child, device))
    return module


class _CpuSyncBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm over the batches of all processes, for CPUs: torch's own knows GPUs alone."""

    def __init__(self, norm: nn.modules.batchnorm._BatchNorm) -> None:
        super().__init__(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        self.weight, self.bias = norm.weight, norm.bias
        self.running_mean, self.running_var = norm.running_mean, norm.running_var
        self.num_batches_tracked = norm.num_batches_tracked
        self.training = norm.training
        # timm's norms end with an activation.
        self.after = nn.Sequential(norm.drop, norm.act) if isinstance(norm, BatchNormAct2d) else nn.Identity()

    def _check_input_dim(self, x: Tensor) -> None:
        if x.ndim < 2:
            raise ValueError(f"batch norm needs a channel axis, got {x.ndim} axes")

    def forward(self, x: Tensor) -> Tensor:
        normalised: Tensor = self._normalised(x) if self.training else super().forward(x)
        after: Tensor = self.after(normalised)
        return after

    def _normalised(self, given: Tensor) -> Tensor:
        size = dist.get_world_size()
        # As torch's own does: statistics of half precision are summed in single precision.
        x = given.to(torch.promote_types(given.dtype, torch.float32))
        axes = [axis for axis in range(x.ndim) if axis != 1]
        shape = [1, -1, *[1] * (x.ndim - 2)]
        mean = _Sum.apply(x.mean(axes)) / size
        centred = x - mean.view(shape)
        variance = _Sum.apply(centred.square().mean(axes)) / size
        self._track(mean.detach(), variance.detach(), x.numel() // x.shape[1] * size)
        normalised = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            normalised = normalised * self.weight.view(shape) + self.bias.view(shape)
        return normalised.to(given.dtype)

    def _track(self, mean: Tensor, variance: Tensor, count: int) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        momentum = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * (count / max(1, count - 1)), momentum)


class _Sum(torch.autograd.Function):
    """Sum over processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.contiguous().clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total
