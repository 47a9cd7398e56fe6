"""Names of the backbones, readable without importing timm (which takes seconds)."""

from functools import cache
from importlib.resources import files

WHEEL_BACKBONES = ("tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2")
"""Backbones whose ImageNet weights lie inside an installed package."""


@cache
def backbone_names() -> frozenset[str]:
    """Names of all architectures of the pinned timm (a test holds the list in step with timm itself)."""
    text = files("borderlab.models").joinpath("timm_names.txt").read_text(encoding="utf-8")
    return frozenset(text.split())
