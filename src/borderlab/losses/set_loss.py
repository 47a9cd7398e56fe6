"""Loss of sets of classes: -log of the probability mass of each pixel's set (a part of `losses.relaxed`)."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.autograd.function import once_differentiable

from borderlab.data.base import IGNORE_INDEX
from borderlab.losses.cross_entropy import mean_of
from borderlab.losses.neighbourhood import BITS_PER_WORD, class_bits, spread_bits, unpack_bits

Index = tuple[Tensor, ...]


@dataclass(frozen=True)
class PixelSets:
    """Which classes are right for each pixel.

    Most pixels have one right class and few have several, so these are listed: `border` indexes them, and `member`
    holds their sets.
    """

    own: Int64[Tensor, "n h w"]
    labelled: Bool[Tensor, "n h w"]
    border: Index
    member: Bool[Tensor, "m c"]


def pixel_sets(
    target: Int64[Tensor, "n h w"], n_classes: int, radius_px: int, strict_classes: tuple[int, ...]
) -> PixelSets:
    """The sets of all pixels; those of strict classes hold their own class alone."""
    own_bits = class_bits(target, n_classes)
    window_bits = spread_bits(own_bits, radius_px)
    labelled = target != IGNORE_INDEX
    several = (window_bits != own_bits).any(dim=1) & labelled
    for strict_class in strict_classes:
        several &= target != strict_class
    border = several.nonzero(as_tuple=True)
    member = unpack_bits(window_bits.movedim(1, -1)[border], n_classes)
    return PixelSets(target.where(labelled, 0), labelled, border, member)


def pixel_weights(sets: PixelSets, class_weights: Float[Tensor, "*n c"]) -> Float[Tensor, "n h w"]:
    """Mean weight of the classes in each pixel's set, of weights for all images or one row for each; 0 if ignored."""
    rows = class_weights.expand(len(sets.own), -1)
    weights = rows.gather(1, sets.own.flatten(1)).view_as(sets.own) * sets.labelled
    weights[sets.border] = (sets.member * rows[sets.border[0]]).sum(dim=1) / sets.member.sum(dim=1)
    return weights


class SetLoss(torch.autograd.Function):
    """Weighted sum of -log of the probability of each pixel's set; `dim` is the axis of the classes.

    Its gradient is weight * (p - q), q being the softmax over the set. Written out because autograd would hold, and
    fill with zeros, a tensor of the logits' size for each of the two ways in which a pixel is looked up.
    """

    @staticmethod
    def forward(
        ctx: Any, logits: Float[Tensor, "..."], dim: int, sets: PixelSets, weights: Float[Tensor, "n h w"]
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


def dense_loss(
    logits: Float[Tensor, "n c h w"], target: Int64[Tensor, "n h w"], radius_px: int, strict_classes: tuple[int, ...]
) -> Float[Tensor, ""]:
    """The same value by a masked log-sum-exp over all classes: what a compiler fuses best, and slow without one."""
    n_classes = logits.shape[1]
    own = class_bits(target, n_classes)
    bits = spread_bits(own, radius_px)
    for strict_class in strict_classes:
        bits = torch.where((target == strict_class)[:, None], own, bits)
    ids = torch.arange(n_classes, device=logits.device)
    member = (bits[:, ids // BITS_PER_WORD] >> (ids % BITS_PER_WORD)[:, None, None]) & 1 != 0
    inside = logits.masked_fill(~member, torch.finfo(logits.dtype).min).logsumexp(1)
    labelled = (own != 0).any(dim=1)
    return mean_of(((logits.logsumexp(1) - inside) * labelled).sum(), labelled)
