"""The relaxed loss in a form that a compiler turns into two passes over the logits (a part of `losses.relaxed`).

With m and S the largest score of a pixel's set and the sum of exp(x - m) over the set, M and T the same over all other
classes, so that no gap between scores is too wide:

    loss = log(1 + exp(gap))                                gap = (M + log T) - (m + log S)
    gradient of a class in the set       -exp(x - m) s / S  s = 1 / (1 + exp(-gap))
    gradient of a class outside of it     exp(x - M) s / T

One exponential for each score in either pass, and none is stored: beside the gradient itself, five numbers for each
pixel are held.

What the forms below owe to torch 2.13's compiler for CPUs, seen in the code that it writes:
    - The forward pass is written out class by class. As reductions over the axis of the classes it would read the
      logits twice from memory, in strides that processors do not foresee; written out it is one loop over pixels.
    - `exp2`, not `exp`: what an exponential gives to two users is written to memory, and of `exp2` this is not known.
    - Sets travel as floating-point numbers of the same bits. Vectors of whole numbers are loaded by way of the stack,
      which holds up every step of a loop: the backward pass took 2.6 times as long.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from borderlab.data.base import IGNORE_INDEX
from borderlab.losses.neighbourhood import BITS_PER_WORD, class_bits, spread_bits

_LOG2_E = 1 / math.log(2)
_AS_FLOAT = {torch.int32: torch.float32, torch.int64: torch.float64}
_AS_WORD = {kind: word for word, kind in _AS_FLOAT.items()}


def compiled_loss(
    logits: Float[Tensor, "n c h w"], target: Int64[Tensor, "n h w"], radius_px: int, strict_classes: tuple[int, ...]
) -> Float[Tensor, ""]:
    """Mean over labelled pixels of -log of the probability of the classes around the pixel; 0 where there are none."""
    sets = _sets(target, logits.shape[1], radius_px, strict_classes)
    loss: Tensor = _MeanLoss.apply(logits, sets, target != IGNORE_INDEX)
    return loss


@torch.compiler.disable
def _sets(
    target: Int64[Tensor, "n h w"], n_classes: int, radius_px: int, strict_classes: tuple[int, ...]
) -> Float[Tensor, "n words h w"]:
    """Sets of all pixels, made once: a compiler would make them anew for every class that it looks up."""
    own = class_bits(target, n_classes)
    bits = spread_bits(own, radius_px)
    for strict_class in strict_classes:
        bits = torch.where((target == strict_class)[:, None], own, bits)
    return bits.view(_AS_FLOAT[bits.dtype])


class _MeanLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        logits: Float[Tensor, "n c h w"],
        sets: Float[Tensor, "n words h w"],
        labelled: Bool[Tensor, "n h w"],
    ) -> Float[Tensor, ""]:
        low = torch.finfo(logits.dtype).min
        inner = outer = torch.full_like(logits[:, 0], low)
        for scores, member in _planes(logits, sets):
            inner = torch.maximum(inner, torch.where(member, scores, low))
            outer = torch.maximum(outer, torch.where(member, low, scores))
        inner_sum = outer_sum = torch.zeros_like(inner)
        for scores, member in _planes(logits, sets):
            term = _exp(scores - torch.where(member, inner, outer))
            inner_sum = inner_sum + torch.where(member, term, 0.0)
            outer_sum = outer_sum + torch.where(member, 0.0, term)
        gap = (outer - inner) + (outer_sum.log() - inner_sum.log())
        tail = (-gap.abs()).exp().log1p()
        scale = labelled.sum().clamp(min=1).to(logits.dtype).reciprocal()
        slope = (gap.clamp(max=0) - tail).exp()
        pull, push = (torch.where(labelled & (part > 0), slope / part, 0.0) for part in (inner_sum, outer_sum))
        ctx.save_for_backward(logits, sets, inner, outer, -pull, push, scale)
        return torch.where(labelled, tail + gap.clamp(min=0), 0.0).sum() * scale

    @staticmethod
    def backward(ctx: Any, grad_output: Float[Tensor, ""]) -> tuple[Float[Tensor, "n c h w"], None, None]:
        logits, sets, inner, outer, pull, push, scale = ctx.saved_tensors
        member = _members(sets, logits.shape[1])
        term = _exp(logits - torch.where(member, inner[:, None], outer[:, None]))
        return term * torch.where(member, pull[:, None], push[:, None]) * (grad_output * scale), None, None


def _exp(x: Tensor) -> Tensor:
    return (x * _LOG2_E).exp2()


def _planes(
    logits: Float[Tensor, "n c h w"], sets: Float[Tensor, "n words h w"]
) -> Iterator[tuple[Float[Tensor, "n h w"], Bool[Tensor, "n h w"]]]:
    """Scores of each class, and where it is in the set."""
    bits = sets.view(_AS_WORD[sets.dtype])
    for class_id, scores in enumerate(logits.unbind(1)):
        yield scores, (bits[:, class_id // BITS_PER_WORD] >> (class_id % BITS_PER_WORD)) & 1 != 0


def _members(sets: Float[Tensor, "n words h w"], n_classes: int) -> Bool[Tensor, "n c h w"]:
    """Where each class is in the set."""
    bits, words = sets.view(_AS_WORD[sets.dtype]), []
    for word, first in enumerate(range(0, n_classes, BITS_PER_WORD)):
        places = torch.arange(min(BITS_PER_WORD, n_classes - first), dtype=bits.dtype, device=bits.device)
        flags = torch.ones((), dtype=bits.dtype, device=bits.device) << places
        words.append(bits[:, word : word + 1] & flags[:, None, None] != 0)
    return torch.cat(words, dim=1)
