"""The relaxed loss as its authors published it, with its known defects: only to compare with.

Source: Zhu et al. 2019, code of 2021-04-03, as described in prose; nothing is copied. For image i, pixel p, with N the
classes of the window, S their probability, n their number, h the share of a class's marks among all marks:

    w_c    = 1 + bound * [h_c > 0] * (1 - h_c)
    loss_i = sum_j sum_p  1/n_j(p) * sum_(c in N_i(p)) w_c * (-log S_i(p))  /  (pixels - ignored_i + 1)
    loss   = sum_i loss_i

Its defects, each of which has a test:
    1  the sum over j: every image's set sizes weigh on every other image, and the loss grows with the batch squared
    2  logarithms of probabilities: at a logit gap of 104 in single precision the loss is not a number
    3  an ignored pixel beside a labelled one is trained on its neighbour's class
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Integer
from torch import Tensor

from borderlab.losses.boundary import is_beside_another_class

BOUNDARY_WEIGHT = 2.0


def published_loss(
    logits: Float[Tensor, "n c h w"],
    target: Integer[Tensor, "n h w"],
    radius_px: int,
    strict_classes: tuple[int, ...] = (),
    image_weight_bound: float = 0.0,
) -> Float[Tensor, ""]:
    """The published loss of a batch; `radius_px` 0 is its second phase, in which boundary pixels count twice.

    Args:
        logits: scores before softmax.
        target: train ids; all else is ignored.
        radius_px: half width of the window, in pixels.
        strict_classes: pixels of these classes count their own class alone.
        image_weight_bound: bound of w_c.
    """
    marks = _marks(target, logits.shape[1], radius_px, strict_classes)
    classes = marks[:, :-1]
    set_size = classes.sum(1)
    ignored = set_size == 0
    divisor = set_size.masked_fill(ignored, 1.0)
    if radius_px == 0:
        near = is_beside_another_class(target, logits.shape[1]) & ~ignored
        divisor = torch.where(near, 1 / BOUNDARY_WEIGHT, 1.0)
    share = marks.sum((2, 3)) / marks.sum((1, 2, 3))[:, None]
    weights = (1 + image_weight_bound * (share > 0) * (1 - share))[:, :-1]
    total = logits.new_zeros(())
    for image, member, weight, left_out in zip(logits.float(), classes, weights, ignored, strict=True):
        probability = image.softmax(0)
        joint = (probability * member).sum(0)
        log = torch.log(torch.maximum(probability, member * joint))
        pixel_loss = -(member * weight[:, None, None] * log).sum(0) * ~left_out
        total = total + (pixel_loss / divisor).sum() / (left_out.numel() - left_out.sum() + 1)
    return total


def _marks(
    target: Integer[Tensor, "n h w"], n_classes: int, radius_px: int, strict_classes: tuple[int, ...]
) -> Float[Tensor, "n c_and_ignored h w"]:
    """Which classes occur in each pixel's window; the last channel is `ignored`, and holds the outside too."""
    known = (target >= 0) & (target < n_classes)
    one_hot = F.one_hot(target.where(known, n_classes).long(), n_classes + 1).movedim(-1, 1).float()
    outside = F.pad(one_hot, (radius_px,) * 4)
    outside[:, -1][_border(outside[:, -1], radius_px)] = 1.0
    marks = F.max_pool2d(outside, 2 * radius_px + 1, stride=1)
    for strict in strict_classes:
        marks = torch.where((target == strict)[:, None], one_hot, marks)
    return marks


def _border(plane: Float[Tensor, "n h w"], width: int) -> Bool[Tensor, "n h w"]:
    border = torch.ones_like(plane, dtype=torch.bool)
    border[:, width : plane.shape[1] - width, width : plane.shape[2] - width] = False
    return border
