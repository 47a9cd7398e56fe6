"""The forward-backward check at its two thresholds."""

import numpy as np
import pytest

from borderlab.propagation.consistency import is_consistent


def constant_flow(u, v=0.0, size=(6, 20)):
    return np.stack([np.full(size, u, np.float32), np.full(size, v, np.float32)])


@pytest.mark.parametrize(
    ("flow", "back", "expected"),
    [
        (3.0, -3.0, True),
        # Gap 0.7: 0.49 < 0.5 + 0.01 * (0 + 0.49).
        (0.0, 0.7, True),
        # Gap 0.75: 0.5625 > 0.5 + 0.01 * 0.5625.
        (0.0, 0.75, False),
        # Gap 1.5: 2.25 < 0.5 + 0.01 * (100 + 132.25); without the relative part it would fail.
        (10.0, -11.5, True),
        # Gap 2: 4 > 0.5 + 0.01 * (100 + 144).
        (10.0, -12.0, False),
        # The same direction twice is no way back.
        (2.0, 2.0, False),
    ],
)
def test_thresholds(flow, back, expected):
    assert (is_consistent(constant_flow(flow), constant_flow(back)) == expected).all()
    assert (is_consistent(constant_flow(0, flow), constant_flow(0, back)) == expected).all()


def test_way_back_is_read_where_the_way_there_ends():
    back = constant_flow(0)
    back[0, :, 12] = -4
    flow = constant_flow(0)
    flow[0, :, 8] = 4
    consistent = is_consistent(flow, back)
    assert consistent[:, 8].all()  # 8 -> 12 -> 8
    assert not consistent[:, 12].any()  # 12 -> 12 -> 8
    assert consistent[:, 7].all()


def test_way_back_between_pixels_is_interpolated():
    flow, back = constant_flow(0.5), constant_flow(-0.5)
    back[0, :, 10], back[0, :, 11] = 0.0, -1.0
    assert is_consistent(flow, back)[:, 10].all()
