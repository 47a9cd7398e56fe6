"""Augmentation: sizes, determinism, alignment of image and label, no aliasing."""

import warnings

import numpy as np
import pytest
import torch
from numpy.random import default_rng
from numpy.typing import NDArray

from borderlab.data.augment import (
    augment_classification,
    augment_segmentation,
    centre_crop,
    random_part,
    recolour,
    resize_image,
    resize_label,
)
from borderlab.data.base import IGNORE_INDEX
from borderlab.spec import AugmentSpec, EvaluationSpec

FILL = (10, 20, 30)


def scene(height: int = 90, width: int = 120) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """An image whose brightness tells its label: 0 in the left part, 200 in the right."""
    label = np.zeros((height, width), np.uint8)
    label[:, width // 2 :] = 1
    image = np.repeat((label * 200)[..., None], 3, axis=2).astype(np.uint8)
    return image, label


@pytest.mark.parametrize("scale", [(0.5, 0.5), (1.0, 1.0), (2.0, 2.0), (0.4, 2.5)])
def test_sample_has_the_crops_size_and_type(scale: tuple[float, float]) -> None:
    image, label = augment_segmentation(*scene(), AugmentSpec(crop=(48, 64), scale=scale), FILL, default_rng(0))
    assert (image.shape, label.shape) == ((48, 64, 3), (48, 64))
    assert image.dtype == label.dtype == np.uint8
    assert image.flags["C_CONTIGUOUS"]
    assert label.flags["C_CONTIGUOUS"]


def test_same_generator_same_bits_and_another_one_others() -> None:
    spec = AugmentSpec(crop=(48, 64), brightness=0.3, saturation=0.3, hue=0.1, blur_sigma=(0.1, 1.0))
    samples = [augment_segmentation(*scene(), spec, FILL, default_rng(seed)) for seed in (3, 3, 4)]
    assert np.array_equal(samples[0][0], samples[1][0])
    assert np.array_equal(samples[0][1], samples[1][1])
    assert not np.array_equal(samples[0][0], samples[2][0])


@pytest.mark.parametrize("factor", [0.37, 0.5, 0.8, 1.0, 1.3, 2.0, 2.6])
def test_edge_stays_where_the_label_says(factor: float) -> None:
    spec = AugmentSpec(crop=(64, 80), scale=(factor, factor))
    for seed in range(20):
        image, label = augment_segmentation(*scene(240, 320), spec, FILL, default_rng(seed))
        inside = label != IGNORE_INDEX
        bright = image[..., 0] > 100
        wrong = inside & (bright != (label == 1))
        # The edge may fall inside a pixel: at most one column of the crop disagrees.
        assert wrong.any(axis=0).sum() <= 1


def test_outside_of_a_small_image_is_fill_and_void() -> None:
    image, label = augment_segmentation(
        *scene(20, 20), AugmentSpec(crop=(40, 40), scale=(1.0, 1.0), flip=False), FILL, default_rng(0)
    )
    void = label == IGNORE_INDEX
    assert void.sum() == 40 * 40 - 20 * 20
    assert (image[void] == FILL).all()
    assert not (image[~void] == FILL).all(axis=1).any()


def test_every_place_of_the_image_is_reached() -> None:
    rows = np.repeat(np.arange(100, dtype=np.uint8)[:, None], 100, axis=1)
    image = np.repeat(rows[..., None], 3, axis=2)
    spec = AugmentSpec(crop=(10, 10), scale=(1.0, 1.0))
    tops = {int(augment_segmentation(image, rows, spec, FILL, default_rng(seed))[1][0, 0]) for seed in range(600)}
    assert min(tops) == 0
    assert max(tops) == 90


def test_flip_happens_half_the_time_and_to_both() -> None:
    image, label = scene(48, 64)
    spec = AugmentSpec(crop=(48, 64), scale=(1.0, 1.0))
    flipped = 0
    for seed in range(200):
        out, ids = augment_segmentation(image, label, spec, FILL, default_rng(seed))
        assert np.array_equal(out[..., 0] > 100, ids == 1)
        flipped += int(ids[0, 0] == 1)
    assert 70 <= flipped <= 130


def stripes(side: int) -> NDArray[np.uint8]:
    """Black and white columns in turn: the finest pattern there is."""
    columns = np.where(np.arange(side) % 2 == 0, 0, 255).astype(np.uint8)
    return np.repeat(np.broadcast_to(columns, (side, side))[..., None], 3, axis=2).copy()


@pytest.mark.parametrize("side", [64, 80, 100])
def test_shrinking_averages_and_does_not_alias(side: int) -> None:
    shrunk = resize_image(stripes(256), (side, side)).astype(float)
    # Aliased, the stripes would come out black and white; averaged over more than two of them they are grey.
    assert shrunk.std() < 45
    assert abs(shrunk.mean() - 127.5) < 2


def test_read_only_pixels_are_resized_without_a_warning() -> None:
    kept = stripes(64)
    kept.flags.writeable = False
    torch.set_warn_always(True)  # else torch warns once in a process, perhaps in an earlier test
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert resize_image(kept, (32, 32)).shape == (32, 32, 3)
    finally:
        torch.set_warn_always(False)


def test_enlarging_is_bilinear() -> None:
    ramp = np.repeat(np.array([[0, 100]], np.uint8)[..., None], 3, axis=2)
    assert resize_image(ramp, (1, 4))[0, :, 0].tolist() == [0, 25, 75, 100]


def test_label_takes_the_nearest_pixel_centre() -> None:
    label = np.array([[0, 1, 2, 3]], np.uint8)
    assert resize_label(label, (1, 8)).tolist() == [[0, 0, 1, 1, 2, 2, 3, 3]]
    assert resize_label(label, (1, 2)).tolist() in ([[0, 2]], [[1, 3]])


def test_parts_cover_the_asked_share_of_the_area() -> None:
    spec = AugmentSpec(scale=(0.2, 0.5), aspect=(0.75, 4 / 3))
    for seed in range(200):
        top, left, height, width = random_part((300, 400), spec, default_rng(seed))
        assert 0 <= top <= 300 - height
        assert 0 <= left <= 400 - width
        assert 0.19 <= height * width / (300 * 400) <= 0.51
        assert 0.74 <= width / height <= 1.35


def test_part_that_cannot_fit_falls_back_to_the_centre() -> None:
    spec = AugmentSpec(scale=(0.9, 1.0), aspect=(1.0, 1.0))
    assert random_part((100, 400), spec, default_rng(0)) == (0, 150, 100, 100)


def test_classification_sample_and_centre_crop_have_their_sizes() -> None:
    image, _ = scene(90, 120)
    spec = AugmentSpec(crop=(32, 48), scale=(0.1, 1.0), aspect=(0.75, 1.33))
    assert augment_classification(image, spec, default_rng(0)).shape == (32, 48, 3)
    cropped = centre_crop(image, EvaluationSpec(resize=45, crop=(40, 40)))
    assert cropped.shape == (40, 40, 3)
    assert np.array_equal(cropped[:, ::-1] > 100, cropped <= 100)


@pytest.mark.parametrize("change", ["brightness", "contrast", "saturation", "hue"])
def test_each_colour_change_changes_its_own(change: str) -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    image[:, :4] = (180, 90, 60)
    image[:, 4:] = (80, 140, 120)
    out = recolour(image, AugmentSpec(**{change: 0.4}), default_rng(1)).astype(float)
    before = image.astype(float)
    assert not np.array_equal(out, before)
    grey = np.array([0.299, 0.587, 0.114])
    if change == "contrast":
        assert abs((out @ grey).mean() - (before @ grey).mean()) < 1.5
    if change == "saturation":
        assert np.abs(out @ grey - before @ grey).max() < 1.5
    if change == "brightness":
        ratio = out / before
        assert np.ptp(ratio) < 0.05


def test_no_change_asked_for_is_no_change() -> None:
    image, _ = scene()
    assert np.array_equal(recolour(image, AugmentSpec(), default_rng(0)), image)
