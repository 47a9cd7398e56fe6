"""Ratios and rows that can be checked by hand."""

import pytest
import torch

from borderlab.padding import PADDING_MODES, coverage_ratio
from borderlab.padding.linear_prediction import linear_prediction_fill
from borderlab.padding.pp_pad import pp_pad_fill
from borderlab.padding.random import random_half_fill


def test_ratio_of_a_3x3_window():
    ratio = coverage_ratio((4, 4), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), torch.float64)
    corner, edge, inside = 9 / 4, 9 / 6, 1
    outer, inner = [corner, edge, edge, corner], [edge, inside, inside, edge]
    assert ratio[0, 0].tolist() == [outer, inner, inner, outer]


def test_ratio_of_the_resnet_stem():
    """7x7, stride 2, pad 3 on 224: window 0 sees 4 of 7 taps, window 1 sees 6, the last one 5."""
    ratio = coverage_ratio((224, 224), (7, 7), (2, 2), (3, 3, 3, 3), (1, 1), torch.float64)[0, 0]
    assert ratio.shape == (112, 112)
    middle = ratio[56].tolist()
    assert middle[0] == 7 / 4 == 1.75
    assert middle[1] == 7 / 6
    assert middle[2:-1] == [1.0] * 109
    assert middle[-1] == 7 / 5 == 1.4
    assert ratio[0, 0] == 49 / 16 == 3.0625
    assert ratio[-1, -1] == 49 / 25 == 1.96


def test_ratio_of_a_strided_window_on_an_even_size_is_uneven():
    """The published code gives 1.5 at the top and 1.0 at the bottom for 3x3, stride 2, pad 1 on 56."""
    ratio = coverage_ratio((56, 56), (3, 3), (2, 2), (1, 1, 1, 1), (1, 1))[0, 0]
    assert (ratio[0, 14], ratio[-1, 14]) == (1.5, 1.0)


def test_ratio_of_dilated_windows():
    """Published code: corner 2.25 for dilation 12 on 64; 9 everywhere for dilation 36 on 24 (one tap inside)."""
    assert coverage_ratio((64, 64), (3, 3), (1, 1), (12, 12, 12, 12), (12, 12))[0, 0, 0, 0] == 2.25
    assert coverage_ratio((24, 24), (3, 3), (1, 1), (36, 36, 36, 36), (36, 36)).unique().tolist() == [9.0]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("zeros", [3, 6, 9, 7]),
        ("reflect", [5, 6, 9, 10]),
        ("replicate", [4, 6, 9, 11]),
        ("circular", [7, 6, 9, 8]),
        ("partial", [4.5, 6, 9, 10.5]),
        ("symmetric", [4, 6, 9, 11]),
        # Means of three: 2 and 3. Stretched from 2 to 6 px they start with 2 and end with 3: 2 + 1 + 2 and 3 + 4 + 3.
        ("mean_interp", [5, 6, 9, 10]),
        ("random", [3, 6, 9, 7]),
        ("pp_pad", [4, 6, 9, 11]),
    ],
)
def test_sum_of_three_neighbours(mode, expected):
    """Row 1 2 3 4, kernel 1 1 1; for instance partial: (1 + 2) * 3/2 = 4.5."""
    x, weight = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]]), torch.ones(1, 1, 1, 3)
    row = PADDING_MODES[mode](x, weight, None, (1, 1), (1, 1, 0, 0), (1, 1), 1)
    assert row[0, 0, 0].tolist() == expected


def test_bias_stands_outside_the_ratio():
    """(1 + 2) * 3/2 + 10 = 14.5, and not (1 + 2 + 10) * 3/2."""
    x, weight = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]]), torch.ones(1, 1, 1, 3)
    row = PADDING_MODES["partial"](x, weight, torch.tensor([10.0]), (1, 1), (1, 1, 0, 0), (1, 1), 1)
    assert row[0, 0, 0].tolist() == [14.5, 16, 19, 20.5]


def test_a_ramp_and_a_flat_row_continue():
    """Level 1 and slope 1 fit 1 2 3 4 without error: ... -1 0 | 1 2 3 4 | 5 6 ...; a flat row stays flat."""
    for row, expected in (([1, 2, 3, 4], [-1, 0, 1, 2, 3, 4, 5, 6]), ([2, 2, 2, 2], [2] * 8), ([0] * 4, [0] * 8)):
        x = torch.tensor([[[row]]], dtype=torch.float64)
        padded = linear_prediction_fill(x, (2, 2, 0, 0))[0, 0, 0]
        assert padded.tolist() == pytest.approx(expected, abs=1e-2)


def test_growth_is_stopped():
    """1 2 4 8 doubles: t = 2 p. As d = p / 2, the shortest fit is level 1.6, slope 0.8; level 1 is the stable limit."""
    x = torch.tensor([[[[1.0, 2.0, 4.0, 8.0]]]], dtype=torch.float64)
    assert linear_prediction_fill(x, (0, 1, 0, 0))[..., -1].item() == pytest.approx(1 * 8 + 0.8 * (8 - 4), abs=1e-3)


def test_a_slope_of_two_is_cut_to_one():
    """10 11 13 17 25: each step is twice the last, t = p + 2 d; the next one is as large as the last, 25 + 8."""
    x = torch.tensor([[[[10.0, 11.0, 13.0, 17.0, 25.0]]]], dtype=torch.float64)
    assert linear_prediction_fill(x, (0, 1, 0, 0))[..., -1].item() == pytest.approx(25 + 8, abs=0.1)


def test_one_prediction_of_a_network():
    """Left of the rows 1 2 / 3 4; one live unit of weights 1 on the near column: relu(1 + 1 + 3) = 5, times 1/10."""
    networks = [torch.zeros(4, 8, 6), torch.zeros(4, 8), torch.zeros(4, 1, 8), torch.zeros(4, 1)]
    networks[0][0, 0, :3], networks[2][0, 0, 0] = 1, 0.1
    x = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    padded = pp_pad_fill(tuple(networks), x, (1, 0, 0, 0))[0]
    assert padded[:, 0].tolist() == pytest.approx([1 + (1 + 1 + 3) / 10, 3 + (1 + 3 + 3) / 10])


def test_random_sides_in_training():
    """Seed by seed, 1 2 becomes 0 0 1 2 or 1 2 0 0, both in the end."""
    x, rows = torch.tensor([[[[1.0, 2.0]]]]), set()
    for seed in range(10):
        torch.manual_seed(seed)
        rows.add(tuple(random_half_fill(x, (1, 1, 0, 0))[0, 0, 0].tolist()))
    assert rows == {(0, 0, 1, 2), (1, 2, 0, 0)}
