"""Colours of many images at once, on the device where they lie.

The same changes in the same order as `borderlab.data.augment.recolour` makes, without rounding to whole grey levels
between them.
"""

import torch
from torch import Tensor

from borderlab.spec import AugmentSpec

_GREY = (0.299, 0.587, 0.114)
_WHITE = 255.0


def recolour_batch(images: Tensor, amounts: Tensor, spec: AugmentSpec) -> Tensor:
    """Change the colours of `images`.

    Args:
        images: RGB (n h w 3) in 0..255.
        amounts: `borderlab.data.augment.Colours` of each image (n 5), on the images' device.
        spec: ranges; a change whose range is 0 is left out.

    Returns:
        Images of the same shape and range.
    """
    brightness, contrast, saturation, hue, sigma = amounts.T[:, :, None, None, None]
    if spec.brightness or spec.contrast or spec.saturation:
        images = _mixed(images, brightness, contrast, saturation)
    if spec.hue:
        images = _turned(images, hue[..., 0])
    return _blurred(images, sigma[:, :, 0, 0]) if spec.blur_sigma[1] > 0 else images


def _mixed(images: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor) -> Tensor:
    """Blend with black, with the image's mean grey, and with each pixel's own grey."""
    weights = torch.tensor(_GREY, device=images.device)
    grey = (images * weights).sum(-1, keepdim=True)
    mean = grey.mean((1, 2), keepdim=True) * brightness
    coloured = saturation * images + (1 - saturation) * grey
    return (contrast * brightness * coloured + (1 - contrast) * mean).clamp(0, _WHITE)


def _turned(images: Tensor, turn: Tensor) -> Tensor:
    """Hue moved by `turn` (n 1 1) of a full circle; the largest and the smallest channel keep their values."""
    value, place = images.max(-1)
    chroma = value - images.min(-1).values
    red, green, blue = images.unbind(-1)
    sixths = torch.stack([(green - blue), (blue - red), (red - green)], -1) / chroma.clamp(min=1e-6)[..., None]
    hue = sixths.gather(-1, place[..., None])[..., 0] + 2 * place + 6 * turn
    channels = []
    for first in (5, 3, 1):
        along = (first + hue) % 6
        channels.append(value - chroma * torch.minimum(along, 4 - along).clamp(0, 1))
    return torch.stack(channels, -1)


def _blurred(images: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur by `sigma` (n 1) pixels; the image is mirrored about its outermost pixels' centres."""
    # As wide as OpenCV makes it for 8-bit images.
    radius = (sigma * 6 + 1).round().long().bitwise_or(1) // 2
    offset = torch.arange(-int(radius.max()), int(radius.max()) + 1, device=images.device)
    bell = torch.exp(-(offset**2) / (2 * sigma.clamp(min=1e-3) ** 2)) * (offset.abs() <= radius)
    bell = bell / bell.sum(-1, keepdim=True)
    down, along = (_mirrored(bell, offset, side) for side in images.shape[1:3])
    by_rows = torch.bmm(down, images.flatten(2)).unflatten(2, images.shape[2:])
    turned = by_rows.transpose(1, 2).flatten(2)
    return torch.bmm(along, turned).unflatten(2, (-1, 3)).transpose(1, 2).contiguous()


def _mirrored(bell: Tensor, offset: Tensor, side: int) -> Tensor:
    """Weight of each pixel of an axis in each blurred one (n side side), for kernels (n k)."""
    pixels = torch.arange(side, device=bell.device)
    period = max(2 * (side - 1), 1)
    seen = (pixels[:, None] + offset) % period
    seen = torch.minimum(seen, period - seen) if side > 1 else torch.zeros_like(seen)
    taps = (seen[..., None] == pixels).to(bell.dtype)
    return torch.einsum("nk,ikj->nij", bell, taps)
