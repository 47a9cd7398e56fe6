"""What padding tells about position: a constant image has none, so any pattern in its feature maps is the padding's.

Reflection, replication and circular padding continue a constant by itself and leak nothing, at any stride. Zeros and
partial padding change the sum under a window at the border, unless its kernel is flat (partial) or the value is zero.
"""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from borderlab.probe.feature_maps import activations
from borderlab.probe.map_rings import centre, map_rings
from borderlab.probe.networks import ProbedNetwork, Row

# As shares of white; `mean` is what the network's normalisation turns into zeros, so that zeros padding continues it
# in the first layer. Deeper it need not be the mildest case: each deviation is told in sizes of its own centre.
SHADES = {"black": 0.0, "white": 1.0}
DEFAULT_SIZE = (224, 224)


def constant_images(network: ProbedNetwork, size: tuple[int, int]) -> dict[str, Float[Tensor, "1 3 h w"]]:
    """Normalised constant images of `size`, by name."""
    mean, std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (network.mean, network.std))
    shades = {"mean": mean, **{name: torch.full((1, 3, 1, 1), shade) for name, shade in SHADES.items()}}
    return {name: ((shade - mean) / std).expand(1, 3, *size).to(network.device) for name, shade in shades.items()}


def ring_deviation(own: Float[Tensor, "1 c h w"]) -> Iterator[Row]:
    """Deviation of each ring from the map's centre: root mean square over cells and channels, over the centre's own.

    Yields:
        `deviation` 0 or more; None where the centre is all zero. Nothing for a map whose cells are all at its border.
    """
    height, width = (int(side) for side in own.shape[2:])
    rings = map_rings(height, width)
    if len(rings) < 2:
        return
    values = own[0].double().cpu()
    middle = values[:, centre(height, width)].mean(dim=1)
    level = float(middle.square().mean().sqrt())
    for ring in rings:
        away = float((values[:, ring.cells] - middle[:, None]).square().mean().sqrt())
        place = {"map_height": height, "map_width": width, "from_px": ring.from_px, "to_px": ring.to_px}
        yield {**place, "deviation": away / level if level else None}


def position_leak(network: ProbedNetwork, modes: Sequence[str], size: tuple[int, int] | None) -> Iterator[Row]:
    """Rows of table `position_leak` for one network: by tested mode, constant, stage and ring."""
    constants = constant_images(network, size or DEFAULT_SIZE)
    for mode in modes:
        module = network.padded(mode)
        for name, image in constants.items():
            for number, own in enumerate(activations(module, image).maps, start=1):
                for row in ring_deviation(own):
                    yield {"tested_mode": mode, "constant": name, "stage": number, **row}
