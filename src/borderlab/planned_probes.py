"""From the probes of a configuration to their specifications and names (a part of `borderlab.plan`)."""

from collections.abc import Mapping
from dataclasses import dataclass

from borderlab.config.schema import ExperimentConfig, ProbeConfig, ResourcesConfig, StudyConfig
from borderlab.data import DATASETS
from borderlab.identity import result_hash
from borderlab.padding.names import PADDING_MODE_MODULES
from borderlab.probe.spec import ProbedBackboneSpec, ProbeSpec
from borderlab.spec import DatasetSpec, RunSpec

PROBE_CODE = "borderlab.probe.run"


@dataclass(frozen=True)
class PlannedProbe:
    """One probe, by the name that the configuration gives it, and what its job may use."""

    label: str
    spec: ProbeSpec
    resources: ResourcesConfig

    @property
    def name(self) -> str:
        """Folder of the probe below artifacts/probes/."""
        return f"{self.label}-{result_hash(self.spec, PROBE_CODE, _members(self.spec))}"


def plan_probes(
    config: ExperimentConfig, datasets: Mapping[str, DatasetSpec], runs_of_study: Mapping[str, Mapping[str, RunSpec]]
) -> dict[str, PlannedProbe]:
    """Every probe of `config`, by its folder's name.

    Args:
        config: the experiment.
        datasets: specification of each data set, by its key.
        runs_of_study: specification of each run of each study, by study and by the run's name.
    """
    studies = {study.name: study for study in config.studies}
    probes = []
    for probe in config.probes:
        if probe.study is None:
            spec = _probe_spec(probe, datasets[str(probe.dataset)], probe.split or "val", {})
        else:
            study = studies[probe.study]
            filled = _as_evaluated(config, probe, study)
            spec = _probe_spec(filled, datasets[study.dataset], str(filled.split), runs_of_study[study.name])
        probes.append(PlannedProbe(probe.name, spec, probe.resources))
    return {probe.name: probe for probe in probes}


def _as_evaluated(config: ExperimentConfig, probe: ProbeConfig, study: StudyConfig) -> ProbeConfig:
    """The probe with what it leaves out taken from the study's evaluation."""
    evaluation = config.recipes[study.recipe].evaluation
    changes = {"split": study.eval_split, "resize": evaluation.resize, "size": evaluation.crop}
    return probe.model_copy(update={key: value for key, value in changes.items() if getattr(probe, key) is None})


def _probe_spec(probe: ProbeConfig, dataset: DatasetSpec, split: str, runs: Mapping[str, RunSpec]) -> ProbeSpec:
    return ProbeSpec(
        dataset=dataset,
        split=split,
        runs=dict(runs),
        backbones=tuple(ProbedBackboneSpec(name=own.name, weights=own.weights) for own in probe.backbones),
        padding_modes=tuple(probe.padding_modes),
        measures=tuple(probe.measures),
        n_images=probe.n_images,
        resize=probe.resize,
        size=probe.size,
        shifts_px=tuple(probe.shifts_px),
        batch_size=probe.batch_size,
        threads=probe.threads,
    )


def _members(spec: ProbeSpec) -> tuple[str, ...]:
    """Registry modules whose code a probe uses."""
    trained = {run.padding_mode for run in spec.runs.values()}
    modes = sorted(PADDING_MODE_MODULES[mode] for mode in {*spec.padding_modes, *trained})
    return (DATASETS[spec.dataset.name].__module__, *modes)
