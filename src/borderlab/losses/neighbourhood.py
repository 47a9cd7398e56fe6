"""Which classes occur around each pixel, as bits.

Class c is bit c % 64 of word c // 64: a set of 65 classes takes 16 bytes a pixel where one-hot channels take 260, and
the classes of a window are the bitwise OR of its pixels. Up to 31 classes fit into words of 32 bits.
"""

import torch
from jaxtyping import Bool, Integer
from torch import Tensor

BITS_PER_WORD = 64
# The sign bit is left out: shifting a negative word to the right would fill it with ones.
NARROW_CLASSES = 31


def class_bits(target: Integer[Tensor, "n h w"], n_classes: int) -> Integer[Tensor, "n words h w"]:
    """Each pixel's own class as a set; ids outside 0..n_classes-1, such as ignored ones, give the empty set."""
    words = [_word(target, first, n_classes) for first in range(0, n_classes, BITS_PER_WORD)]
    return torch.stack(words, dim=1)


def neighbourhood_bits(
    target: Integer[Tensor, "n h w"], n_classes: int, radius_px: int
) -> Integer[Tensor, "n words h w"]:
    """Classes in the square window of 2 * radius_px + 1 pixels around each pixel.

    Ignored pixels and the outside of the image contribute no class.

    Args:
        target: train ids.
        n_classes: number of classes.
        radius_px: half width of the window, in pixels; 0 gives each pixel's own class.

    Returns:
        Class c is bit c % 64 of word c // 64.
    """
    return spread_bits(class_bits(target, n_classes), radius_px)


def spread_bits(bits: Integer[Tensor, "n words h w"], radius_px: int) -> Integer[Tensor, "n words h w"]:
    """OR of the sets in the square window around each pixel; a square is a row of columns."""
    return or_along(or_along(bits, -1, radius_px), -2, radius_px)


def unpack_bits(bits: Integer[Tensor, "m words"], n_classes: int) -> Bool[Tensor, "m c"]:
    """Membership of each class in each set."""
    flags = torch.ones((), dtype=torch.int64, device=bits.device) << torch.arange(BITS_PER_WORD, device=bits.device)
    bits = bits.long()
    firsts = range(0, n_classes, BITS_PER_WORD)
    words = [bits[:, word, None] & flags[: n_classes - first] for word, first in enumerate(firsts)]
    return torch.cat(words, dim=1) != 0


def _word(target: Integer[Tensor, "n h w"], first: int, n_classes: int) -> Integer[Tensor, "n h w"]:
    """Bit of each pixel's class; a shift beyond the word, or a negative one, gives 0 in torch."""
    if n_classes <= NARROW_CLASSES:
        return (torch.ones((), dtype=torch.int32, device=target.device) << target.int()) & ((1 << n_classes) - 1)
    word = torch.ones((), dtype=torch.int64, device=target.device) << (target.long() - first)
    held = n_classes - first
    return word if held >= BITS_PER_WORD else word & ((1 << held) - 1)


def or_along(bits: Integer[Tensor, "n words h w"], dim: int, radius_px: int) -> Integer[Tensor, "n words h w"]:
    """OR of each pixel and its neighbours up to `radius_px` away along one axis."""
    length = bits.shape[dim]
    if radius_px == 0 or length < 2:
        return bits.clone()
    # The first neighbour comes in while the pixels are copied: twice as fast as a copy and two ORs.
    result = torch.empty_like(bits)
    torch.bitwise_or(
        bits.narrow(dim, 0, length - 1), bits.narrow(dim, 1, length - 1), out=result.narrow(dim, 0, length - 1)
    )
    result.narrow(dim, length - 1, 1).copy_(bits.narrow(dim, length - 1, 1))
    for step in range(1, min(radius_px, length - 1) + 1):
        if step > 1:
            result.narrow(dim, 0, length - step).bitwise_or_(bits.narrow(dim, step, length - step))
        result.narrow(dim, step, length - step).bitwise_or_(bits.narrow(dim, 0, length - step))
    return result
