"""Loss of sets of classes: -log of the probability mass of each pixel's set (a part of `losses.relaxed`)."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.autograd.function import once_differentiable

from borderlab.data.base import IGNORE_INDEX
from borderlab.losses.neighbourhood import class_bits, spread_bits, unpack_bits

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
    fill with zeros, a tensor of the logits' size for each of the two ways in which a pixel is looked up. Here
    e = exp(logits - largest) is made once; with t the sum of e, it is replaced by e - t * q, which the backward pass
    multiplies by weight / t: nothing else is kept, and no second exponential is taken. Of pixels with several classes
    only the scores of these are looked up.
    """

    @staticmethod
    def forward(
        ctx: Any, logits: Float[Tensor, "..."], dim: int, sets: PixelSets, weights: Float[Tensor, "n h w"]
    ) -> Float[Tensor, ""]:
        own = sets.own.unsqueeze(dim)
        row, class_id = sets.member.nonzero(as_tuple=True)
        of_member = (*(axis[row] for axis in sets.border), class_id)
        shifted = logits - logits.amax(dim, keepdim=True)
        scores = shifted.movedim(dim, -1)[of_member]
        log_prob = shifted.gather(dim, own)
        own_term = log_prob.exp()
        terms = shifted.exp_()
        total = terms.sum(dim, keepdim=True)
        log_prob = log_prob.sub_(total.log()).squeeze(dim)
        row_total = total.squeeze(dim)[sets.border]
        set_log_sum, q = _log_sum_exp(scores, row, len(row_total))
        log_prob[sets.border] = set_log_sum - row_total.log()
        if ctx.needs_input_grad[0]:
            terms.scatter_(dim, own, own_term.sub_(total))
            terms.movedim(dim, -1)[of_member] = scores.exp_().sub_(q.mul_(row_total[row]))
            ctx.dim = dim
            ctx.save_for_backward(terms, weights / total.squeeze(dim))
        return -(log_prob * weights).masked_fill_(~sets.labelled, 0).sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Float[Tensor, ""]) -> tuple[Float[Tensor, "..."], None, None, None]:
        terms, scale = ctx.saved_tensors
        return terms * (scale * grad_output).unsqueeze(ctx.dim), None, None, None


def _log_sum_exp(
    scores: Float[Tensor, " k"], row: Int64[Tensor, " k"], n_rows: int
) -> tuple[Float[Tensor, " m"], Float[Tensor, " k"]]:
    """Logarithm of the sum of exp over each row's scores, and the softmax over the row.

    Finite however small a row's scores are: the largest is taken out of the sum.
    """
    peak = scores.new_full((n_rows,), -torch.inf).scatter_reduce_(0, row, scores, "amax")
    terms = (scores - peak[row]).exp_()
    total = scores.new_zeros(n_rows).index_add_(0, row, terms)
    return peak + total.log(), terms.div_(total[row])
