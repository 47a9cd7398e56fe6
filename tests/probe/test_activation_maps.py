"""Pictures of activations: one scale for all modes, cells as blocks."""

import numpy as np
import torch

from borderlab.probe.activation_maps import (
    WIDTH_PX,
    activation_pictures,
    coloured,
    common_scale,
    frame_picture,
    magnitude,
)


def test_magnitude_is_the_mean_over_channels_without_signs() -> None:
    own = torch.tensor([[[[1.0, -2.0]], [[-3.0, 4.0]]]])
    assert magnitude(own).tolist() == [[2.0, 3.0]]


def test_equal_values_have_equal_colours_in_every_mode() -> None:
    low, high = torch.ones(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    high[:, :, :, 4:] = 5.0
    pictures = activation_pictures({"zeros": [low], "partial": [high]})
    assert set(pictures) == {("zeros", 1), ("partial", 1)}
    assert np.array_equal(pictures["zeros", 1][0, 0], pictures["partial", 1][0, 0])
    assert pictures["partial", 1][0, -1].sum() > pictures["partial", 1][0, 0].sum()
    assert pictures["zeros", 1].shape == (WIDTH_PX, WIDTH_PX, 3)


def test_small_maps_are_left_out() -> None:
    maps = [torch.ones(1, 1, 8, 8), torch.ones(1, 1, 3, 3)]
    assert set(activation_pictures({"zeros": maps})) == {("zeros", 1)}


def test_one_bright_cell_does_not_set_the_scale() -> None:
    picture = np.ones((40, 40))
    picture[0, 0] = 1000.0
    assert common_scale([picture]) == 1.0


def test_a_map_of_zeros_is_black() -> None:
    assert len(np.unique(coloured(np.zeros((4, 6)), 0.0).reshape(-1, 3), axis=0)) == 1


def test_the_frame_keeps_its_shape() -> None:
    assert frame_picture(torch.zeros(96, 128, 3, dtype=torch.uint8)).shape == (150, WIDTH_PX, 3)
