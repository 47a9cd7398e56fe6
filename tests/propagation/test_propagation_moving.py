"""Steps and composed displacements over fields whose exact course is known."""

import cv2
import numpy as np
import pytest

from borderlab.data.base import IGNORE_INDEX
from borderlab.propagation.moving import Step, compose, move_at_once, move_step
from borderlab.propagation.warp import sample_flow

SIZE = (240, 320)
ROWS, COLUMNS = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)


def course(x, y, step):
    """A smooth field of about six pixels, another one at each step."""
    u = 5 + 2 * np.sin(2 * np.pi * y / 500 + step) + x / 200
    v = -3 + 2 * np.cos(2 * np.pi * x / 600 - step) - y / 250
    return u, v


def steps_of(n):
    return [Step(np.stack(course(COLUMNS, ROWS, step)).astype(np.float32), None) for step in range(n)]


def true_position(n):
    """Where each target pixel lies in the key frame, by the formula alone; and whether its path stays inside."""
    x, y, inside = COLUMNS, ROWS, np.ones(SIZE, bool)
    for step in range(n - 1, -1, -1):
        u, v = course(x, y, step)
        x, y = x + u, y + v
        inside &= (x >= 0) & (x <= SIZE[1] - 1) & (y >= 0) & (y <= SIZE[0] - 1)
    return x, y, inside


def patches():
    random = np.random.default_rng(0)
    coarse = random.integers(0, 19, (12, 16)).astype(np.uint8)
    label = cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_NEAREST)
    return random.integers(0, 256, (*SIZE, 3)).astype(np.uint8), label


def recursive(key, steps, reference=()):
    for index, step in enumerate(steps):
        key = move_step(key, step, index == 0, reference)
    return key


def test_accumulated_labels_follow_the_known_course():
    """At five steps at most 0.01 % of the labels are wrong; recursion, which rounds at each step, loses over 1 %."""
    key, steps = patches(), steps_of(5)
    x, y, inside = true_position(5)
    assert inside.mean() > 0.5
    nearest = np.floor(np.stack([y, x]) + 0.5).clip(0, [[[SIZE[0] - 1]], [[SIZE[1] - 1]]]).astype(int)
    truth = key[1][tuple(nearest)]
    wrong = (move_at_once(key, steps)[1] != truth)[inside].mean()
    assert wrong <= 1e-4
    assert (recursive(key, steps)[1] != truth)[inside].mean() > 0.01


def test_composed_displacement_is_the_known_one():
    displacement, lost = compose(steps_of(5))
    x, y, inside = true_position(5)
    assert lost is None
    assert np.abs(displacement - [x - COLUMNS, y - ROWS])[:, inside].max() < 0.005


def test_one_step_is_the_same_either_way():
    key, steps = patches(), steps_of(1)
    for accumulated, moved in zip(move_at_once(key, steps), recursive(key, steps), strict=True):
        np.testing.assert_array_equal(accumulated, moved)


@pytest.mark.parametrize("method", [move_at_once, recursive])
def test_whole_pixels_are_exact_and_lost_where_the_path_leaves(method):
    key = patches()
    pan = np.zeros((2, *SIZE), np.float32)
    pan[0] = 2
    moved = method(key, [Step(pan, -pan)] * 3)
    np.testing.assert_array_equal(moved[0][:, :-6], key[0][:, 6:])
    np.testing.assert_array_equal(moved[1][:, :-6], key[1][:, 6:])
    assert (moved[1][:, -6:] == IGNORE_INDEX).all()


@pytest.mark.parametrize("method", [move_at_once, recursive])
def test_pixel_lost_at_any_step_stays_lost(method):
    """Out of the frame at the first step and back in at the second: what is there was never seen."""
    key = patches()
    out, back_in = np.zeros((2, *SIZE), np.float32), np.zeros((2, *SIZE), np.float32)
    out[0], back_in[0] = 3, -3
    moved = method(key, [Step(out, -out), Step(back_in, -back_in)])[1]
    # Target x reads x - 3 after the second step, and x after both: lost where x - 3 + 3 left, or x - 3 < 0.
    assert (moved[:, :3] == IGNORE_INDEX).all()
    np.testing.assert_array_equal(moved[:, 3:], key[1][:, 3:])
    beyond = method(key, [Step(out, -out), Step(out, -out)])[1]
    assert (beyond[:, -6:] == IGNORE_INDEX).all()


def test_samples_of_a_flow_are_bilinear_and_repeat_the_edge():
    flow = np.array([[[0, 4], [8, 12]], [[1, 1], [3, 3]]], np.float32)
    columns, rows = np.array([[0.25, 9]], np.float32), np.array([[0.5, -3]], np.float32)
    # 3/4 of (0 + 8) / 2 and 1/4 of (4 + 12) / 2; beyond the corner its own value.
    assert sample_flow(flow, columns, rows).tolist() == [[[5, 4]], [[2, 1]]]


QUARTER = Step(np.stack([np.full((1, 4), 0.25, np.float32), np.zeros((1, 4), np.float32)]), None)
RAMP = np.repeat(np.array([[[0], [10], [30], [30]]], np.uint8), 3, axis=2)
NO_LABEL = np.zeros((1, 4), np.uint8)


@pytest.mark.parametrize(
    ("reference", "is_first", "expected"),
    [
        ((), True, [2, 15, 30, 30]),  # 2.5 is rounded to even
        (("truncated_images",), True, [2, 15, 30, 30]),
        (("nearest_images",), True, [2, 15, 30, 30]),  # the first step is bilinear in the published code too
        (("nearest_images",), False, [0, 10, 30, 30]),
    ],
)
def test_reference_choices_of_sampling(reference, is_first, expected):
    assert move_step((RAMP, NO_LABEL), QUARTER, is_first, reference)[0][0, :, 0].tolist() == expected


def test_reference_truncation_loses_the_fraction():
    """0.75 x 3 + 0.25 x 6 = 3.75: ours rounds to 4, the published code stores 3."""
    image = np.repeat(np.array([[[3], [6], [6], [6]]], np.uint8), 3, axis=2)
    assert move_step((image, NO_LABEL), QUARTER, True)[0][0, 0].tolist() == [4, 4, 4]
    assert move_step((image, NO_LABEL), QUARTER, True, ("truncated_images",))[0][0, 0].tolist() == [3, 3, 3]
