"""Rules of `probes` that no single key can state."""

from collections.abc import Iterator

from borderlab.config.naming import (
    allowed,
    alone_faults,
    backbone_name_faults,
    padding_mode_faults,
    split_faults,
    weights_faults,
)
from borderlab.config.schema import ExperimentConfig, ProbeConfig
from borderlab.data import DATASETS
from borderlab.data.base import ClassificationDataset


def probe_faults(config: ExperimentConfig) -> Iterator[str]:
    """One line for each fault of the probes of `config`, with the key in front."""
    names = [probe.name for probe in config.probes]
    for index, probe in enumerate(config.probes):
        place = f"probes[{index}]"
        if probe.name in names[:index]:
            yield f"{place}.name: got {probe.name!r}, which names an earlier probe; names must differ"
        for fault in _faults(config, probe):
            yield f"{place} ({probe.name}).{fault}"


def _faults(config: ExperimentConfig, probe: ProbeConfig) -> Iterator[str]:
    yield from padding_mode_faults(probe.padding_modes)
    yield from alone_faults(probe.resources)
    if (probe.study is None) == (not probe.backbones):
        yield "study: give either a study or backbones"
    elif probe.study is not None:
        yield from _study_faults(config, probe, probe.study)
    else:
        yield from _backbone_faults(config, probe)


def _study_faults(config: ExperimentConfig, probe: ProbeConfig, study: str) -> Iterator[str]:
    names = {own.name: own for own in config.studies}
    if study not in names:
        yield f"study: got {study!r}; {allowed(names)}"
        return
    if probe.dataset is not None:
        yield f"dataset: got {probe.dataset!r} with a study, which has its own; remove it"
    if probe.split is not None and names[study].dataset in config.datasets:
        yield from split_faults(config.create_dataset(names[study].dataset), split=probe.split)


def _backbone_faults(config: ExperimentConfig, probe: ProbeConfig) -> Iterator[str]:
    yield from backbone_name_faults(probe.backbones)
    yield from weights_faults(probe.backbones)
    if probe.dataset not in config.datasets:
        yield f"dataset: got {probe.dataset!r}; {allowed(config.datasets)}"
        return
    if (config.datasets[probe.dataset].name or probe.dataset) not in DATASETS:
        return
    dataset = config.create_dataset(probe.dataset)
    yield from split_faults(dataset, split=probe.split or "val")
    if isinstance(dataset, ClassificationDataset) and probe.size is None:
        yield f"size: is missing; classification ({probe.dataset}) needs one"
