"""Pictures of activations by padding mode: the mean magnitude over channels, every mode on one colour scale.

Liu et al. 2018 (arXiv:1811.11718) show such maps of VGG19 with zeros and with partial padding in their figure 5.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

WIDTH_PX = 200
LEAST_SIDE = 4
# A single cell must not decide how dark all others are.
SCALE_QUANTILE = 0.998


def magnitude(own: Float[Tensor, "1 c h w"]) -> NDArray[np.float64]:
    """Mean magnitude over channels of one image's map, (h w)."""
    picture: NDArray[np.float64] = own[0].abs().double().mean(dim=0).cpu().numpy()
    return picture


def common_scale(pictures: Sequence[NDArray[np.float64]]) -> float:
    """The value that takes the scale's last colour: nearly the largest of all pictures; 0 takes the first."""
    return float(np.quantile(np.concatenate([picture.ravel() for picture in pictures]), SCALE_QUANTILE))


def coloured(picture: NDArray[np.float64], scale: float) -> NDArray[np.uint8]:
    """RGB picture (h w 3), `WIDTH_PX` wide, each cell a block of one colour."""
    levels = np.clip(255 * picture / scale, 0, 255).astype(np.uint8) if scale else np.zeros(picture.shape, np.uint8)
    height = max(1, round(picture.shape[0] * WIDTH_PX / picture.shape[1]))
    blocks = cv2.resize(levels, (WIDTH_PX, height), interpolation=cv2.INTER_NEAREST_EXACT)
    colours: NDArray[np.uint8] = cv2.cvtColor(cv2.applyColorMap(blocks, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    return colours


def activation_pictures(maps: Mapping[str, Sequence[Tensor]]) -> dict[tuple[str, int], NDArray[np.uint8]]:
    """One picture for each padding mode and stage (from 1), stages with too few cells left out.

    Args:
        maps: the feature pyramid of one image, maps (1 c h w), by padding mode; all of the same sizes.
    """
    pictures: dict[tuple[str, int], NDArray[np.uint8]] = {}
    for index, stage in enumerate(zip(*maps.values(), strict=True)):
        if min(stage[0].shape[2:]) < LEAST_SIDE:
            continue
        magnitudes = [magnitude(own) for own in stage]
        scale = common_scale(magnitudes)
        for mode, picture in zip(maps, magnitudes, strict=True):
            pictures[mode, index + 1] = coloured(picture, scale)
    return pictures


def frame_picture(image: Tensor) -> NDArray[np.uint8]:
    """The image (h w 3, uint8) itself at the pictures' width."""
    pixels = torch.as_tensor(image).cpu().numpy()
    height = max(1, round(pixels.shape[0] * WIDTH_PX / pixels.shape[1]))
    frame: NDArray[np.uint8] = cv2.resize(pixels, (WIDTH_PX, height), interpolation=cv2.INTER_AREA)
    return frame
