"""Cross-entropy: -log of the probability of the true class."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Integer
from torch import Tensor

from borderlab.data.base import IGNORE_INDEX
from borderlab.losses.base import Loss
from borderlab.spec import LossSpec

# torch's default, which no class id equals.
_NOTHING_IGNORED = -100


def mean_cross_entropy(
    logits: Float[Tensor, "n c *size"],
    target: Integer[Tensor, " n *size"],
    class_weights: Float[Tensor, " c"] | None = None,
    label_smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """Mean of -log p(target), weighted by the weight of the target's class.

    Pixels of `IGNORE_INDEX` do not count. Only pixels can be void: without spatial axes, class 255 is a class like any
    other. Differs from `torch.nn.functional.cross_entropy`: 0 in place of NaN where nothing counts, and half
    precision is summed in single precision.

    Args:
        logits: scores before softmax.
        target: class ids 0..c-1, or `IGNORE_INDEX` for a pixel.
        class_weights: weight of each class, 0 or more.
        label_smoothing: share of the target that is spread evenly over all classes, 0..1.
    """
    ignore_index = _NOTHING_IGNORED if logits.ndim == 2 else IGNORE_INDEX
    logits, target = as_single(logits), target.long()
    class_weights = None if class_weights is None else class_weights.to(logits)
    if is_channels_last(logits):
        # torch copies such logits to channels-first order and back; as rows of classes they can stay where they are.
        logits, target = logits.permute(0, 2, 3, 1).flatten(0, 2), target.flatten()
    total = F.cross_entropy(
        logits, target, class_weights, ignore_index=ignore_index, reduction="sum", label_smoothing=label_smoothing
    )
    counted = target != ignore_index
    weights = counted if class_weights is None else class_weights[target.where(counted, 0)] * counted
    return mean_of(total, weights)


def mean_of(total: Float[Tensor, ""], weights: Tensor) -> Float[Tensor, ""]:
    """`total` divided by the sum of `weights`; 0 where both are 0."""
    return total / weights.sum().to(total.dtype).clamp(min=torch.finfo(total.dtype).tiny)


def as_single(logits: Float[Tensor, "n c *size"]) -> Float[Tensor, "n c *size"]:
    """Logits in at least single precision: a sum over an image overflows in half precision."""
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


def is_channels_last(logits: Float[Tensor, "n c *size"]) -> bool:
    """Whether the classes of a pixel, and not the pixels of a class, lie side by side in memory."""
    return logits.ndim == 4 and not logits.is_contiguous() and logits.is_contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class CrossEntropyLoss:
    """Mean cross-entropy over samples, or over labelled pixels."""

    label_smoothing: float = 0.0

    def __call__(
        self, logits: Float[Tensor, "n c *size"], target: Integer[Tensor, " n *size"], progress: float
    ) -> Float[Tensor, ""]:
        return mean_cross_entropy(logits, target, label_smoothing=self.label_smoothing)


def create(spec: LossSpec, label_smoothing: float, classes: tuple[str, ...]) -> Loss:
    """Cross-entropy; `spec` has no option for it."""
    return CrossEntropyLoss(label_smoothing)
