"""The U-Net: channels, sizes, and what an untrained one gives."""

import pytest
import torch
from tests.motion.learned_models import KINDS, model_spec
from torch import nn

from borderlab.motion.learned.model import create_network
from borderlab.motion.learned.network import FlowUNet


def shown(n_channels, size=(70, 90), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 255 * torch.rand(2, n_channels, *size, generator=generator)


@pytest.mark.parametrize(("kind", "n_channels"), [("prediction", 8), ("reconstruction", 13)])
def test_channels_and_layers_are_those_of_the_paper(kind, n_channels):
    network = create_network(model_spec(kind))
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert (layers[0].in_channels, layers[-1].out_channels) == (n_channels, 2)
    assert len(layers) == 10
    assert sum(isinstance(module, nn.ConvTranspose2d) for module in network.modules()) == 6


@pytest.mark.parametrize("size", [(64, 64), (1, 65), (70, 90)])
def test_flow_has_the_size_of_the_frames(size):
    assert FlowUNet(2, 2, residual=False)(shown(8, size)).shape == (2, 2, *size)


@pytest.mark.parametrize("kind", KINDS)
def test_an_untrained_residual_network_gives_the_last_flow_shown(kind):
    network = create_network(model_spec(kind))
    frames = shown(8 if kind == "prediction" else 13)
    torch.testing.assert_close(network(frames), frames[:, -2:], rtol=0, atol=0)


def test_the_published_output_is_three_sigma_times_the_last_layer_plus_mu():
    network = FlowUNet(2, 2, residual=False)
    network.flow_mean.copy_(torch.tensor([5.0, -7.0]))
    network.flow_std.copy_(torch.tensor([2.0, 4.0]))
    nn.init.zeros_(network.head.weight)
    network.head.bias.data = torch.tensor([1.0, 0.5])
    flow = network(shown(8))
    torch.testing.assert_close(flow[0, :, 3, 3], torch.tensor([3 * 2 * 1.0 + 5, 3 * 4 * 0.5 - 7]))
    assert flow.std(dim=(0, 2, 3)).max() == 0


def test_the_scale_of_flow_reaches_the_first_layer():
    torch.manual_seed(0)
    network = FlowUNet(2, 2, residual=False)
    frames = shown(8)
    first = network(frames)
    scaled = frames.clone()
    scaled[:, 6:] = 10 * frames[:, 6:] + 3
    network.flow_mean.fill_(3.0)
    network.flow_std.fill_(10.0)
    torch.testing.assert_close((network(scaled) - 3) / 10, first, rtol=1e-3, atol=1e-4)


def test_samples_of_a_batch_do_not_touch_each_other():
    torch.manual_seed(0)
    network = FlowUNet(3, 2, residual=False)
    frames = shown(13)
    alone = torch.cat([network(frames[:1]), network(frames[1:])])
    torch.testing.assert_close(network(frames), alone, rtol=1e-4, atol=1e-5)


def test_the_seed_decides_the_first_weights_and_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, two, three = (create_network(model_spec(seed=seed)).down[0][0].weight for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(one, two)
    assert not torch.equal(one, three)
