"""The warp that training differentiates is the one that propagation applies, and each term of the loss by hand."""

import numpy as np
import pytest
import torch

from borderlab.motion.learned.loss import PhotometricLoss, warp
from borderlab.motion.learned.spec import MotionRecipeSpec
from borderlab.propagation.warp import sampling_map, warp_image


def loss(colour=0.0, gradient=0.0, smoothness=0.0):
    weights = {"colour_weight": colour, "gradient_weight": gradient, "smoothness_weight": smoothness}
    return PhotometricLoss(MotionRecipeSpec(**weights))


def frames(source, real):
    """Source and real frame (1 6 h w) of grey pictures (h w) in 0..255."""
    return torch.tensor(np.stack([source] * 3 + [real] * 3)[None], dtype=torch.uint8)


def test_warp_is_the_warp_of_propagation():
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    flow = random.normal(0, 6, (2, 40, 50)).astype(np.float32)  # beyond the border too
    expected = warp_image(image, *sampling_map(flow))
    found = warp(torch.tensor(image).permute(2, 0, 1)[None].float(), torch.tensor(flow)[None])[0]
    np.testing.assert_allclose(found.permute(1, 2, 0).numpy(), expected, atol=0.51)


def test_colour_is_the_mean_difference_of_pictures_in_0_to_1():
    source, real = np.full((4, 5), 51), np.full((4, 5), 102)
    assert loss(colour=2.0)(torch.zeros(1, 2, 4, 5), frames(source, real), 0.0).item() == pytest.approx(2 * 51 / 255)


def test_gradient_forgives_a_change_of_brightness_and_nothing_else():
    ramp = np.tile(np.arange(5) * 51, (4, 1))
    still = torch.zeros(1, 2, 4, 5)
    assert loss(gradient=1.0)(still, frames(ramp // 2 * 2, ramp // 2 * 2), 0.0).item() == 0
    brighter = np.tile(np.arange(5) * 25 + 50, (4, 1))
    flat = np.full((4, 5), 50)
    assert loss(gradient=1.0)(still, frames(np.tile(np.arange(5) * 25, (4, 1)), brighter), 0.0).item() < 1e-6
    # Columns differ by 25 in the source and by 0 in the real frame; rows do not differ at all.
    assert loss(gradient=1.0)(still, frames(brighter, flat), 0.0).item() == pytest.approx(25 / 255)


def test_smoothness_is_in_pixels_and_weaker_across_edges():
    flow = torch.zeros(1, 2, 4, 6)
    flow[:, 0, :, 3:] = 7.0  # a jump of u between columns 2 and 3
    flat, edge = np.full((4, 6), 100), np.tile([0, 0, 0, 51, 51, 51], (4, 1))
    # One of five steps along x, in one of two components.
    assert loss(smoothness=1.0)(flow, frames(flat, flat), 0.0).item() == pytest.approx(7 / 5 / 2)
    across = 7 / 5 / 2 * np.exp(-10 * 51 / 255)
    assert loss(smoothness=1.0)(flow, frames(flat, edge), 0.0).item() == pytest.approx(across, rel=1e-4)


def test_descending_the_loss_finds_the_shift():
    x = np.arange(60)
    wave = np.tile(120 + 80 * np.sin(x / 6), (20, 1))
    shifted = np.tile(120 + 80 * np.sin((x + 2) / 6), (20, 1))  # real(x) = source(x + 2)
    flow = torch.zeros(2, requires_grad=True)
    measure = loss(colour=1.0, gradient=1.0, smoothness=0.02)
    for _ in range(60):
        value = measure(flow[None, :, None, None].expand(1, 2, 20, 60), frames(wave, shifted), 0.0)
        (slope,) = torch.autograd.grad(value, flow)
        flow = (flow - 0.05 * slope.sign()).detach().requires_grad_()
    assert flow.tolist() == pytest.approx([2.0, 0.0], abs=0.2)
