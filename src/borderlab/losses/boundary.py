"""Pixels at the boundary between classes."""

from jaxtyping import Bool, Integer
from torch import Tensor

from borderlab.losses.neighbourhood import class_bits, or_along


def is_beside_another_class(target: Integer[Tensor, "n h w"], n_classes: int) -> Bool[Tensor, "n h w"]:
    """Whether one of the four nearest pixels is of another class; ignored pixels are of none.

    On both sides of a boundary, as scikit-image's `find_boundaries(mode="thick")`, save where that one counts void as
    a class.
    """
    own = class_bits(target, n_classes)
    seen = or_along(own, -1, 1) | or_along(own, -2, 1)
    return (seen != own).any(dim=1) & (own != 0).any(dim=1)
