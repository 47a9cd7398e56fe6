"""Cuts by matrices: torch's anti-aliased filter on the part alone, and the loaders' own samples within roundings."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.random import default_rng
from numpy.typing import NDArray

from borderlab.data.augment import ImageChange, augment_classification, centre_crop, draw_colours, draw_image_change
from borderlab.data.cutting import PixelStore, cut_of_centre, cut_of_change, draw_cut
from borderlab.data.decoded import DecodedImages
from borderlab.spec import AugmentSpec, EvaluationSpec

SPEC = AugmentSpec(crop=(32, 48), scale=(0.1, 1.0), aspect=(0.5, 2.0))
# Shrunk, enlarged, one of each; tall, wide, as large as a sample, and a single pixel.
SIZES = [(90, 120), (20, 30), (100, 25), (31, 140), (32, 48), (1, 1), (64, 47)]


def noise(size: tuple[int, int], seed: int = 0) -> NDArray[np.uint8]:
    return default_rng((seed, *size)).integers(0, 256, (*size, 3), dtype=np.uint8)


IMAGES = [noise(size) for size in SIZES]


def decoded(images: list[NDArray[np.uint8]]) -> DecodedImages:
    return DecodedImages(
        np.concatenate([image.reshape(-1, 3) for image in images]),
        np.array([image.shape[:2] for image in images]),
        np.arange(len(images)),
        tuple(map(str, range(len(images)))),
    )


STORE = PixelStore(decoded(IMAGES), torch.device("cpu"))


def cut(changes: list[ImageChange], size: tuple[int, int] = SPEC.crop) -> torch.Tensor:
    """One cut of each of `IMAGES`."""
    return STORE.cut(np.arange(len(IMAGES)), np.stack([cut_of_change(own, size) for own in changes]), size)


def drawn(seed: int) -> list[ImageChange]:
    return [draw_image_change(size, SPEC, default_rng((seed, *size))) for size in SIZES]


@pytest.mark.parametrize("seed", range(6))
def test_a_cut_is_torchs_antialiased_filter_on_the_part_alone(seed: int) -> None:
    changes = drawn(seed)
    assert {change.flip for change in changes} == {False, True}
    for image, change, found in zip(IMAGES, changes, cut(changes), strict=True):
        part = image[change.top : change.top + change.height, change.left : change.left + change.width]
        planes = torch.from_numpy(part.copy()).permute(2, 0, 1)[None].double()
        expected = F.interpolate(planes, size=SPEC.crop, mode="bilinear", antialias=True, align_corners=False)
        expected = expected.flip(-1) if change.flip else expected
        torch.testing.assert_close(found, expected[0].permute(1, 2, 0).float(), rtol=0, atol=3e-3)


@pytest.mark.parametrize("seed", range(6))
def test_a_cut_is_the_loaders_sample_within_a_rounding(seed: int) -> None:
    """The loader rounds to whole levels after each axis."""
    for image, found, size in zip(IMAGES, cut(drawn(seed)), SIZES, strict=True):
        expected = augment_classification(image, SPEC, default_rng((seed, *size)))
        assert np.abs(found.numpy() - expected).max() <= 1.6


@pytest.mark.parametrize(
    "spec",
    [
        EvaluationSpec(resize=40, crop=(32, 36)),
        EvaluationSpec(resize=70, crop=(64, 64)),
        EvaluationSpec(crop=(16, 24)),
        EvaluationSpec(resize=20, crop=(40, 41)),  # larger than the image: black around it
    ],
)
def test_a_centre_is_that_of_the_evaluation_within_a_rounding(spec: EvaluationSpec) -> None:
    assert spec.crop is not None
    cuts = np.stack([cut_of_centre(np.array(size), spec) for size in SIZES])
    found = STORE.cut(np.arange(len(SIZES)), cuts, spec.crop)
    for image, own in zip(IMAGES, found, strict=True):
        assert np.abs(own.numpy() - centre_crop(image, spec)).max() <= 1.6


def test_a_cut_sees_its_part_alone() -> None:
    change = ImageChange(5, 7, 20, 30, False, draw_colours(SPEC, default_rng(0)))
    outside = np.ones((90, 120), dtype=bool)
    outside[5:25, 7:37] = False
    other = IMAGES[0].copy()
    other[outside] = 255 - other[outside]
    cuts, index = cut_of_change(change, SPEC.crop)[None], np.array([0])
    first, second = (
        PixelStore(decoded([image]), torch.device("cpu")).cut(index, cuts, SPEC.crop) for image in (IMAGES[0], other)
    )
    assert torch.equal(first, second)


def test_a_batch_is_its_images_one_by_one() -> None:
    """Neighbours in a batch widen the window that is looked at, and change nothing but the order of a sum."""
    changes = drawn(3)
    together = cut(changes)
    for index, change in enumerate(changes):
        alone = STORE.cut(np.array([index]), cut_of_change(change, SPEC.crop)[None], SPEC.crop)
        torch.testing.assert_close(together[index], alone[0], rtol=0, atol=1e-3)


def test_the_same_cut_has_the_same_bits_and_no_colour_is_made_up() -> None:
    first, second = cut(drawn(1)), cut(drawn(1))
    assert torch.equal(first, second)
    for image, found in zip(IMAGES, first, strict=True):
        assert found.min() >= image.min() - 1e-3
        assert found.max() <= image.max() + 1e-3


def test_draws_are_those_of_the_loaders_sample() -> None:
    random: Any = default_rng(4)
    numbers, index = draw_cut(SPEC, np.array(SIZES[0]), 3, random)
    twin = default_rng(4)
    change = draw_image_change(SIZES[0], SPEC, twin)
    assert index == 3
    assert numbers[8:].tolist() == list(change.colours)
    # As many draws as a sample takes: the next number is the same.
    assert random.random() == twin.random()
    used = default_rng(4)
    augment_classification(IMAGES[0], SPEC, used)
    assert used.random() == default_rng_after(4)


def default_rng_after(seed: int) -> float:
    random = default_rng(seed)
    draw_image_change(SIZES[0], SPEC, random)
    return random.random()
