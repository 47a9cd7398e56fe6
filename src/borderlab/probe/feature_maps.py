"""A network's feature pyramid and its logits, from one forward pass."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from borderlab.errors import RunError
from borderlab.models.deeplab import DeepLabV3Plus


@dataclass(frozen=True)
class Activations:
    """Maps of the pyramid (n c h w), the shallowest first, and logits (n k), or (n k h w) of a segmentation."""

    maps: Sequence[Tensor]
    logits: Tensor


@torch.no_grad()
def activations(module: nn.Module, images: Float[Tensor, "n 3 h w"]) -> Activations:
    """What `module` computes for normalised images; a map stands where timm says that a stage ends.

    Raises:
        RunError: if timm gives this architecture no pyramid.
    """
    module.eval()
    if isinstance(module, DeepLabV3Plus):
        return _segmenter_activations(module, images)
    if not hasattr(module, "forward_intermediates"):
        raise RunError(f"{type(module).__name__}: timm has no feature pyramid for it; probe another backbone")
    last, maps = module.forward_intermediates(images)  # type: ignore[operator]
    return Activations(maps, module.forward_head(last))  # type: ignore[operator]


def _segmenter_activations(module: DeepLabV3Plus, images: Tensor) -> Activations:
    seen: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, outputs: Sequence[Tensor]) -> None:
        seen.extend(outputs)

    hook = module.backbone.register_forward_hook(keep)
    try:
        logits = module(images)
    finally:
        hook.remove()
    return Activations(seen, logits)


def side_ratio(image_side: int, map_side: int) -> int:
    """Pixels of the image for each cell of a map, as a power of two: layers that halve an odd side round it up.

    Some round down; then it is the power of two that is nearest to the quotient.
    """
    halvings = [1 << power for power in range(image_side.bit_length() + 1)]
    whole = (ratio for ratio in halvings if math.ceil(image_side / ratio) == map_side)
    return next(whole, 1 << round(math.log2(image_side / map_side)))
