import pytest
import torch
from torch import nn

import borderlab.torchvision_compat  # noqa: F401  isort: skip
from timm.layers.blur_pool import BlurPool2d
from timm.layers.cond_conv2d import CondConv2d
from timm.layers.halo_attn import HaloAttn
from timm.layers.median_pool import MedianPool2d
from timm.layers.pool2d_same import AvgPool2dSame, MaxPool2dSame

from borderlab.padding.census import own_padding

PADS = {
    "max_pool": (nn.MaxPool2d(3, 2, 1), "-inf"),
    "max_pool_1d": (nn.MaxPool1d(3, 2, 1), "-inf"),
    "average_pool": (nn.AvgPool2d(3, 2, 1), "averages over padded zeros"),
    "zero_pad": (nn.ZeroPad2d((0, 1, 0, 1)), "constant"),
    "constant_pad": (nn.ConstantPad2d(1, 2.0), "constant"),
    "reflection_pad": (nn.ReflectionPad2d(1), "reflection"),
    "replication_pad": (nn.ReplicationPad3d(1), "replication"),
    "circular_pad": (nn.CircularPad2d(1), "circularly"),
    "conv_1d": (nn.Conv1d(1, 1, 3, padding=1), "two-dimensional"),
    "conv_1d_same": (nn.Conv1d(1, 1, 3, padding="same"), "two-dimensional"),
    "conv_3d": (nn.Conv3d(1, 1, 3, padding=1), "two-dimensional"),
    "transposed": (nn.ConvTranspose2d(1, 1, 3, 2, 1), "transposed"),
    "unfold": (nn.Unfold(3, padding=1), "unfolds"),
    "max_pool_same": (MaxPool2dSame(3, 2), "-inf"),
    "average_pool_same": (AvgPool2dSame(3, 2, count_include_pad=False), "averages over padded zeros"),
    "blur_pool": (BlurPool2d(4), "own forward"),
    "conditional": (CondConv2d(4, 4, 3, num_experts=2), "kernel from its input"),
    "conditional_same": (CondConv2d(4, 4, 3, stride=2, padding="same", num_experts=2), "kernel from its input"),
    "halo": (HaloAttn(16, block_size=4, halo_size=1), "keys and values"),
    "median_pool": (MedianPool2d(3, 1, 1), "reflection"),
}
DOES_NOT_PAD = {
    "max_pool": nn.MaxPool2d(3, 2),
    "max_pool_same_of_one": MaxPool2dSame(1, 2),
    "average_of_image_alone": nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    "crop": nn.ZeroPad2d((0, -1, 0, -1)),
    "conv_1d": nn.Conv1d(1, 1, 3),
    "conv_1d_valid": nn.Conv1d(1, 1, 3, padding="valid"),
    "conv_1d_of_one": nn.Conv1d(1, 1, 1, padding="same"),
    "tiles": nn.ConvTranspose2d(1, 1, 2, 2),
    "conditional_of_one": CondConv2d(4, 4, 1, num_experts=2),
    "linear": nn.Linear(2, 2),
}


@pytest.mark.parametrize(("module", "reason"), PADS.values(), ids=PADS)
def test_padding_is_found(module, reason):
    assert reason in own_padding(module)


@pytest.mark.parametrize("module", DOES_NOT_PAD.values(), ids=DOES_NOT_PAD)
def test_nothing_is_found_where_nothing_pads(module):
    assert own_padding(module) is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted_modules_are_out_of_reach():
    assert "TorchScript" in own_padding(torch.jit.script(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1))))
