"""Cost of the padding modes on a GPU: training steps in bfloat16 and channels-last layout, eager and compiled.

    make gpu-check OUT=folder      this and the other checks that need a GPU, within ten minutes
    BORDERLAB_CHECK_SHAPES=0 pytest tests/benchmarks/test_padding_speed_gpu.py --benchmark-enable

The modes take turns on one and the same network; a figure is the median over repetitions of the time between two
events on the GPU, divided by that of `zeros`. cuDNN may look for its fastest algorithm, as it may in ordinary
training. Without a GPU the measurement is skipped, and says so; the same steps run on the CPU on small images then, so
that they are known to work, and their times mean nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import torch
from tests.benchmarks.padding_arms import ARMS, pad_by
from tests.benchmarks.timing import cpu_seconds, gpu_seconds, ratios_in_turn
from torch import Tensor, nn

import borderlab.torchvision_compat  # noqa: F401  isort: skip
import timm

import borderlab.padding.partial as partial_module

# What matters most comes first, should time run out.
NETWORKS = ("resnet18", "vgg16_bn", "resnet50", "mobilenetv3_large_100", "convnext_tiny")
# Compiling takes half a minute for each arm and network.
COMPILED_NETWORKS = ("resnet18", "resnet50")
STAND_IN = "test_resnet"
EAGER_FLOOR, COMPILED_FLOOR = 1.05, 1.02
# Partial padding as it is on a CPU: the bias within the convolution, the ratio in a pass of its own.
PARTIAL_ITS_OTHER_WAY = "partial, bias in the convolution"
LAYERS = {
    "conv 64 to 64, 3x3, 224 px": (lambda: nn.Conv2d(64, 64, 3, padding=1), 64),
    "stem 7x7 stride 2, 224 px": (lambda: nn.Conv2d(3, 64, 7, 2, 3, bias=False), 3),
}


@dataclass(frozen=True)
class Accelerator:
    """Where the steps run, what tells their time, and how much they do."""

    device: str
    seconds: Callable[[Callable[[], object]], float]
    batch: int
    size: int
    steps: int
    repetitions: int

    @property
    def name(self) -> str:
        """What the figures belong to."""
        return torch.cuda.get_device_name() if self.device == "cuda" else "CPU, as a stand-in"


@pytest.fixture
def accelerator(benchmark) -> Accelerator:
    """The GPU; a CPU stands in for it while nothing is measured."""
    if torch.cuda.is_available():
        if benchmark.disabled:
            return Accelerator("cuda", gpu_seconds, 4, 128, 1, 1)
        return Accelerator("cuda", gpu_seconds, 128, 224, 3, 9)
    if not benchmark.disabled:
        pytest.skip("NOT MEASURED: torch sees no GPU here; `make gpu-check` on a machine that has one")
    return Accelerator("cpu", cpu_seconds, 1, 128, 1, 1)


@contextmanager
def as_in_training() -> Iterator[None]:
    """CuDNN chooses by trying."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    yield
    torch.backends.cudnn.benchmark = before


def step(network: nn.Module, x: Tensor) -> None:
    x.grad = None
    # The CPU that stands in may have no instructions for it, and would take minutes.
    with torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda):
        y = network(x)
    y.float().sum().backward()


def clock_of(network: nn.Module, x: Tensor, accelerator: Accelerator) -> Callable[[], float]:
    """A few steps, because a single one would be told by the launch of its first kernels."""
    return lambda: accelerator.seconds(lambda: [step(network, x) for _ in range(accelerator.steps)])


def in_turn(network: nn.Module, x: Tensor, arms: tuple[str, ...], accelerator: Accelerator) -> dict:
    """Ratios of all arms on one network; each is converted before its turn, outside of its time."""
    clock = clock_of(network, x, accelerator)

    def timed(arm: str) -> float:
        apart = partial_module._BIAS_ADDED_APART
        try:
            if arm == PARTIAL_ITS_OTHER_WAY:
                partial_module._BIAS_ADDED_APART = frozenset()
            pad_by(network, "partial" if arm == PARTIAL_ITS_OTHER_WAY else arm)
            return clock()
        finally:
            partial_module._BIAS_ADDED_APART = apart

    with as_in_training():
        return ratios_in_turn({arm: lambda arm=arm: timed(arm) for arm in arms}, accelerator.repetitions)


def images(accelerator: Accelerator, channels: int = 3) -> Tensor:
    shape = (accelerator.batch, channels, accelerator.size, accelerator.size)
    return torch.randn(shape, device=accelerator.device).to(memory_format=torch.channels_last)


def note(benchmark, case: str, accelerator: Accelerator, ratios: dict, floor: float | None) -> None:
    """Keep what was found, and fail above the floor once all of it is kept."""
    benchmark.extra_info.update(
        case=f"{case}, {accelerator.name}, bfloat16", backward=True, floor=floor, ratio_to_zeros=ratios
    )
    if floor is not None and not benchmark.disabled:
        assert ratios["partial"]["median"] <= floor, benchmark.extra_info


@pytest.mark.benchmark(group="padding on a GPU")
@pytest.mark.parametrize("name", NETWORKS)
def test_network_on_a_gpu(benchmark, accelerator, name):
    if benchmark.disabled and name != NETWORKS[0]:
        pytest.skip("one small network stands for all while nothing is measured")
    made = timm.create_model(STAND_IN if benchmark.disabled else name)
    network = made.to(accelerator.device, memory_format=torch.channels_last)
    x = images(accelerator)
    # Only convolutions with a bias have two ways.
    arms = (*ARMS, PARTIAL_ITS_OTHER_WAY) if name in {"vgg16_bn", "convnext_tiny"} else ARMS
    ratios = in_turn(network, x, arms, accelerator)
    benchmark.pedantic(lambda: step(pad_by(network, "partial"), x), rounds=1)
    note(benchmark, f"{name}, eager", accelerator, ratios, EAGER_FLOOR)


@pytest.mark.benchmark(group="padding on a GPU")
@pytest.mark.parametrize("name", LAYERS)
def test_layer_on_a_gpu(benchmark, accelerator, name):
    """No floor: a convolution alone hides nothing of a pass over its output; what networks take is above."""
    make, channels = LAYERS[name]
    network = nn.Sequential(make()).to(accelerator.device, memory_format=torch.channels_last)
    x = images(accelerator, channels)
    if channels > 3:
        # As within a network: what pads gets bfloat16, and has a gradient to give back.
        x = (x.bfloat16() if x.is_cuda else x).requires_grad_()
    ratios = in_turn(network, x, (*ARMS, PARTIAL_ITS_OTHER_WAY), accelerator)
    benchmark.pedantic(lambda: step(pad_by(network, "partial"), x), rounds=1)
    note(benchmark, f"{name}, eager", accelerator, ratios, None)


@pytest.mark.benchmark(group="padding on a GPU")
@pytest.mark.parametrize("arms", [ARMS[:2], ARMS], ids=["two_arms", "all_arms"])
@pytest.mark.parametrize("name", COMPILED_NETWORKS)
def test_compiled_network_on_a_gpu(benchmark, accelerator, name, arms):
    if benchmark.disabled:
        pytest.skip("compiling takes minutes: with --benchmark-enable alone")
    x, clocks = images(accelerator), {}
    for arm in arms:
        network = pad_by(timm.create_model(name), arm).to(accelerator.device, memory_format=torch.channels_last)
        clocks[arm] = clock_of(torch.compile(network), x, accelerator)
    with as_in_training():
        ratios = ratios_in_turn(clocks, accelerator.repetitions)
        benchmark.pedantic(clocks["partial"], rounds=1)
    note(benchmark, f"{name}, compiled", accelerator, ratios, COMPILED_FLOOR)
