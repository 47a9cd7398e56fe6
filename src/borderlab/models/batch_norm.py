"""Batch norms whose statistics are those of all processes' samples together.

Zhu et al. 2019 train on two images for each of eight GPUs: too few for statistics of their own. torch's own
SyncBatchNorm works on GPUs alone; this one works wherever `torch.distributed` does. In one process it is plain batch
norm, bit for bit.
"""

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce

import borderlab.torchvision_compat  # noqa: F401  (must come before timm)

from timm.layers.norm_act import BatchNormAct2d  # isort: skip


class SyncBatchNorm2d(nn.BatchNorm2d):
    """Batch norm over the samples of all processes; each must have at least one."""

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Normalised `x`."""
        return synchronised_norm(self, x) if _is_shared(self) else super().forward(x)


class SyncBatchNormAct2d(BatchNormAct2d):
    """timm's batch norm with activation, over the samples of all processes."""

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Normalised and activated `x`."""
        if not _is_shared(self):
            plain: Tensor = super().forward(x)
            return plain
        activated: Tensor = self.act(self.drop(synchronised_norm(self, x)))
        return activated


def synchronise_batch_norms(model: nn.Module) -> int:
    """Make every batch norm of `model` take the statistics of all processes, in place.

    Returns:
        Number of batch norms.
    """
    found = 0
    for module in model.modules():
        if type(module) in _SYNCHRONISED:
            # Same parameters, same buffers, same state dict: only forward differs.
            module.__class__ = _SYNCHRONISED[type(module)]
            found += 1
    return found


def synchronised_norm(norm: nn.BatchNorm2d, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Batch norm of `x` with mean and variance of all processes' pixels; updates the running statistics.

    The variance is of differences to the common mean: sums of squares would lose digits to cancellation.
    """
    exact = x.float()
    count = torch.tensor([x.numel() / x.shape[1]], device=x.device)
    sums = all_reduce(torch.cat([exact.sum((0, 2, 3)), count]))
    total = sums[-1].detach()
    mean = sums[:-1] / total
    centred = exact - mean[:, None, None]
    variance = all_reduce(centred.square().sum((0, 2, 3))) / total
    with torch.no_grad():
        _update_running(norm, mean, variance * total / (total - 1))
    y = centred * torch.rsqrt(variance + norm.eps)[:, None, None]
    if norm.affine:
        y = y * norm.weight[:, None, None] + norm.bias[:, None, None]
    return y.to(x.dtype)


def _update_running(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked.add_(1)
    momentum = 1.0 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean, momentum)
    norm.running_var.lerp_(variance, momentum)


def _is_shared(norm: nn.Module) -> bool:
    return norm.training and dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


_SYNCHRONISED: dict[type[nn.Module], type[nn.Module]] = {
    nn.BatchNorm2d: SyncBatchNorm2d,
    BatchNormAct2d: SyncBatchNormAct2d,
}
