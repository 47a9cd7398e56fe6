"""Random padding: while training, zeros are padded on a random half of the border; in eval mode, as usual.

Source: Yang et al. 2023, "Random Padding Data Augmentation", arXiv:2302.08682.

    eval          a b c d  ->  0 a b c d 0
    training      a b c d  ->  0 0 a b c d   or   a b c d 0 0      (each with probability 1/2)

While training, each call draws one horizontal and one vertical side, and puts all zeros of that axis there: half of
the four sides are padded, the output has its usual size, and the image moves by up to its pad. One draw holds for the
whole batch. Numbers come from torch's generator of the image's device, so that `torch.manual_seed` decides them.

UNVERIFIED (only the abstract was at hand): whether the publication may pad two opposite sides, draws per image or per
batch, pads every layer, and pads both sides in eval mode; the above is our reading. The paper pads by adding half a
border; that the amount is doubled there, to keep the size of the output, is what makes it a drop-in. Any image is
large enough. Branches of one image draw for themselves, so they cannot be fused into one.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from borderlab.padding.base import LayerScheme, Pad, PaddingScheme, filled, like_memory
from borderlab.padding.zeros import zeros_fill


def random_half_fill(x: Float[Tensor, "*n c h w"], pad: Pad) -> Float[Tensor, "*n c h_padded w_padded"]:
    """Pad `x` with zeros on one horizontal and one vertical side, drawn from torch's generator."""
    left, right, top, bottom = pad
    return like_memory(_one_side(_one_side(x, -1, left + right), -2, top + bottom), x)


def _one_side(x: Float[Tensor, "*n c h w"], dim: int, total: int) -> Float[Tensor, "*n c h2 w2"]:
    if total == 0:
        return x
    both = F.pad(x, (total, total) if dim == -1 else (0, 0, total, total))
    # The draw stays a tensor: no synchronisation with the device, and nothing a compiler would have to look into.
    start = torch.randint(2, (), device=x.device) * total
    return both.index_select(dim, start + torch.arange(x.shape[dim] + total, device=x.device))


class RandomPadding(LayerScheme):
    """Zero padding that moves to a random side while its layer trains."""

    def on_layer(self, training: bool, parameters: tuple[Tensor, ...]) -> PaddingScheme:
        """Random sides in training mode, both sides otherwise."""
        return filled(random_half_fill, nested=False) if training else filled(zeros_fill)


SCHEME = RandomPadding()
