"""The network: ten convolutions and six transposed ones as a U, from frames and flows to one flow.

Source: Zhu et al. 2019 and its published code give the count of layers, LeakyReLU with slope 0.1, and the output
3 sigma x + mu. Kernels, widths and where the three convolutions of stride 1 stand are our choice.

Differs from the reference: by default the output is added to the flow that the network is shown last, so that an
untrained network is as good as that flow; `residual=False` gives the published form. sigma and mu are the standard
deviation and mean of the shown flows on the training frames.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

WIDTHS = (1, 2, 4, 8, 8, 8)
# Levels with a second convolution, counted from the shallowest.
DEEPENED = (2, 3, 4)
STRIDE = 2 ** len(WIDTHS)
SLOPE = 0.1
SIGMAS = 3.0


class FlowUNet(nn.Module):
    """Frames and flows in, flow in pixels out, at the frames' size.

    Args:
        n_frames: frames that it is shown; flows are one fewer.
        width: channels of the shallowest level.
        residual: whether the output is added to the last flow shown.
    """

    flow_mean: Tensor
    flow_std: Tensor

    def __init__(self, n_frames: int, width: int, *, residual: bool = True) -> None:
        super().__init__()
        self.n_frames, self.residual = n_frames, residual
        n_inputs = 3 * n_frames + 2 * (n_frames - 1)
        widths = [width * factor for factor in WIDTHS]
        self.down = nn.ModuleList(
            _down(before, after, deepened=level in DEEPENED)
            for level, (before, after) in enumerate(zip([n_inputs, *widths], widths, strict=False))
        )
        # Upwards, each level joins what came down at its size; at full size that is the input itself.
        rising = [*reversed(widths[:-1]), width]
        joined = [0, *reversed(widths[:-1])]
        self.up = nn.ModuleList(
            _up(before + beside, after)
            for before, beside, after in zip([widths[-1], *rising], joined, rising, strict=False)
        )
        self.head = nn.Conv2d(width + n_inputs, 2, 3, padding=1)
        if residual:
            nn.init.zeros_(self.head.weight)
            nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        self.register_buffer("flow_mean", torch.zeros(2))
        self.register_buffer("flow_std", torch.ones(2))

    def forward(self, shown: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 2 h w"]:
        """Flow (n 2 h w), in pixels.

        Args:
            shown: frames in 0..255, then flows in pixels, as `borderlab.motion.learned.view` orders them.
        """
        height, width = shown.shape[2:]
        scaled = self._scaled(F.pad(shown, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate"))
        levels = [scaled]
        for down in self.down:
            levels.append(down(levels[-1]))
        rising = levels.pop()
        for up in self.up:
            rising = torch.cat([up(rising), levels.pop()], dim=1)
        change = SIGMAS * self.flow_std[:, None, None] * self.head(rising)[..., :height, :width]
        return change + (shown[:, -2:] if self.residual else self.flow_mean[:, None, None])

    def _scaled(self, shown: Tensor) -> Tensor:
        n_colours = 3 * self.n_frames
        mean, std = (values.repeat(self.n_frames - 1)[:, None, None] for values in (self.flow_mean, self.flow_std))
        return torch.cat([shown[:, :n_colours] / 255 - 0.5, (shown[:, n_colours:] - mean) / std], dim=1)


def _down(before: int, after: int, *, deepened: bool) -> nn.Sequential:
    layers = [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.LeakyReLU(SLOPE)]
    if deepened:
        layers += [nn.Conv2d(after, after, 3, padding=1), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers)


def _up(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE))
