"""Colours of a batch: each image as `borderlab.data.augment.recolour` changes it, within roundings."""

import cv2
import numpy as np
import pytest
import torch
from numpy.random import default_rng

from borderlab.data.augment import Colours, draw_colours, recolour
from borderlab.data.recolouring import recolour_batch
from borderlab.spec import AugmentSpec

# Smooth, as photographs are: OpenCV keeps hue in whole steps, which is coarse where neighbours differ much.
NOISE = default_rng(0).integers(0, 256, (6, 24, 30, 3), dtype=np.uint8)
IMAGES = np.stack([cv2.GaussianBlur(image, (0, 0), 2) for image in NOISE])


def both(spec: AugmentSpec) -> tuple[np.ndarray, np.ndarray]:
    """What the batch gives, and what each image gives alone."""
    colours = [draw_colours(spec, default_rng(seed)) for seed in range(len(IMAGES))]
    found = recolour_batch(torch.from_numpy(IMAGES).float(), torch.tensor(colours), spec)
    expected = [recolour(image, spec, default_rng(seed)) for seed, image in enumerate(IMAGES)]
    return found.numpy(), np.stack(expected).astype(float)


@pytest.mark.parametrize(
    ("changes", "levels"),
    [
        ({"brightness": 0.8}, 1),
        ({"contrast": 0.8}, 1.5),  # the mean grey is that of rounded pixels there
        ({"saturation": 0.9}, 1),
        ({"brightness": 0.5, "contrast": 0.5, "saturation": 0.5}, 1.5),
        ({"hue": 0.5}, 4),  # hue, saturation and value each in 256 steps there
        ({"blur_sigma": (0.0, 2.5)}, 1.5),
        ({"blur_sigma": (9.0, 12.0)}, 1.5),  # farther than the image is wide: mirrored again and again
    ],
)
def test_each_change_is_the_loaders(changes: dict[str, float | tuple[float, float]], levels: float) -> None:
    found, expected = both(AugmentSpec(**changes))  # type: ignore[arg-type]
    assert np.abs(found - expected).max() <= levels
    assert np.abs(expected - IMAGES).max() > 10


def test_all_changes_together() -> None:
    spec = AugmentSpec(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.2, blur_sigma=(0.0, 1.0))
    found, expected = both(spec)
    assert np.abs(found - expected).max() <= 6
    assert np.abs(found - expected).mean() < 0.8


def test_no_change_asked_for_is_no_change() -> None:
    images = torch.from_numpy(IMAGES).float()
    amounts = torch.tensor([Colours(1, 1, 1, 0, 0)] * len(images))
    assert torch.equal(recolour_batch(images, amounts, AugmentSpec()), images)


def test_each_image_has_its_own_amount() -> None:
    images = torch.full((2, 4, 4, 3), 100.0)
    amounts = torch.tensor([Colours(0.5, 1, 1, 0, 0), Colours(1.5, 1, 1, 0, 0)])
    darker, brighter = recolour_batch(images, amounts, AugmentSpec(brightness=0.5)).mean((1, 2, 3))
    assert (darker.item(), brighter.item()) == pytest.approx((50, 150))


def test_a_grey_image_keeps_its_grey_under_a_turn_of_hue() -> None:
    images = torch.full((1, 3, 3, 3), 77.0)
    turned = recolour_batch(images, torch.tensor([Colours(1, 1, 1, 0.3, 0)]), AugmentSpec(hue=0.5))
    torch.testing.assert_close(turned, images)
