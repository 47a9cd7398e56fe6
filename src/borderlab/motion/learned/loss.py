"""Self-supervised loss: how far the source frame, warped along the flow, is from the real frame.

    colour        mean |warped - real|
    gradient      mean |difference of neighbours in warped - the same in real|
    smoothness    mean |difference of neighbours in flow| * exp(-10 |difference of neighbours in real|)

Colours are in 0..1, flow in pixels. The facts known of the paper leave its loss open: the three terms are standard in
unsupervised optical flow, and their weights are settings.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from borderlab.motion.learned.spec import MotionRecipeSpec

EDGE_SHARPNESS = 10.0


def warp(source: Float[Tensor, "n c h w"], flow: Float[Tensor, "n 2 h w"]) -> Float[Tensor, "n c h w"]:
    """Bilinear samples of `source` at each pixel plus `flow`; positions outside take the nearest border pixel."""
    height, width = flow.shape[2:]
    columns = flow[:, 0] + torch.arange(width, device=flow.device)
    rows = flow[:, 1] + torch.arange(height, device=flow.device)[:, None]
    # Pixel centres at whole numbers: -1 and 1 are the centres of the first and last pixel.
    grid = torch.stack([2 * columns / max(width - 1, 1) - 1, 2 * rows / max(height - 1, 1) - 1], dim=3)
    return F.grid_sample(source, grid, mode="bilinear", padding_mode="border", align_corners=True)


class PhotometricLoss:
    """The weighted sum of the three terms, as the training loop calls it."""

    def __init__(self, recipe: MotionRecipeSpec) -> None:
        self.recipe = recipe

    def __call__(self, flow: Float[Tensor, "n 2 h w"], frames: Tensor, progress: float) -> Float[Tensor, ""]:
        """Mean over pixels and samples.

        Args:
            flow: flow from the real frame to the source, in pixels.
            frames: source and real frame (n 6 h w), in 0..255.
            progress: not used.
        """
        source, real = (frames.float() / 255).split(3, dim=1)
        warped = warp(source, flow)
        colour = (warped - real).abs().mean()
        total = self.recipe.colour_weight * colour
        for axis in (2, 3):
            edges = real.diff(dim=axis)
            total = total + self.recipe.gradient_weight * (warped.diff(dim=axis) - edges).abs().mean()
            smooth = torch.exp(-EDGE_SHARPNESS * edges.abs().mean(dim=1, keepdim=True))
            total = total + self.recipe.smoothness_weight * (flow.diff(dim=axis).abs() * smooth).mean()
        return total
