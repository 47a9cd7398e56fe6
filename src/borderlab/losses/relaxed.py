"""Relaxed cross-entropy: at an object's border, any class of the neighbourhood is right.

Source: Zhu et al. 2019, arXiv:1812.01593, section 3.2, equations 2 and 3:

    loss(pixel) = -log sum over c in N of p(c),    N = classes in the window around the pixel

where N has one class, this is cross-entropy.

Differs from the reference: the mean is taken over labelled pixels, not multiplied by the border weights of the whole
batch; it is finite at any finite logits; ignored pixels are never trained, whatever lies beside them; class weights
are the user's and not counted from the batch.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64, Integer
from torch import Tensor
from torch.autograd.function import once_differentiable

from borderlab.data.base import IGNORE_INDEX
from borderlab.errors import ConfigError
from borderlab.losses.base import Loss
from borderlab.losses.cross_entropy import as_single, is_channels_last, mean_cross_entropy, mean_of
from borderlab.losses.neighbourhood import class_bits, spread_bits, unpack_bits
from borderlab.spec import LossSpec

Index = tuple[Tensor, ...]


def relaxed_cross_entropy(
    logits: Float[Tensor, "n c h w"],
    target: Integer[Tensor, "n h w"],
    radius_px: int,
    strict_classes: tuple[int, ...] = (),
    class_weights: Float[Tensor, " c"] | None = None,
) -> Float[Tensor, ""]:
    """Mean over labelled pixels of -log of the probability of the classes around the pixel.

    Ignored pixels and the outside of the image contribute no class. With `class_weights` a pixel weighs as much as
    the mean of the classes in its set, and the mean is a weighted one.

    Args:
        logits: scores before softmax.
        target: train ids 0..c-1, or `IGNORE_INDEX`.
        radius_px: half width of the window, in pixels; 0 is cross-entropy.
        strict_classes: pixels of these classes count their own class alone.
        class_weights: weight of each class, 0 or more.

    Returns:
        Loss in single precision or better; 0 where nothing counts.

    Raises:
        ConfigError: if the radius is negative.
    """
    if radius_px < 0:
        raise ConfigError(f"loss.relax_radius_px: got {radius_px}; use 0 or more")
    if radius_px == 0:
        return mean_cross_entropy(logits, target, class_weights)
    logits = as_single(logits)
    sets = _pixel_sets(target.long(), logits.shape[1], radius_px, strict_classes)
    weights = sets.labelled.to(logits) if class_weights is None else _pixel_weights(sets, class_weights.to(logits))
    # In channels-last order the classes of a pixel lie side by side: the last axis is then the quick one.
    dim = 3 if is_channels_last(logits) else 1
    total = _SetLoss.apply(logits.movedim(1, dim), dim, sets, weights)
    return mean_of(total, weights)


@dataclass(frozen=True)
class RelaxedLoss:
    """Relaxed cross-entropy up to the share `until` of training, cross-entropy from then on."""

    radius_px: int
    until: float = 1.0
    strict_classes: tuple[int, ...] = ()

    def __call__(
        self, logits: Float[Tensor, "n c *size"], target: Integer[Tensor, " n *size"], progress: float
    ) -> Float[Tensor, ""]:
        if logits.ndim != 4:
            raise ConfigError("loss.name: relaxed needs a label for each pixel; use cross_entropy for classification")
        radius_px = self.radius_px if progress < self.until else 0
        return relaxed_cross_entropy(logits, target, radius_px, self.strict_classes)


def create(spec: LossSpec, label_smoothing: float) -> Loss:
    """The relaxed loss of `spec`.

    Raises:
        ConfigError: if labels are to be smoothed, which has no meaning for a set of classes.
    """
    if label_smoothing > 0:
        raise ConfigError(f"recipe.label_smoothing: got {label_smoothing} with loss relaxed; set it to 0")
    return RelaxedLoss(spec.relax_radius_px, spec.relax_until)


@dataclass(frozen=True)
class _PixelSets:
    """Which classes are right for each pixel.

    Most pixels have one right class and few have several, so these are listed: `border` indexes them, and `member`
    holds their sets.
    """

    own: Int64[Tensor, "n h w"]
    labelled: Bool[Tensor, "n h w"]
    border: Index
    member: Bool[Tensor, "m c"]


def _pixel_sets(
    target: Int64[Tensor, "n h w"], n_classes: int, radius_px: int, strict_classes: tuple[int, ...]
) -> _PixelSets:
    own_bits = class_bits(target, n_classes)
    window_bits = spread_bits(own_bits, radius_px)
    labelled = target != IGNORE_INDEX
    several = (window_bits != own_bits).any(dim=1) & labelled
    for strict_class in strict_classes:
        several &= target != strict_class
    border = several.nonzero(as_tuple=True)
    member = unpack_bits(window_bits.movedim(1, -1)[border], n_classes)
    return _PixelSets(target.where(labelled, 0), labelled, border, member)


def _pixel_weights(sets: _PixelSets, class_weights: Float[Tensor, " c"]) -> Float[Tensor, "n h w"]:
    """Mean weight of the classes in each pixel's set; 0 where it is ignored."""
    weights = class_weights[sets.own] * sets.labelled
    weights[sets.border] = (sets.member * class_weights).sum(dim=1) / sets.member.sum(dim=1)
    return weights


class _SetLoss(torch.autograd.Function):
    """Weighted sum of -log of the probability of each pixel's set; `dim` is the axis of the classes.

    Its gradient is weight * (p - q), q being the softmax over the set. Written out because autograd would hold, and
    fill with zeros, a tensor of the logits' size for each of the two ways in which a pixel is looked up.
    """

    @staticmethod
    def forward(
        ctx: Any, logits: Float[Tensor, "..."], dim: int, sets: _PixelSets, weights: Float[Tensor, "n h w"]
    ) -> Float[Tensor, ""]:
        log_probs = F.log_softmax(logits, dim)
        rows = log_probs.movedim(dim, -1)[sets.border]
        set_log_prob, q = _log_sum_exp(rows, sets.member)
        log_prob = log_probs.gather(dim, sets.own.unsqueeze(dim)).squeeze(dim)
        log_prob[sets.border] = set_log_prob
        ctx.dim, ctx.border = dim, sets.border
        if ctx.needs_input_grad[0]:
            border_grad = rows.exp_().sub_(q).mul_(weights[sets.border][:, None])
            ctx.save_for_backward(log_probs, sets.own, weights, border_grad)
        return -(log_prob * weights).masked_fill_(~sets.labelled, 0).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Float[Tensor, ""]) -> tuple[Float[Tensor, "..."], None, None, None]:
        log_probs, own, weights, border_grad = ctx.saved_tensors
        factor = (weights * grad_output).unsqueeze(ctx.dim)
        grad = log_probs.exp().mul_(factor)
        grad.scatter_add_(ctx.dim, own.unsqueeze(ctx.dim), -factor)
        grad.movedim(ctx.dim, -1)[ctx.border] = border_grad * grad_output
        return grad, None, None, None


def _log_sum_exp(
    log_probs: Float[Tensor, "m c"], member: Bool[Tensor, "m c"]
) -> tuple[Float[Tensor, " m"], Float[Tensor, "m c"]]:
    """Logarithm of each set's probability, and the softmax over the set (0 outside).

    Finite however improbable the set is: the largest term is taken out of the sum, and terms outside the set, which
    may be larger, are bounded before they are dropped.
    """
    peak = log_probs.masked_fill(~member, -torch.inf).amax(dim=1, keepdim=True)
    terms = (log_probs - peak).clamp_(max=0).exp_().mul_(member)
    total = terms.sum(dim=1, keepdim=True)
    return (peak + total.log())[:, 0], terms.div_(total)
