"""From an experiment's configuration to every result that it needs, by name.

A name is the result's folder below `artifacts/`: readable in front, the hash of the specification behind
(`borderlab.identity`). The workflow asks this module for names and for what each of them depends on; the command line
asks it for the specification behind a name. Planning is pure and fast: no data, no torch, no network.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path

from borderlab.codehash import code_hash
from borderlab.config.schema import ExperimentConfig, PropagationQualityConfig, ResourcesConfig, StudyConfig
from borderlab.data import DATASETS
from borderlab.data.base import ClassificationDataset, Dataset, SegmentationDataset
from borderlab.data.content import identity_with
from borderlab.errors import ConfigError
from borderlab.files import sha256_of_file, sha256_of_json
from borderlab.identity import HASH_LENGTH, Identity, identity_of, result_hash
from borderlab.losses.names import LOSS_MODULES
from borderlab.motion.names import motion_members
from borderlab.padding.names import PADDING_MODE_MODULES
from borderlab.papers.files import paper_digests
from borderlab.planned_census import CensusSpec
from borderlab.planned_motion import PlannedMotionModel, plan_motion_models, with_full_names
from borderlab.planned_probes import PlannedProbe, plan_probes
from borderlab.report.names import template_files
from borderlab.spec import (
    DatasetSpec,
    KeyframesSpec,
    MotionSpec,
    PropagationSpec,
    ReferenceChoice,
    RunSpec,
    ScoreSpec,
    SynthesisSpec,
)

TRAIN_CODE = "borderlab.training.run"
PARALLEL_CODE = "borderlab.training.parallel"
EVALUATE_CODE = "borderlab.evaluation.run"
MOTION_CODE = "borderlab.propagation.estimate"
SYNTHESIS_CODE = "borderlab.propagation.synthesis"
SCORE_CODE = "borderlab.propagation.score"
REPORT_CODE = "borderlab.report.run"


@dataclass(frozen=True)
class PlannedRun:
    """One training run, the studies that asked for it, and what its job may use."""

    spec: RunSpec
    resources: ResourcesConfig
    studies: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """Every result of an experiment, by name."""

    config: ExperimentConfig
    datasets: dict[str, Dataset]
    runs: dict[str, PlannedRun]
    scores: dict[str, ScoreSpec]
    motions: dict[str, MotionSpec]
    syntheses: dict[str, SynthesisSpec]
    probes: dict[str, PlannedProbe]
    motion_models: dict[str, PlannedMotionModel]

    def identity_of_run(self, run: str) -> Identity:
        """What decides the run `run`."""
        planned = self.runs[run]
        return run_identity(planned.spec, planned.resources.processes > 1)

    @cached_property
    def experiment_id(self) -> str:
        """Name of the report: the experiment and the hash of all that it shows."""
        shown = {
            "config": self.config.model_dump(mode="json", exclude={"folders"}),
            "runs": sorted(f"{run}/{self.evaluation_name(run)}" for run in self.runs),
            "scores": sorted(self.scores),
            "probes": sorted(self.probes),
            "motion_models": sorted(self.motion_models),
            "code": code_hash((REPORT_CODE,)),
            "papers": paper_digests(Path(self.config.folders.papers)),
            "templates": [sha256_of_file(path) for path in template_files()],
        }
        return f"{self.config.experiment}-{sha256_of_json(shown)[:HASH_LENGTH]}"

    @cached_property
    def census(self) -> CensusSpec | None:
        """The census of timm, if the experiment asks for one."""
        return None if self.config.census is None else CensusSpec(pattern=self.config.census)

    def evaluation_name(self, run: str) -> str:
        """Folder, below the run's, that holds the run's evaluation."""
        return self._evaluation_names[run]

    @cached_property
    def _evaluation_names(self) -> dict[str, str]:
        return {
            run: f"evaluation-{result_hash(planned.spec, EVALUATE_CODE, _members(planned.spec))}"
            for run, planned in self.runs.items()
        }

    def receipts_of_run(self, run: str) -> list[tuple[str, str]]:
        """(data set, split) pairs that a run reads."""
        spec = self.runs[run].spec
        uniform = spec.recipe.class_uniform
        extra = [] if uniform is None or uniform.extra_split is None else [uniform.extra_split]
        return [(spec.dataset.key, split) for split in dict.fromkeys((spec.train_split, spec.eval_split, *extra))]

    def receipts_of_probe(self, probe: str) -> list[tuple[str, str]]:
        """(data set, split) pairs that a probe reads."""
        spec = self.probes[probe].spec
        return [(spec.dataset.key, spec.split)]

    def syntheses_of_run(self, run: str) -> list[str]:
        """Names of the syntheses that a run trains on."""
        spec = self.runs[run].spec
        if spec.propagation is None or spec.propagation.kind == "true" or spec.keyframes is None:
            return []
        return list(self._synthesis_names(spec.dataset, spec.train_split, spec.keyframes, spec.propagation).values())

    def syntheses_of_score(self, score: str) -> dict[int, str]:
        """Synthesis by signed distance of what a score compares."""
        spec = self.scores[score]
        return self._synthesis_names(spec.dataset, spec.split, spec.keyframes, spec.propagation)

    def synthesis_folders_of_run(self, run: str) -> dict[int, str]:
        """Synthesis by signed distance of what a run trains on."""
        return {self.syntheses[name].distance: name for name in self.syntheses_of_run(run)}

    def motion_of_synthesis(self, synthesis: str) -> str:
        """Name of the motion that a synthesis follows."""
        spec = self.syntheses[synthesis]
        return self._motion_name(spec.dataset, spec.split, spec.keyframes, spec.motion, spec.reference)

    def motion_of_score(self, score: str) -> str:
        """Name of the motion behind a score."""
        spec = self.scores[score]
        return self._motion_name(spec.dataset, spec.split, spec.keyframes, spec.motion, spec.reference)

    def previous_synthesis(self, synthesis: str) -> str | None:
        """Synthesis one step nearer to the key frame; None where the key frame itself is moved."""
        spec = self.syntheses[synthesis]
        if spec.starts_from_key_frame:
            return None
        nearer = spec.distance - 1 if spec.distance > 0 else spec.distance + 1
        return synthesis_name(spec.model_copy(update={"distance": nearer}))

    def segmentation_dataset(self, name: str) -> SegmentationDataset:
        """The data set `name`, which must be one of segmentation."""
        dataset = self.datasets[name]
        if not isinstance(dataset, SegmentationDataset):
            raise ConfigError(f"{name}: is no segmentation set")
        return dataset

    def receipt_folder(self, name: str) -> str:
        """Folder of the data set's receipts: another copy, or other options of what is complete, have others."""
        own, dataset = self.config.datasets[name], self.datasets[name]
        proved = {"data": identity_with(dataset.identity, own.content), "folder": own.folder}
        return f"{dataset.info.name}-{sha256_of_json(proved)[:HASH_LENGTH]}"

    def data_folder(self, name: str, base: Path = Path()) -> Path:
        """Folder of the data set `name`; `base` is the folder that relative paths start from."""
        own = self.config.datasets[name].folder
        return base / (own if own else f"{self.config.folders.data}/{self.datasets[name].folder_name}")

    def _synthesis_names(
        self, dataset: DatasetSpec, split: str, keyframes: KeyframesSpec, propagation: PropagationSpec
    ) -> dict[int, str]:
        specs = _synthesis_specs(dataset, split, keyframes, propagation)
        return {spec.distance: synthesis_name(spec) for spec in specs}

    def _motion_name(
        self,
        dataset: DatasetSpec,
        split: str,
        keyframes: KeyframesSpec,
        model: str,
        reference: tuple[ReferenceChoice, ...],
    ) -> str:
        # By identity: two keys of one data set share what is made of it.
        wanted = (dataset.identity, split, keyframes, model, _of_motion(reference))
        for name, spec in self.motions.items():
            if (spec.dataset.identity, spec.split, spec.keyframes, spec.model, spec.reference) == wanted:
                return name
        raise KeyError(f"no motion {model} planned for {dataset.name}/{split}")


def make_plan(config: ExperimentConfig) -> Plan:
    """Every result that `config` asks for."""
    datasets = {key: config.create_dataset(key) for key in config.datasets}
    specs = {
        key: DatasetSpec(
            key=key,
            name=dataset.info.name,
            identity=identity_with(dataset.identity, config.datasets[key].content),
            options=dataset.options.model_dump(mode="json"),
        )
        for key, dataset in datasets.items()
    }
    motion_models = plan_motion_models(config, specs)
    named = with_full_names(config, motion_models)
    runs: dict[str, PlannedRun] = {}
    for study in named.studies:
        starts = {} if study.start_from is None else _runs_of(runs, study.start_from)
        for spec in _run_specs(config, study, datasets[study.dataset], specs[study.dataset], starts):
            parallel = study.resources.processes > 1
            run = runs.setdefault(run_name(spec, parallel), PlannedRun(spec, study.resources))
            run.studies.append(study.name)
    scores = {
        score_name(spec): spec
        for quality in named.propagation_quality
        for spec in _score_specs(quality, specs[quality.dataset])
    }
    syntheses = {synthesis_name(spec): spec for spec in _needed_syntheses(runs.values(), scores.values())}
    motions = {motion_name(spec): spec for spec in _needed_motions(syntheses.values())}
    probes = plan_probes(config, specs, {study.name: _runs_of(runs, study.name) for study in config.studies})
    return Plan(config, datasets, runs, scores, motions, syntheses, probes, motion_models)


def _runs_of(runs: dict[str, PlannedRun], study: str) -> dict[str, RunSpec]:
    return {name: planned.spec for name, planned in runs.items() if study in planned.studies}


def run_name(spec: RunSpec, parallel: bool = False) -> str:
    """Folder of a training run below artifacts/runs/; `parallel`: more than one process trains it."""
    parts = [spec.backbone]
    if spec.start_from is not None:
        parts.append("continued")
    elif spec.weights != "random":
        parts.append(f"{spec.weights}-weights")
    parts.append(spec.padding_mode)
    if spec.keyframes is not None:
        parts.append("keyframes" if spec.propagation is None else propagation_label(spec.propagation))
    if spec.loss.name != "cross_entropy":
        parts.append(f"{spec.loss.name}{spec.loss.relax_radius_px}")
    parts.append(f"seed{spec.seed}")
    return f"{spec.dataset.key}/{'-'.join(parts)}-{run_identity(spec, parallel).short_hash}"


def run_identity(spec: RunSpec, parallel: bool = False) -> Identity:
    """What decides a training run; where several processes train it, the code that makes them one counts too."""
    return identity_of(spec, TRAIN_CODE, (*_members(spec), *((PARALLEL_CODE,) if parallel else ())))


def propagation_label(propagation: PropagationSpec) -> str:
    """Readable name of a propagation, such as `joint3-dis_medium`."""
    label = f"{propagation.kind}{propagation.max_distance}"
    if propagation.kind == "true":
        return label
    return f"{label}-{propagation.motion}{_kind_of_moving(propagation)}"


def _kind_of_moving(spec: PropagationSpec | SynthesisSpec | ScoreSpec) -> str:
    """The part of a name that says how samples are moved, where it is not the usual way."""
    accumulated = "" if spec.method == "recursive" else f"-{spec.method}"
    void = "" if spec.void_occluded else "-novoid"
    return f"{accumulated}{void}{'-reference' if spec.reference else ''}"


def motion_name(spec: MotionSpec) -> str:
    """Folder of estimated flows below artifacts/motion/."""
    members = (_dataset_module(spec.dataset.name), *motion_members(spec.model))
    digest = result_hash(spec, MOTION_CODE, members)
    return f"{spec.dataset.key}/{spec.split}-{spec.model}-reach{spec.max_distance}-{digest}"


def synthesis_name(spec: SynthesisSpec) -> str:
    """Folder of propagated samples below artifacts/propagated/."""
    members = (_dataset_module(spec.dataset.name), *motion_members(spec.motion))
    digest = result_hash(spec, SYNTHESIS_CODE, members)
    return f"{spec.dataset.key}/{spec.split}-{spec.motion}{_kind_of_moving(spec)}-distance{spec.distance:+d}-{digest}"


def score_name(spec: ScoreSpec) -> str:
    """Folder of a propagation score below artifacts/scores/."""
    members = (_dataset_module(spec.dataset.name), *motion_members(spec.motion))
    digest = result_hash(spec, SCORE_CODE, members)
    return f"{spec.dataset.key}/{spec.split}-{spec.motion}{_kind_of_moving(spec)}-{digest}"


def _run_specs(
    config: ExperimentConfig,
    study: StudyConfig,
    dataset: Dataset,
    dataset_spec: DatasetSpec,
    starts: Mapping[str, RunSpec],
) -> Iterator[RunSpec]:
    seeds = config.seeds if study.seeds is None else study.seeds
    grid = product(study.backbones, study.padding_modes, study.propagation, study.losses, seeds)
    for backbone, padding_mode, propagation, loss, seed in grid:
        yield RunSpec(
            task="classification" if isinstance(dataset, ClassificationDataset) else "segmentation",
            dataset=dataset_spec,
            train_split=study.train_split,
            eval_split=study.eval_split,
            keyframes=study.keyframes,
            propagation=propagation,
            backbone=backbone.name,
            weights=backbone.weights,
            start_from=_start_of(starts, backbone.name, padding_mode, seed),
            padding_mode=padding_mode,
            loss=loss,
            recipe=config.recipes[study.recipe],
            seed=seed,
        )


def _start_of(starts: Mapping[str, RunSpec], backbone: str, padding_mode: str, seed: int) -> str | None:
    """Name of the run to start from; of a study with one seed, that seed's. The rules see to it that there is one."""
    fitting = {
        spec.seed: name
        for name, spec in starts.items()
        if (spec.backbone, spec.padding_mode) == (backbone, padding_mode)
    }
    return fitting.get(seed, next(iter(fitting.values()), None))


def _score_specs(quality: PropagationQualityConfig, dataset: DatasetSpec) -> Iterator[ScoreSpec]:
    for motion, void_occluded, method in product(quality.motions, quality.void_occluded, quality.methods):
        yield ScoreSpec(
            dataset=dataset,
            split=quality.split,
            keyframes=quality.keyframes,
            motion=motion,
            max_distance=quality.max_distance,
            void_occluded=void_occluded,
            method=method,
            reference=quality.reference,
        )


def _needed_syntheses(runs: Iterable[PlannedRun], scores: Iterable[ScoreSpec]) -> Iterator[SynthesisSpec]:
    for run in runs:
        spec = run.spec
        if spec.propagation is not None and spec.propagation.kind != "true" and spec.keyframes is not None:
            yield from _synthesis_specs(spec.dataset, spec.train_split, spec.keyframes, spec.propagation)
    for score in scores:
        yield from _synthesis_specs(score.dataset, score.split, score.keyframes, score.propagation)


def _synthesis_specs(
    dataset: DatasetSpec, split: str, keyframes: KeyframesSpec, propagation: PropagationSpec
) -> Iterator[SynthesisSpec]:
    for distance in propagation.distances:
        yield SynthesisSpec(
            dataset=dataset,
            split=split,
            keyframes=keyframes,
            motion=propagation.motion,
            distance=distance,
            method=propagation.method,
            void_occluded=propagation.void_occluded,
            reference=tuple(choice for choice in propagation.reference if choice != "farthest_only"),
            allow_broken=propagation.allow_broken,
        )


def _of_motion(reference: tuple[ReferenceChoice, ...]) -> tuple[ReferenceChoice, ...]:
    """The choices that decide a flow."""
    return tuple(choice for choice in reference if choice == "bgr_flow")


def _needed_motions(syntheses: Iterable[SynthesisSpec]) -> Iterator[MotionSpec]:
    """One motion for each data set, split, set of key frames and model, as far as the farthest synthesis reaches."""
    reach: dict[str, tuple[SynthesisSpec, int]] = {}
    for spec in syntheses:
        key = f"{spec.dataset.identity} {spec.split} {spec.keyframes} {spec.motion} {_of_motion(spec.reference)}"
        farthest = max(abs(spec.distance), reach[key][1] if key in reach else 0)
        reach[key] = (spec, farthest)
    for spec, farthest in reach.values():
        yield MotionSpec(
            dataset=spec.dataset,
            split=spec.split,
            keyframes=spec.keyframes,
            model=spec.motion,
            max_distance=farthest,
            reference=_of_motion(spec.reference),
        )


def _members(spec: RunSpec) -> tuple[str, ...]:
    """Registry modules whose code a run uses."""
    members = [
        _dataset_module(spec.dataset.name),
        PADDING_MODE_MODULES[spec.padding_mode],
        LOSS_MODULES[spec.loss.name],
    ]
    if spec.propagation is not None and spec.propagation.kind != "true":
        members += motion_members(spec.propagation.motion)
    return tuple(members)


def _dataset_module(name: str) -> str:
    return DATASETS[name].__module__
