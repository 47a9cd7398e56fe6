"""Resizing and recolouring, beside their definitions read literally and beside Pillow."""

import colorsys
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng
from numpy.typing import NDArray
from PIL import Image

from borderlab.data.augment import augment_classification, centre_crop, recolour, resize_image, resize_label
from borderlab.spec import AugmentSpec, EvaluationSpec

# Both axes shrink, both grow, one of each, barely anything, and not a whole factor.
SIZES = [((60, 80), (30, 40)), ((40, 50), (71, 90)), ((60, 40), (30, 77)), ((45, 45), (44, 46)), ((97, 61), (13, 29))]


def noise(size: tuple[int, int], seed: int = 0) -> NDArray[np.uint8]:
    return default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def triangle_matrix(n_in: int, n_out: int) -> NDArray[np.float64]:
    """Weight of each input pixel in each output pixel: a triangle about the centre, widened where it shrinks."""
    matrix = np.zeros((n_out, n_in))
    width = max(1.0, n_in / n_out)
    for i in range(n_out):
        centre = (i + 0.5) * n_in / n_out
        for j in range(n_in):
            matrix[i, j] = max(0.0, 1 - abs(j + 0.5 - centre) / width)
        matrix[i] /= matrix[i].sum()
    return matrix


@pytest.mark.parametrize(("size_in", "size_out"), SIZES)
def test_resizing_is_the_triangle_filter(size_in: tuple[int, int], size_out: tuple[int, int]) -> None:
    image = noise(size_in)
    rows, columns = (triangle_matrix(n_in, n_out) for n_in, n_out in zip(size_in, size_out, strict=True))
    expected = np.einsum("ih,hwc,jw->ijc", rows, image.astype(float), columns)
    assert np.abs(resize_image(image, size_out) - expected).max() <= 1.6


@pytest.mark.parametrize(("size_in", "size_out"), SIZES)
@pytest.mark.parametrize("axis", [0, 1])
def test_label_takes_the_pixel_with_the_nearest_centre(
    size_in: tuple[int, int], size_out: tuple[int, int], axis: int
) -> None:
    """A centre that lies exactly between two pixels may take either."""
    places = np.indices(size_in, dtype=np.uint8)[axis]
    taken = resize_label(places, size_out).astype(int)
    for place in np.ndindex(size_out):
        # Everything times 2 n_out, to stay in whole numbers.
        centre = (2 * place[axis] + 1) * size_in[axis]
        assert abs((2 * taken[place] + 1) * size_out[axis] - centre) <= size_out[axis]


def rings(side: int) -> NDArray[np.uint8]:
    """A zone plate: rings finer and finer outwards, up to the finest that pixels can hold."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    wave = 127.5 + 127.5 * np.cos(np.pi * (x**2 + y**2) / side)
    return np.repeat(wave.astype(np.uint8)[..., None], 3, axis=2)


def pillows(image: NDArray[np.uint8], side: int) -> NDArray[np.int64]:
    """Pillow's bilinear filter, which is anti-aliased."""
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR)).astype(int)


def test_classification_samples_are_low_passed_as_pillows_are() -> None:
    spec = AugmentSpec(crop=(100, 100), scale=(1.0, 1.0), aspect=(1.0, 1.0), flip=False)
    sample = augment_classification(rings(256), spec, default_rng(0))
    assert np.abs(sample - pillows(rings(256), 100)).max() <= 2
    # Without the filter the corners' rings fold into false ones of nearly full contrast.
    assert rings(256)[::8, ::8].std() > 60
    corner = sample[:12, :12].astype(float)
    assert corner.std() < 12


def test_centre_crops_are_low_passed_as_pillows_are() -> None:
    crop = centre_crop(rings(256), EvaluationSpec(resize=100, crop=(80, 80)))
    assert np.abs(crop - pillows(rings(256), 100)[10:90, 10:90]).max() <= 2


class Chosen:
    """Stands in for a generator: its uniform draws are the chosen ones, in turn, if they lie in the asked range."""

    def __init__(self, *values: float) -> None:
        self.values = list(values)

    def uniform(self, low: float, high: float) -> float:
        value = self.values.pop(0)
        assert low <= value <= high
        return value


SPEC = AugmentSpec(brightness=0.5, contrast=0.5, saturation=0.5, hue=0.25)
# Middle values, whose changes stay within 0..255, so that no order of clipping matters.
COLOURS = default_rng(3).integers(90, 150, (9, 11, 3), dtype=np.uint8)


def changed(*draws: float) -> NDArray[np.float64]:
    chosen: Any = Chosen(*draws)
    out = recolour(COLOURS, SPEC, chosen)
    assert not chosen.values
    return out.astype(float)


def grey_of(pixels: NDArray[Any]) -> NDArray[np.float64]:
    return 0.299 * pixels[..., 0] + 0.587 * pixels[..., 1] + 0.114 * pixels[..., 2]


@pytest.mark.parametrize(
    ("brightness", "contrast", "saturation"), [(1.2, 1, 1), (1, 1.4, 1), (1, 1, 0.6), (0.8, 1.3, 1.4)]
)
def test_colours_are_the_blends_of_their_definition(brightness: float, contrast: float, saturation: float) -> None:
    """Blend with black, then with the picture's mean grey, then with each pixel's own grey."""
    bright = brightness * COLOURS.astype(float)
    contrasted = contrast * bright + (1 - contrast) * grey_of(bright).mean()
    expected = saturation * contrasted + (1 - saturation) * grey_of(contrasted)[..., None]
    # Turning the hue by nothing still rounds to 8-bit hue, saturation and value.
    assert np.abs(changed(brightness, contrast, saturation, 0.0, 0.0) - expected).max() <= 4


@pytest.mark.parametrize("turn", [-0.25, -0.1, 0.2])
def test_hue_turns_as_in_the_standard_library(turn: float) -> None:
    expected = np.empty(COLOURS.shape)
    for place in np.ndindex(COLOURS.shape[:2]):
        hue, saturation, value = colorsys.rgb_to_hsv(*(COLOURS[place] / 255))
        expected[place] = 255 * np.array(colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value))
    assert np.abs(changed(1.0, 1.0, 1.0, turn, 0.0) - expected).max() <= 4


def test_blur_is_gaussian() -> None:
    impulse = np.zeros((21, 21, 3), np.uint8)
    impulse[10, 10] = 255
    chosen: Any = Chosen(1.0, 1.0, 1.0, 0.0, 1.5)
    blurred = recolour(impulse, AugmentSpec(blur_sigma=(0.0, 2.0)), chosen)[..., 0].astype(float)
    offsets = np.arange(-10, 11)
    bell = np.exp(-(offsets**2) / (2 * 1.5**2))
    assert np.abs(blurred - 255 * np.outer(bell, bell) / bell.sum() ** 2).max() <= 1
