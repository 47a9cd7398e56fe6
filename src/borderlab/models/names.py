"""Names of the backbones, readable without importing timm (which takes seconds)."""

from functools import cache
from importlib.resources import files

WHEEL_BACKBONES = ("tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2")
"""Backbones whose ImageNet weights lie inside an installed package."""


OWN_BACKBONES = {"wide_resnet38": (8, 16, 32)}
"""Backbones written here, that timm lacks, and the output strides that they can have."""


@cache
def output_strides(name: str) -> tuple[int, ...]:
    """Output strides that a segmentation network on the backbone `name` can have; empty if it cannot be one.

    Found by building every architecture of the pinned timm (a test builds some of them again).
    """
    return OWN_BACKBONES.get(name) or _timm_strides().get(name, ())


@cache
def _timm_strides() -> dict[str, tuple[int, ...]]:
    text = files("borderlab.models").joinpath("timm_strides.txt").read_text(encoding="utf-8")
    lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {name: tuple(int(stride) for stride in strides) for name, *strides in lines}


@cache
def backbone_names() -> frozenset[str]:
    """Names of all architectures of the pinned timm (a test holds the list in step with it), and of our own."""
    text = files("borderlab.models").joinpath("timm_names.txt").read_text(encoding="utf-8")
    return frozenset(text.split()) | frozenset(OWN_BACKBONES)
