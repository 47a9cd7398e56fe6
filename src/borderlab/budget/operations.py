"""Forward operations and weights of each network of an experiment, counted once and kept in a table.

Counted on torch's `meta` device: no memory, no weights, no GPU. The padding mode changes neither figure by more than
a pointwise product, so zeros stand for all. One multiplication and one addition are two operations.
"""

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from borderlab.budget.assumptions import Cost
from borderlab.errors import ConfigError
from borderlab.motion.learned.spec import N_FRAMES, MotionModelSpec
from borderlab.spec import RunSpec

if TYPE_CHECKING:
    from torch import nn

TABLE = "operations.csv"
COLUMNS = ("task", "backbone", "height", "width", "output_stride", "decoder_channels", "gflop", "n_parameters")
Key = tuple[str, ...]


def key_of(spec: RunSpec | MotionModelSpec) -> Key:
    """What decides a network's cost."""
    if isinstance(spec, MotionModelSpec):
        height, width = spec.recipe.crop
        return ("motion", f"{spec.kind} of width {spec.recipe.width}", str(height), str(width), "", "")
    height, width = spec.recipe.augment.crop
    decoder = (spec.recipe.output_stride, spec.recipe.decoder_channels) if spec.task == "segmentation" else ("", "")
    return tuple(str(value) for value in (spec.task, spec.backbone, height, width, *decoder))


@cache
def known_costs() -> Mapping[Key, Cost]:
    """The table in this package."""
    text = files("borderlab.budget").joinpath(TABLE).read_text(encoding="utf-8")
    return {
        tuple(row[name] for name in COLUMNS[:-2]): Cost(float(row["gflop"]), int(row["n_parameters"]))
        for row in csv.DictReader(StringIO(text))
    }


def cost_of(spec: RunSpec | MotionModelSpec) -> Cost:
    """Cost of the network of `spec`.

    Raises:
        ConfigError: if the network was not counted yet.
    """
    key = key_of(spec)
    if key not in known_costs():
        network = " ".join(part for part in key if part)
        raise ConfigError(f"{network}: operations are not counted yet; `borderlab plan --config FILE --count` does")
    return known_costs()[key]


def count(specs: Iterable[tuple[RunSpec | MotionModelSpec, int]]) -> dict[Key, Cost]:
    """Cost of each network among (specification, number of classes; motion models have none, and do not read it)."""
    costs: dict[Key, Cost] = {}
    for spec, n_classes in specs:
        if key_of(spec) not in costs:
            costs[key_of(spec)] = _count(spec, n_classes)
    return costs


def write_table(costs: Mapping[Key, Cost], path: Path | None = None) -> Path:
    """Add `costs` to the table, sorted; return its path."""
    from borderlab.files import write_text

    place = path or Path(str(files("borderlab.budget").joinpath(TABLE)))
    rows = sorted({**known_costs(), **costs}.items())
    lines = [",".join(COLUMNS), *(",".join((*key, f"{cost.gflop:.2f}", str(cost.n_parameters))) for key, cost in rows)]
    write_text(place, "\n".join(lines) + "\n")
    known_costs.cache_clear()
    return place


def _count(spec: RunSpec | MotionModelSpec, n_classes: int) -> Cost:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        module, n_channels, size = _network(spec, n_classes)
        module.eval()
        shown = torch.empty(1, n_channels, *size)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(shown)
    n_parameters = sum(parameter.numel() for parameter in module.parameters())
    return Cost(counter.get_total_flops() / 1e9, n_parameters)


def _network(spec: RunSpec | MotionModelSpec, n_classes: int) -> "tuple[nn.Module, int, tuple[int, int]]":
    """A network, the channels that it is shown, and the height and width of a training sample."""
    if isinstance(spec, MotionModelSpec):
        from borderlab.motion.learned.network import FlowUNet

        n_frames = N_FRAMES[spec.kind]
        # Frames, and the flows between them.
        n_channels = 3 * n_frames + 2 * (n_frames - 1)
        return FlowUNet(n_frames, spec.recipe.width, residual=spec.recipe.residual), n_channels, spec.recipe.crop
    from borderlab.models.factory import create_network

    plain = spec.model_copy(update={"weights": "random", "padding_mode": "zeros"})
    return create_network(plain, n_classes).module, 3, spec.recipe.augment.crop
