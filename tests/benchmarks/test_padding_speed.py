"""Cost of the padding modes beside zero padding.

    BORDERLAB_CHECK_SHAPES=0 pytest tests/benchmarks/test_padding_speed.py --benchmark-enable \\
        --benchmark-json=padding.json
    python -m tests.benchmarks.padding_table padding.json

Process CPU time of one thread, NCHW, float32; the modes take turns on one and the same network, and a figure is the
median over repetitions of time to time of `zeros`. The floors stand for glibc's own settings, with which every large
tensor is mapped afresh. With MALLOC_MMAP_THRESHOLD_, MALLOC_TRIM_THRESHOLD_ and MALLOC_TOP_PAD_ in the gigabytes the
page faults disappear, single convolutions become several times faster, and what padding adds weighs more. GPUs:
`test_padding_speed_gpu.py`.
"""

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import torch
from tests.benchmarks.padding_arms import ARMS, MASK_CONVOLUTION, pad_by
from tests.benchmarks.timing import cpu_seconds, ratios_in_turn
from torch import Tensor, nn

import borderlab.torchvision_compat  # noqa: F401  isort: skip
import timm

from borderlab.padding import set_padding_mode
from borderlab.padding.names import PADDING_MODE_NAMES

LATER_ARMS = ("zeros", *(mode for mode in PADDING_MODE_NAMES if mode not in ARMS))


def layer(*args: int, **kwargs: int | bool) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Conv2d(*args, **kwargs))


def timm_network(name: str) -> Callable[[], nn.Module]:
    return lambda: timm.create_model(name)


@dataclass(frozen=True)
class Case:
    """What is timed, and the floors of partial padding's ratio; None where none is set."""

    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    forward_floor: float | None
    both_floor: float | None
    repetitions: int = 7


CASES = {
    "resnet18": Case(timm_network("resnet18"), (4, 3, 224, 224), 1.03, 1.03),
    "resnet50": Case(timm_network("resnet50"), (2, 3, 224, 224), 1.03, 1.03),
    "convnext_tiny": Case(timm_network("convnext_tiny"), (2, 3, 224, 224), 1.03, 1.03),
    "mobilenetv3_large_100": Case(timm_network("mobilenetv3_large_100"), (4, 3, 224, 224), 1.05, 1.05),
    "tf_efficientnet_lite0": Case(timm_network("tf_efficientnet_lite0"), (4, 3, 224, 224), 1.05, 1.05),
    "vgg16_bn": Case(timm_network("vgg16_bn"), (1, 3, 224, 224), 1.03, 1.04, 5),
    "conv 64 to 64, 3x3, 224 px": Case(layer(64, 64, 3, padding=1), (4, 64, 224, 224), 1.06, 1.08, 11),
    "conv 3 to 64, 3x3, 224 px": Case(layer(3, 64, 3, padding=1), (4, 3, 224, 224), 1.12, 1.25, 11),
    "stem 7x7 stride 2, 224 px": Case(
        layer(3, 64, 7, stride=2, padding=3, bias=False), (8, 3, 224, 224), 1.06, None, 11
    ),
}
SMALL = {"conv 64 to 64, 3x3, 224 px", "conv 3 to 64, 3x3, 224 px", "stem 7x7 stride 2, 224 px"}


def one_step(network: nn.Module, x: Tensor, backward: bool) -> Tensor:
    with torch.set_grad_enabled(backward):
        y = network(x)
    if backward:
        y.sum().backward()
    return y.detach()


@contextmanager
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def input_of(case: Case, tiny: bool) -> Tensor:
    shape = (2, case.shape[1], 64, 64) if tiny else case.shape
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def arms_in_turn(network: nn.Module, arms: tuple[str, ...], step: Callable[[], Tensor], repetitions: int) -> dict:
    """Ratios of all arms on one network; each is converted before its turn, outside of its time."""

    def clock(arm: str) -> float:
        pad_by(network, arm)
        return cpu_seconds(step)

    return ratios_in_turn({arm: lambda arm=arm: clock(arm) for arm in arms}, repetitions)


def check_same_result(network: nn.Module, x: Tensor) -> None:
    """The baseline computes what partial padding computes: else its time says nothing."""
    with torch.no_grad():
        ours, published = (pad_by(network, arm)(x) for arm in ("partial", MASK_CONVOLUTION))
    torch.testing.assert_close(ours, published, rtol=0, atol=1e-3 * ours.abs().max().item())


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "forward_backward"])
@pytest.mark.parametrize("name", CASES)
def test_padding_speed(benchmark, name, backward):
    case = CASES[name]
    if benchmark.disabled and name not in SMALL:
        pytest.skip("networks run with --benchmark-enable alone")
    network, x = case.make(), input_of(case, tiny=benchmark.disabled)
    with one_thread():
        check_same_result(network, x)
        step = lambda: one_step(network, x, backward)  # noqa: E731
        ratios = arms_in_turn(network, ARMS, step, 1 if benchmark.disabled else case.repetitions)
        floor = case.both_floor if backward else case.forward_floor
        benchmark.extra_info.update(case=name, backward=backward, ratio_to_zeros=ratios, floor=floor, shape=case.shape)
        pad_by(network, "partial")
        benchmark.pedantic(step, rounds=1)


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "forward_backward"])
def test_later_schemes_speed(benchmark, backward):
    name = "conv 64 to 64, 3x3, 224 px"
    network, x = CASES[name].make(), input_of(CASES[name], tiny=benchmark.disabled)
    with one_thread():
        step = lambda: one_step(network, x, backward)  # noqa: E731
        ratios = arms_in_turn(network, LATER_ARMS, step, 1 if benchmark.disabled else 5)
        benchmark.extra_info.update(case=f"{name}, later schemes", backward=backward, ratio_to_zeros=ratios)
        benchmark.pedantic(step, rounds=1)


def test_alternating_sizes_speed(benchmark):
    """A ratio that is remembered by size must not make a change of sizes expensive."""
    network = timm.create_model("resnet18").eval()
    sizes = (64, 96) if benchmark.disabled else (192, 224)
    images = [torch.randn(1, 3, size, size) for size in sizes]

    def step() -> Tensor:
        with torch.no_grad():
            return [network(image) for image in images][-1]

    with one_thread():
        ratios = arms_in_turn(network, ARMS[:3], step, 1 if benchmark.disabled else 15)
        benchmark.extra_info.update(case="resnet18, two sizes in turn", backward=False, floor=1.02)
        benchmark.extra_info.update(ratio_to_zeros=ratios)
        benchmark.pedantic(step, rounds=1)


def test_folded_speed(benchmark):
    """At inference, with batch norm folded into the convolutions, the ratio stays on the convolution."""
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    network = timm.create_model("resnet50" if not benchmark.disabled else "resnet18").eval()
    pad_by(network, "zeros")
    for module in list(network.modules()):
        for convolution, norm in (("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3")):
            if hasattr(module, convolution):
                fused = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm))
                setattr(module, convolution, fused)
                # timm's own norm layer carries the activation, which stays.
                setattr(module, norm, nn.Sequential(*getattr(module, norm).children()))
    x = torch.randn(2, 3, *((64, 64) if benchmark.disabled else (224, 224)))

    def step() -> Tensor:
        with torch.no_grad():
            return network(x)

    with one_thread():
        ratios = arms_in_turn(network, ARMS[:3], step, 1 if benchmark.disabled else 7)
        benchmark.extra_info.update(case="resnet50, batch norm folded", backward=False, floor=1.03)
        benchmark.extra_info.update(ratio_to_zeros=ratios)
        benchmark.pedantic(step, rounds=1)


def test_compiled_speed(benchmark):
    if benchmark.disabled:
        pytest.skip("compiling takes a minute: with --benchmark-enable alone")
    x = torch.randn(4, 3, 224, 224)
    with one_thread(), torch.no_grad():
        clocks = {}
        for arm in ARMS[:3]:
            network = torch.compile(pad_by(timm.create_model("resnet18").eval(), arm), fullgraph=True)
            clocks[arm] = lambda network=network: cpu_seconds(lambda: network(x))
        ratios = ratios_in_turn(clocks, 9)
        benchmark.extra_info.update(case="resnet18, compiled", backward=False, floor=1.02, ratio_to_zeros=ratios)
        benchmark.pedantic(clocks["partial"], rounds=1)


def test_conversion_speed(benchmark):
    network = timm.create_model("resnet152" if not benchmark.disabled else "resnet18")
    arms = iter(["partial", "zeros"] * 1000)
    benchmark.extra_info.update(case="conversion of resnet152", floor_s=0.2)
    benchmark(lambda: set_padding_mode(network, next(arms)))


POINTWISE = ("aten::mul", "aten::mul_", "aten::lerp", "aten::lerp_", "aten::add", "aten::add_", "aten::sub")


@pytest.mark.parametrize(("name", "floor_pct"), [("resnet50", 1.0), ("mobilenetv3_large_100", 2.0), ("vgg16_bn", 2.0)])
def test_extra_pointwise_operators(benchmark, name, floor_pct):
    """Share of the forward pass that goes into what partial padding adds, by the profiler: finer than a ratio of times.

    Arithmetic of the network's own is subtracted by profiling it with zeros.
    """
    if benchmark.disabled:
        pytest.skip("large networks run with --benchmark-enable alone")
    network, x = timm.create_model(name).eval(), torch.randn(1, 3, 224, 224)

    def profiled(arm: str) -> tuple[float, float]:
        """Microseconds of pointwise operators, and of all."""
        pad_by(network, arm)
        with torch.no_grad(), torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            network(x)
        events = profile.key_averages()
        pointwise = sum(event.self_cpu_time_total for event in events if event.key in POINTWISE)
        return pointwise, sum(event.self_cpu_time_total for event in events)

    shares: dict[str, list[float]] = {arm: [] for arm in ("partial", MASK_CONVOLUTION)}
    with one_thread():
        for repetition in range(8):
            zeros, total = profiled("zeros")
            for arm in shares if repetition else ():
                shares[arm].append(100 * (profiled(arm)[0] - zeros) / total)
    medians = {arm: round(statistics.median(values), 2) for arm, values in shares.items()}
    benchmark.extra_info.update(case=f"{name}, extra pointwise operators", floor_pct=floor_pct, share_pct=medians)
    benchmark.pedantic(lambda: profiled("partial"), rounds=1)
