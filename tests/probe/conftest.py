"""A network small enough to compute by hand, and images in memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from borderlab.probe.images import ProbeImages
from borderlab.probe.networks import ProbedNetwork
from borderlab.probe.spec import ProbeSpec
from borderlab.spec import DatasetSpec


class Stack(nn.Module):
    """3x3 convolutions with ReLU, one map of the pyramid behind each; logits are means over the image."""

    def __init__(self, strides: tuple[int, ...] = (1, 1), channels: int = 4, bias: bool = True) -> None:
        super().__init__()
        inputs = [3, *[channels] * (len(strides) - 1)]
        self.layers = nn.ModuleList(
            nn.Conv2d(own, channels, 3, stride=stride, padding=1, bias=bias)
            for own, stride in zip(inputs, strides, strict=True)
        )
        self.head = nn.Linear(channels, 6)

    def forward_intermediates(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        maps = []
        for layer in self.layers:
            x = layer(x).relu()
            maps.append(x)
        return x, maps

    def forward_head(self, x: Tensor) -> Tensor:
        return self.head(x.mean(dim=(2, 3)))


class Memory:
    """Samples in memory."""

    def __init__(self, samples: list[tuple[Any, Any]]) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def load(self, index: int) -> tuple[Any, Any]:
        return self.samples[index]

    def sample_id(self, index: int) -> str:
        return str(index)


@pytest.fixture
def make_network() -> Callable[..., ProbedNetwork]:
    """A maker of probed networks: `make_network(module, **changes)`."""

    def make(module: nn.Module | None = None, **changes: Any) -> ProbedNetwork:
        torch.manual_seed(0)
        values: dict[str, Any] = {
            "name": "streets/stack-zeros-seed0",
            "backbone": "stack",
            "weights": "random",
            "trained_mode": "zeros",
            "seed": 0,
            "task": "classification",
            "module": Stack() if module is None else module,
            "mean": (0.5, 0.4, 0.3),
            "std": (0.2, 0.2, 0.2),
            "class_ids": tuple(range(6)),
            "device": torch.device("cpu"),
        }
        return ProbedNetwork(**(values | changes))

    return make


@pytest.fixture
def make_spec() -> Callable[..., ProbeSpec]:
    """A maker of specifications of probes with short defaults."""

    def make(**changes: Any) -> ProbeSpec:
        values: dict[str, Any] = {
            "dataset": DatasetSpec(key="digits", name="digits", identity="0"),
            "split": "val",
            "runs": {},
            "backbones": (),
            "padding_modes": ("zeros", "partial"),
            "measures": ("cross_test",),
            "n_images": 8,
            "resize": None,
            "size": None,
            "shifts_px": ((0, 4),),
            "batch_size": 3,
            "threads": 1,
        }
        return ProbeSpec(**(values | changes))

    return make


@pytest.fixture
def make_images(make_spec) -> Callable[..., ProbeImages]:
    """A maker of noise images: `make_images(n, height, width, **settings of the probe)`."""

    def make(n: int = 8, height: int = 16, width: int = 20, segments: bool = False, **changes: Any) -> ProbeImages:
        noise = np.random.default_rng(0)
        samples = []
        for index in range(n):
            image = noise.integers(0, 256, (height, width, 3), dtype=np.uint8)
            label = noise.integers(0, 4, (height, width), dtype=np.uint8)
            samples.append((image, label if segments else index % 6))
        return ProbeImages(Memory(samples), make_spec(**changes))

    return make
