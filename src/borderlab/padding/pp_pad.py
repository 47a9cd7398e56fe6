"""Peripheral-prediction padding: a small network, trained with the rest, predicts each padded pixel.

Source: Mukai and Yamanaka, "Improving Translation Invariance in Convolutional Neural Networks with Peripheral
Prediction Padding", ICIP 2023, arXiv:2307.07725.

The new pixel ? is predicted from the 2 x 3 pixels next to it:

          ?
        n n n          ? = n (the middle one) + w . relu(W [n n n f f f] + b) + c
        f f f

Each side has a network of 6 -> 8 -> 1 (65 numbers), shared by all channels and positions of the layer; at the ends of
a side the last pixel stands in for the missing neighbour. More than one pixel is filled ring by ring, in each ring
left and right, then top and bottom over the new width; a new ring is predicted from the rings inside it.

Converting a layer adds four parameters, `border_net.*`, beside its own, whose keys do not change; converting it to
another mode drops them. w and c start at 0, so that a new layer pads exactly as `replicate`, and W is a fixed table:
nothing is drawn. Convert before making the optimiser. A checkpoint without these keys loads with `strict=False`, or
before the conversion.

Differs: the published network predicts the pixel itself; predicting the difference to its neighbour makes the start a
known padding. Per layer and side one network of 8 hidden units is the published "pp-pad"; its variant "conv", with
all channels as input, is not here. UNVERIFIED: what the publication does at corners, with larger pads and at the ends
of a side, and its initialisation. A padded axis needs 2 pixels; smaller ones are refused.
"""

import math
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from borderlab.errors import PaddingError
from borderlab.padding.base import LayerScheme, Pad, PaddingScheme, filled, like_memory
from borderlab.padding.kinds import Traced

N_HIDDEN = 8
_FEWEST_PX = 2
# Dimension of each side, and whether it lies behind the image; in the order of a pad.
_SIDES = ((-1, False), (-1, True), (-2, False), (-2, True))

Networks = tuple[Tensor, ...]
"""Hidden weights (4 8 6) and biases (4 8), output weights (4 1 8) and biases (4 1): left, right, top, bottom."""


class BorderNet(nn.Module):
    """The networks of the four sides of one layer."""

    def __init__(self, device: torch.device | None = None, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        # Any table of distinct rows breaks the symmetry of the hidden units; this one has the variance of He et al.
        table = torch.outer(torch.arange(1.0, 1 + 4 * N_HIDDEN), torch.arange(1.0, 7)).sin() * math.sqrt(2 / 3)
        self.hidden_weight = nn.Parameter(table.reshape(4, N_HIDDEN, 6).to(device, dtype))
        self.hidden_bias = nn.Parameter(torch.zeros(4, N_HIDDEN, device=device, dtype=dtype))
        self.out_weight = nn.Parameter(torch.zeros(4, 1, N_HIDDEN, device=device, dtype=dtype))
        self.out_bias = nn.Parameter(torch.zeros(4, 1, device=device, dtype=dtype))

    def tensors(self) -> tuple[Traced, ...]:
        """By name: replicas that `nn.DataParallel` makes have no parameters, only tensors of these names."""
        return self.hidden_weight, self.hidden_bias, self.out_weight, self.out_bias


def pp_pad_fill(networks: Networks, x: Float[Tensor, "*n c h w"], pad: Pad) -> Float[Tensor, "*n c h_padded w_padded"]:
    """Pad `x` by what the networks of the four sides predict.

    Raises:
        PaddingError: if a padded axis has fewer than 2 pixels.
    """
    _check_size(x.shape[-2], x.shape[-1], pad)
    y = x
    for ring in range(max(pad)):
        for side, amount in enumerate(pad):
            if ring < amount:
                y = _grow(y, side, [parameter[side] for parameter in networks])
    return like_memory(y, x)


def _grow(y: Float[Tensor, "*n c h w"], side: int, network: list[Tensor]) -> Float[Tensor, "*n c h2 w2"]:
    """`y` with one more row or column on `side`."""
    dim, behind = _SIDES[side]
    first, second = (y.shape[dim] - 1, y.shape[dim] - 2) if behind else (0, 1)
    near, far = y.select(dim, first), y.select(dim, second)
    strip = (near + _difference(near, far, network).to(y.dtype)).unsqueeze(dim)
    return torch.cat([y, strip] if behind else [strip, y], dim)


def _difference(
    near: Float[Tensor, "*n c l"], far: Float[Tensor, "*n c l"], network: list[Tensor]
) -> Float[Tensor, "*n c l"]:
    """Predicted pixel less its nearest neighbour, along one side."""
    hidden_weight, hidden_bias, out_weight, out_bias = network
    lines = [torch.cat([line[..., :1], line, line[..., -1:]], -1) for line in (near, far)]
    neighbours = torch.stack([line.narrow(-1, shift, near.shape[-1]) for line in lines for shift in range(3)], -1)
    hidden = F.linear(neighbours, hidden_weight, hidden_bias).relu()
    return F.linear(hidden, out_weight, out_bias)[..., 0]


def _check_size(height: int, width: int, pad: Pad) -> None:
    """Raise `PaddingError` if a padded axis has no two pixels to predict from."""
    left, right, top, bottom = pad
    if (left + right and width < _FEWEST_PX) or (top + bottom and height < _FEWEST_PX):
        raise PaddingError(
            f"pp_pad padding needs {_FEWEST_PX} px along a padded axis: pad (left, right, top, bottom) = "
            f"{tuple(pad)} on a map of {height}x{width} px; use larger images, or another padding mode"
        )


class PeripheralPrediction(LayerScheme):
    """Padding by the networks of the layer; without a layer, by new ones."""

    def on_layer(self, training: bool, parameters: tuple[Tensor, ...]) -> PaddingScheme:
        """Padding by `parameters`."""
        return filled(partial(pp_pad_fill, parameters), nested=False)

    def new_module(self, layer: nn.Module) -> BorderNet:
        """New networks where the weight of `layer` lies, of its type."""
        weight = layer.get_parameter("weight")
        return BorderNet(weight.device, weight.dtype)

    def __call__(self, x: Tensor, *geometry: object) -> Tensor:
        """Convolve as a new layer does."""
        networks = tuple(parameter.detach() for parameter in BorderNet(x.device, x.dtype).parameters())
        return self.on_layer(False, networks)(x, *geometry)  # type: ignore[arg-type]


SCHEME = PeripheralPrediction()
