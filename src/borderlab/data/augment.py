"""Random changes of a training sample, decided by a numpy Generator and nothing else.

A crop is taken before anything is resized, so that pixels that nobody will see cost nothing; within half a pixel of
the crop's edge the filter therefore sees no more than the crop. Images are resized with an anti-aliasing filter.

Convention:
    pixel centres lie at i + 0.5, in image and label alike: a label takes the pixel whose centre is nearest to where
    the image is interpolated. No function writes to the arrays it is given.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from numpy.typing import NDArray

from borderlab.data.base import IGNORE_INDEX
from borderlab.spec import AugmentSpec, EvaluationSpec, Size

Image = NDArray[np.uint8]
Label = NDArray[np.uint8]

_CROP_ATTEMPTS = 10


class Colours(NamedTuple):
    """What is drawn for the colours of one sample: three factors, a turn of hue in circles, a blur in pixels."""

    brightness: float
    contrast: float
    saturation: float
    hue: float
    blur_sigma: float


class ImageChange(NamedTuple):
    """What is drawn for one sample of classification: a part of the image, whether it is flipped, its colours."""

    top: int
    left: int
    height: int
    width: int
    flip: bool
    colours: Colours


def augment_segmentation(
    image: Image,
    label: Label,
    spec: AugmentSpec,
    fill: tuple[int, int, int],
    random: Generator,
    focus: tuple[int, int] | None = None,
) -> tuple[Image, Label]:
    """A scaled, cropped, flipped and recoloured sample of the crop's size.

    Args:
        image: RGB (h, w, 3).
        label: train ids (h, w).
        spec: ranges of the changes.
        fill: colour of what lies outside the image, where the crop is larger than the scaled image.
        random: source of all randomness.
        focus: row and column of a pixel of the image that the crop must hold; anywhere where absent.
    """
    factor = random.uniform(*spec.scale)
    window = tuple(max(1, round(side / factor)) for side in spec.crop)
    row, column = (None, None) if focus is None else focus
    top = _offset(image.shape[0], window[0], random, row)
    left = _offset(image.shape[1], window[1], random, column)
    image = _window(image, top, left, window, fill)
    label = _window(label, top, left, window, IGNORE_INDEX)
    image, label = resize_image(image, spec.crop), resize_label(label, spec.crop)
    if spec.flip and random.random() < 0.5:
        image, label = cv2.flip(image, 1), cv2.flip(label, 1)
    return recolour(image, spec, random), np.ascontiguousarray(label)


def augment_classification(image: Image, spec: AugmentSpec, random: Generator) -> Image:
    """A random part of the image at the crop's size, flipped and recoloured.

    The part covers a share `spec.scale` of the area and has an aspect ratio in `spec.aspect`, drawn uniformly in its
    logarithm; after ten draws that do not fit, the largest centred part within the aspect range is taken.
    """
    top, left, height, width, flip, colours = draw_image_change(image.shape[:2], spec, random)
    image = resize_image(image[top : top + height, left : left + width], spec.crop)
    return _recoloured(cv2.flip(image, 1) if flip else image, spec, colours)


def draw_image_change(size: tuple[int, ...], spec: AugmentSpec, random: Generator) -> ImageChange:
    """All that is left to chance in one sample of classification, of an image of `size`."""
    part = random_part(size, spec, random)
    flip = spec.flip and random.random() < 0.5
    return ImageChange(*part, flip, draw_colours(spec, random))


def random_part(size: tuple[int, ...], spec: AugmentSpec, random: Generator) -> tuple[int, int, int, int]:
    """Top, left, height and width of a random part of an image of `size`."""
    image_height, image_width = size
    logs = np.log(spec.aspect)
    for _ in range(_CROP_ATTEMPTS):
        area = image_height * image_width * random.uniform(*spec.scale)
        aspect = np.exp(random.uniform(*logs))
        width, height = round(np.sqrt(area * aspect)), round(np.sqrt(area / aspect))
        if 0 < width <= image_width and 0 < height <= image_height:
            top, left = random.integers(image_height - height + 1), random.integers(image_width - width + 1)
            return int(top), int(left), height, width
    aspect = float(np.clip(image_width / image_height, *spec.aspect))
    height = min(image_height, round(image_width / aspect))
    width = min(image_width, round(height * aspect))
    return (image_height - height) // 2, (image_width - width) // 2, height, width


def centre_crop(image: Image, spec: EvaluationSpec) -> Image:
    """The image resized to a shorter side of `spec.resize` and cropped to `spec.crop` in its centre."""
    resized, (top, left) = place_of_centre_crop(image.shape[:2], spec)
    image = resize_image(image, resized)
    return image if spec.crop is None else _window(image, top, left, spec.crop, (0, 0, 0))


def place_of_centre_crop(size: tuple[int, ...], spec: EvaluationSpec) -> tuple[Size, tuple[int, int]]:
    """Size of the resized image, and the crop's first row and column in it; negative where the crop is larger."""
    factor = 1 if spec.resize is None else spec.resize / min(size)
    height, width = (round(side * factor) for side in size)
    crop = spec.crop or (height, width)
    return (height, width), ((height - crop[0]) // 2, (width - crop[1]) // 2)


def resize_image(image: Image, size: Size) -> Image:
    """`image` at height and width `size`: bilinear between pixel centres, widened into an average where it shrinks."""
    height, width = size
    if image.shape[:2] == (height, width):
        return image
    # Each where it is the faster by two to three times: OpenCV's bilinear filter is not widened, its area average
    # slow; torch filters 8-bit channels-last pixels with vector instructions.
    if height >= image.shape[0] and width >= image.shape[1]:
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    # torch warns of arrays that must not be written to, which samples kept in memory are.
    planes = torch.from_numpy(image if image.flags.writeable else image.copy()).permute(2, 0, 1)[None]
    # Said outright: torch takes neither a part of an image nor a batch of one for channels-last by its strides.
    planes = planes.contiguous(memory_format=torch.channels_last)
    resized = F.interpolate(planes, size=(height, width), mode="bilinear", antialias=True, align_corners=False)
    pixels: Image = resized[0].permute(1, 2, 0).numpy()
    return pixels


def resize_label(label: Label, size: Size) -> Label:
    """`label` at height and width `size`: the nearest pixel centre, exactly."""
    height, width = size
    if label.shape == (height, width):
        return label
    return cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)


def recolour(image: Image, spec: AugmentSpec, random: Generator) -> Image:
    """Brightness, contrast, saturation, hue and blur, each by a random amount within its range."""
    return _recoloured(image, spec, draw_colours(spec, random))


def draw_colours(spec: AugmentSpec, random: Generator) -> Colours:
    """Amounts within the ranges of `spec`."""
    brightness, contrast, saturation = (
        random.uniform(max(0.0, 1 - width), 1 + width) for width in (spec.brightness, spec.contrast, spec.saturation)
    )
    return Colours(
        brightness, contrast, saturation, random.uniform(-spec.hue, spec.hue), random.uniform(*spec.blur_sigma)
    )


def _recoloured(image: Image, spec: AugmentSpec, colours: Colours) -> Image:
    image = np.ascontiguousarray(image)
    if spec.brightness or spec.contrast or spec.saturation:
        image = _mix_colours(image, colours.brightness, colours.contrast, colours.saturation)
    if spec.hue:
        image = _turn_hue(image, colours.hue)
    return cv2.GaussianBlur(image, (0, 0), colours.blur_sigma) if colours.blur_sigma > 0 else image


def _mix_colours(image: Image, brightness: float, contrast: float, saturation: float) -> Image:
    """Brightness, contrast about the mean grey and saturation as one affine map of the three channels."""
    grey = np.array([0.299, 0.587, 0.114])
    mean = float(grey @ cv2.mean(image)[:3]) * brightness
    saturate = saturation * np.eye(3) + (1 - saturation) * grey[None, :]
    matrix = np.empty((3, 4))
    matrix[:, :3] = contrast * brightness * saturate
    matrix[:, 3] = (1 - contrast) * mean
    return cv2.transform(image, matrix)


def _turn_hue(image: Image, turn: float) -> Image:
    """Hue moved by `turn` of a full circle."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
    hsv[..., 0] += np.uint8(round(turn * 256) % 256)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL)


def _offset(side: int, window: int, random: Generator, focus: int | None = None) -> int:
    """Start of a window on a side: anywhere inside, or anywhere that keeps the whole side in a larger window.

    With a focus, of those only where the window holds it.
    """
    first, last = min(side - window, 0), max(side - window, 0)
    if focus is not None:
        first, last = max(first, focus - window + 1), min(last, focus)
    return int(random.integers(first, last + 1))


def _window(
    pixels: NDArray[np.uint8], top: int, left: int, size: tuple[int, ...], fill: int | tuple[int, int, int]
) -> NDArray[np.uint8]:
    """The part of `pixels` below and right of (top, left), with `fill` where it reaches outside."""
    height, width = pixels.shape[:2]
    bottom, right = top + size[0], left + size[1]
    inside = pixels[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    if inside.shape[:2] == tuple(size):
        return inside
    border = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    return cv2.copyMakeBorder(inside, *border, cv2.BORDER_CONSTANT, value=fill)
