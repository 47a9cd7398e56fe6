"""Warping, the forward-backward check and the 3x3 set against their definitions, pixel by pixel in plain Python."""

import math

import numpy as np
import pytest

from borderlab.propagation.consistency import is_consistent
from borderlab.propagation.score import near_label_boundary, occurs_within
from borderlab.propagation.warp import in_frame, sampling_map, warp_image, warp_label

SIZE = (17, 23)
HEIGHT, WIDTH = SIZE
# float32 against double precision, in grey levels.
ROUNDING = 1e-2


def clamp(value, size):
    return min(max(value, 0), size - 1)


def sample_bilinear(source, x, y):
    """Bilinear sample of (h w ...) with repeated border, in double precision."""
    left, top = math.floor(x), math.floor(y)
    total = 0.0
    for row, weight_y in ((top, 1 - (y - top)), (top + 1, y - top)):
        for column, weight_x in ((left, 1 - (x - left)), (left + 1, x - left)):
            total = total + weight_y * weight_x * source[clamp(row, HEIGHT), clamp(column, WIDTH)].astype(float)
    return total


def positions(flow):
    for y, x in np.ndindex(SIZE):
        yield (y, x), x + float(flow[0, y, x]), y + float(flow[1, y, x])


@pytest.fixture(params=range(3))
def scene(request):
    """Image, label, flow; sixteenths of a pixel, so that float32 positions are exact and halves occur."""
    random = np.random.default_rng(request.param)
    image = random.integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    label = random.choice([0, 1, 2, 255], SIZE).astype(np.uint8)
    flow = (random.integers(-16 * 6, 16 * 6, (2, *SIZE)) / 16).astype(np.float32)
    return image, label, flow


def test_label_is_the_pixel_at_floor_of_x_plus_a_half(scene):
    _, label, flow = scene
    expected = np.empty_like(label)
    for place, x, y in positions(flow):
        expected[place] = label[clamp(math.floor(y + 0.5), HEIGHT), clamp(math.floor(x + 0.5), WIDTH)]
    np.testing.assert_array_equal(warp_label(label, *sampling_map(flow)), expected)


def test_image_is_bilinear_and_rounded(scene):
    image, _, flow = scene
    moved = warp_image(image, *sampling_map(flow))
    for place, x, y in positions(flow):
        assert np.abs(moved[place] - sample_bilinear(image, x, y)).max() <= 0.5 + ROUNDING


def test_image_is_bilinear_between_the_steps_of_fixed_point_too():
    """Noise at any position: a position rounded to 1/32 pixel would be several grey levels off."""
    random = np.random.default_rng(9)
    image = random.integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    flow = random.uniform(-4, 4, (2, *SIZE)).astype(np.float32)
    moved = warp_image(image, *sampling_map(flow))
    for place, x, y in positions(flow):
        assert np.abs(moved[place] - sample_bilinear(image, x, y)).max() <= 0.5 + ROUNDING


def test_in_frame_is_where_the_nearest_pixel_exists(scene):
    flow = scene[2]
    inside = in_frame(*sampling_map(flow))
    for place, x, y in positions(flow):
        assert inside[place] == (0 <= math.floor(x + 0.5) < WIDTH and 0 <= math.floor(y + 0.5) < HEIGHT)


@pytest.mark.parametrize(("motion", "noise_px"), [((2.5, -1.25), 0.5), ((-9.0, 4.5), 1.5)])
def test_forward_backward_check(motion, noise_px):
    """One motion and its way back, both disturbed; sixteenths of a pixel again."""
    random = np.random.default_rng(1)
    base = np.array(motion)[:, None, None]
    flow = (base + random.integers(-8, 9, (2, *SIZE)) / 16).astype(np.float32)
    back = (-base + random.normal(0, noise_px, (2, *SIZE))).astype(np.float32)
    checked = is_consistent(flow, back)
    undecided = 0
    for (row, column), x, y in positions(flow):
        f, b = flow[:, row, column].astype(float), sample_bilinear(back.transpose(1, 2, 0), x, y)
        margin = 0.01 * ((f**2).sum() + (b**2).sum()) + 0.5 - ((f + b) ** 2).sum()
        if abs(margin) < 1e-4:
            undecided += 1  # too near the threshold for float32
        else:
            assert checked[row, column] == (margin > 0)
    assert undecided < 0.01 * HEIGHT * WIDTH
    assert 0.1 < checked.mean() < 0.9


@pytest.mark.parametrize("radius", [1, 2])
def test_neighbourhood_sets(scene, radius):
    label, wanted = scene[1], np.roll(scene[1], 5, axis=1)
    occurs, boundary = occurs_within(wanted, label, radius), near_label_boundary(label, radius)
    for y, x in np.ndindex(SIZE):
        around = label[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1]
        assert occurs[y, x] == (wanted[y, x] != 255 and wanted[y, x] in around)
        assert boundary[y, x] == (len(set(around.ravel().tolist())) > 1)
