"""Linear-prediction padding: rows and columns continue as an autoregressive model fitted to the image says.

Source: Niemitalo et al. 2025, arXiv:2502.12300 ("lp"); here its least case but one, a neighbourhood of 1 x 2.

    linear_prediction    1 2 3 4  ->  -1 0 1 2 3 4 5 6

Each channel of each image, each axis and each direction has two coefficients of its own. Along the axis, outwards,
a pixel t follows p (nearest) and q: with d = p - q, the model is t = level * p + slope * d. Summed over all such
triples of the channel, the least-squares solution with a ridge e is

    | pp + e   pd     |   | level |   | pt |
    | pd       dd + e | * | slope | = | dt |,     e = RIDGE * pp

The ridge keeps the system solvable: a flat image has d = 0 and continues at 1 / (1 + RIDGE) of its value, an image of
zeros continues with zeros. Then the coefficients are moved to the nearest edge of the triangle of stability,
|slope| <= 1 and -(1 + 2 slope) <= level <= 1, outside of which a continuation grows exponentially; inside, it decays
or, at worst, grows linearly, as a ramp does. Columns continue after rows, with coefficients of the image alone, so
corners are continued continuations. Gradients pass through the coefficients.

Differs: UNVERIFIED (the abstract and a table alone were at hand) are the publication's order of the axes, ridge, and
way of stabilising; the basis of level and slope is ours, and spans the same models. A padded axis needs 3 pixels;
smaller ones are refused.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from borderlab.errors import PaddingError
from borderlab.padding.base import Pad, filled, like_memory

RIDGE = 1e-5
_TINY = 1e-30
_FEWEST_PX = 3

Coefficients = tuple[Tensor, Tensor]
"""Level and slope, each (*n c 1 1)."""


def linear_prediction_fill(x: Float[Tensor, "*n c h w"], pad: Pad) -> Float[Tensor, "*n c h_padded w_padded"]:
    """Continue `x` beyond its borders.

    Raises:
        PaddingError: if a padded axis has fewer than 3 pixels.
    """
    _check_size(x.shape[-2], x.shape[-1], pad)
    # Sums of squares overflow in half precision.
    exact = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
    wide = _extend(exact, exact, -1, pad[0], pad[1])
    return like_memory(_extend(wide, exact, -2, pad[2], pad[3]).to(x.dtype), x)


def _extend(
    y: Float[Tensor, "*n c h w2"], image: Float[Tensor, "*n c h w"], dim: int, before: int, after: int
) -> Float[Tensor, "*n c h3 w3"]:
    """Continue `y` along `dim` with the coefficients of `image`."""
    parts = [y]
    if before:
        parts = [*_predict(y.flip(dim), _fit(image.flip(dim), dim), dim, before)[::-1], y]
    if after:
        parts += _predict(y, _fit(image, dim), dim, after)
    return torch.cat(parts, dim) if len(parts) > 1 else y


def _fit(image: Float[Tensor, "*n c h w"], dim: int) -> Coefficients:
    """Stable coefficients of the continuation behind the last pixel along `dim`."""
    n = image.shape[dim] - 2
    q, p, t = (image.narrow(dim, first, n) for first in range(3))
    d = p - q
    pp, pd, dd, pt, dt = ((a * b).sum((-2, -1), keepdim=True) for a, b in ((p, p), (p, d), (d, d), (p, t), (d, t)))
    ridge = RIDGE * pp + _TINY
    pp, dd = pp + ridge, dd + ridge
    determinant = pp * dd - pd * pd + _TINY
    slope = ((pp * dt - pd * pt) / determinant).clamp(-1, 1)
    level = ((dd * pt - pd * dt) / determinant).clamp(max=1)
    return torch.maximum(level, -(1 + 2 * slope)), slope


def _predict(y: Float[Tensor, "*n c h w"], coefficients: Coefficients, dim: int, count: int) -> list[Tensor]:
    """The next `count` rows or columns behind `y`, nearest first."""
    level, slope = coefficients
    size = y.shape[dim]
    near, far = y.narrow(dim, size - 1, 1), y.narrow(dim, size - 2, 1)
    predicted = []
    for _ in range(count):
        near, far = level * near + slope * (near - far), near
        predicted.append(near)
    return predicted


def _check_size(height: int, width: int, pad: Pad) -> None:
    """Raise `PaddingError` if a padded axis is too short to fit two coefficients."""
    left, right, top, bottom = pad
    if (left + right and width < _FEWEST_PX) or (top + bottom and height < _FEWEST_PX):
        raise PaddingError(
            f"linear_prediction padding needs {_FEWEST_PX} px along a padded axis: pad (left, right, top, bottom) = "
            f"{tuple(pad)} on a map of {height}x{width} px; use larger images, or another padding mode"
        )


SCHEME = filled(linear_prediction_fill)
