"""Cost of the padding modes beside zero padding.

Run with `pytest tests/benchmarks/test_padding_speed.py --benchmark-enable`. Times are process CPU time of one thread;
variants take turns within each repetition, and a ratio is the median over repetitions of time to time of `zeros`.
`mask_convolution` is the published formulation: the ratio is made in each forward pass by a convolution over a mask
of ones, and applied out of place.
"""

import statistics
import time

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import borderlab.torchvision_compat  # noqa: F401  isort: skip
import timm

from borderlab.padding import set_padding_mode

REPETITIONS = 9
MODES = ("zeros", "reflect", "replicate", "circular", "partial")


class MaskConvolution(nn.Conv2d):
    """Baseline, written from the formula: (Wx - b) * k / (covered + 1e-8) + b with `covered` by a convolution."""

    def forward(self, x):
        with torch.no_grad():
            ones = torch.ones(1, 1, *x.shape[-2:], dtype=x.dtype)
            kernel = torch.ones(1, 1, *self.kernel_size, dtype=x.dtype)
            covered = F.conv2d(ones, kernel, None, self.stride, self.padding, self.dilation)
            ratio = self.kernel_size[0] * self.kernel_size[1] / (covered + 1e-8)
            seen = covered.clamp(0, 1)
            ratio = ratio * seen
        y = super().forward(x)
        if self.bias is None:
            return y * ratio
        bias = self.bias.view(1, -1, 1, 1)
        return ((y - bias) * ratio + bias) * seen


def build(make, variant):
    """The same network with the same weights, padded by `variant`."""
    torch.manual_seed(0)
    network = make()
    if variant != "mask_convolution":
        set_padding_mode(network, variant)
        return network
    for layer in network.modules():
        if type(layer) is nn.Conv2d:
            layer.__class__ = MaskConvolution
    return network


def medians_to_first(variants, repetitions=REPETITIONS):
    """Median over repetitions of each variant's time to that of the first; all take turns."""
    ratios = {name: [] for name in variants}
    for repetition in range(repetitions + 1):
        seconds = {}
        for name, call in variants.items():
            start = time.process_time()
            call()
            seconds[name] = time.process_time() - start
        base = seconds[next(iter(variants))]
        for name, duration in seconds.items() if repetition else ():  # the first round warms up
            ratios[name].append(duration / base)
    return {name: round(statistics.median(values), 3) for name, values in ratios.items()}


CASES = {
    "resnet18": (lambda: timm.create_model("resnet18"), (4, 3, 224, 224)),
    "conv_64_to_64_at_224": (lambda: nn.Sequential(nn.Conv2d(64, 64, 3, padding=1)), (4, 64, 224, 224)),
    "conv_3_to_64_at_224": (lambda: nn.Sequential(nn.Conv2d(3, 64, 3, padding=1)), (4, 3, 224, 224)),
}


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "forward_backward"])
@pytest.mark.parametrize(("make", "shape"), CASES.values(), ids=CASES)
def test_padding_speed(benchmark, make, shape, backward):
    if benchmark.disabled:
        shape = (2, shape[1], 64, 64)
    torch.set_num_threads(1)
    networks = {variant: build(make, variant) for variant in (*MODES, "mask_convolution")}
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))

    def step(network):
        with torch.set_grad_enabled(backward):
            y = network(x)
        if backward:
            y.sum().backward()
        return y.detach()

    calls = {variant: lambda network=network: step(network) for variant, network in networks.items()}
    outputs = [calls[variant]() for variant in ("partial", "mask_convolution")]
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-3 * outputs[0].abs().max().item())
    benchmark.extra_info["ratio_to_zeros"] = medians_to_first(calls, 1 if benchmark.disabled else REPETITIONS)
    benchmark.pedantic(calls["partial"], rounds=3, warmup_rounds=1)
