"""From a plan to what it will cost."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from borderlab.budget.assumptions import (
    BYTES_PER_WEIGHT,
    CHECKPOINT_COPIES,
    FLOW_BYTES_PER_PX,
    FLOW_US_PER_PX,
    IMAGE_BYTES_PER_PX,
    LABEL_BYTES_PER_PX,
    PASSES,
    WARP_US_PER_PX,
    Speed,
)
from borderlab.budget.operations import cost_of
from borderlab.config.schema import ResourcesConfig
from borderlab.data import create_dataset
from borderlab.data.base import Dataset
from borderlab.data.sizes import n_samples, video
from borderlab.errors import ConfigError
from borderlab.motion.learned.spec import MotionModelSpec
from borderlab.plan import Plan, PlannedRun
from borderlab.planned_motion import PlannedMotionModel
from borderlab.propagation.keyframes import keyframe_indices
from borderlab.spec import DatasetSpec, MotionSpec, RunSpec, SynthesisSpec

HOUR_S, GB = 3600, 1e9

Trained = PlannedRun | PlannedMotionModel


@dataclass(frozen=True)
class TrainingBudget:
    """A group of trainings: GPU hours, or hours of a CPU job where no GPU is asked for; gigabytes; what a job asks."""

    name: str
    n_runs: int
    hours: float
    longest_hours: float
    resources: ResourcesConfig
    weights_gb: float

    @property
    def on_gpu(self) -> bool:
        """Whether its hours are those of GPUs."""
        return self.resources.gpus > 0

    @property
    def longest_wall_hours(self) -> float:
        """Of its longest training, if all its GPUs are used to the full."""
        return self.longest_hours / self.resources.processes

    @property
    def walltimes(self) -> float:
        """Longest training over the walltime that a job asks for at first: above 1 it comes back and resumes."""
        return self.longest_wall_hours * 60 / self.resources.runtime_min

    @property
    def checkpoints_gb(self) -> float:
        """Of one training, while it lasts."""
        return CHECKPOINT_COPIES * self.weights_gb / self.n_runs


@dataclass(frozen=True)
class VideoBudget:
    """Motion or synthesis of one data set: jobs, CPU hours of one thread, gigabytes."""

    kind: str
    dataset: str
    n_jobs: int
    n_frames: int
    cpu_hours: float
    longest_cpu_hours: float
    gb: float


def training_budgets(plan: Plan, speed: Speed) -> list[TrainingBudget]:
    """One row for each study, in the configuration's order, and one for each motion model that is trained.

    A run of two studies counts in the first.
    """
    by_study: dict[str, list[Trained]] = {study.name: [] for study in plan.config.studies}
    for planned in plan.runs.values():
        by_study[planned.studies[0]].append(planned)
    models: dict[str, list[Trained]] = {f"motion model {own.label}": [own] for own in plan.motion_models.values()}
    return [_budget(name, runs, speed) for name, runs in {**models, **by_study}.items() if runs]


def training_hours(planned: Trained, speed: Speed) -> float:
    """Of one training: GPU hours, or hours of its CPU job.

    Raises:
        ConfigError: if the number of samples of an epoch or the network's operations are not known.
    """
    spec = planned.spec
    tflop = cost_of(spec).gflop / 1000 * PASSES * _samples_per_epoch(spec) * spec.recipe.epochs
    on_cpu = speed.cpu_tflop_per_s * spec.recipe.threads
    return tflop / (speed.tflop_per_s if planned.resources.gpus else on_cpu) / HOUR_S


def wall_hours(planned: Trained, speed: Speed) -> float:
    """Of one training, if all its GPUs are used to the full."""
    return training_hours(planned, speed) / planned.resources.processes


def video_budgets(plan: Plan) -> list[VideoBudget]:
    """Motion and synthesis, one row for each data set."""
    return [*_grouped("motion", plan.motions.values()), *_grouped("synthesis", plan.syntheses.values())]


def longest_chain(plan: Plan, speed: Speed, runs: Iterable[str]) -> list[tuple[str, float]]:
    """The longest chain of jobs to any of `runs`, if every job starts as soon as it can: (step, wall hours)."""
    return max((_chain(plan, run, speed) for run in runs), key=_hours_of, default=[])


def weights_gb(trained: Iterable[Trained]) -> float:
    """Weights of finished trainings."""
    return sum(cost_of(planned.spec).n_parameters * BYTES_PER_WEIGHT for planned in trained) / GB


def video_hours(specs: Iterable[MotionSpec | SynthesisSpec]) -> float:
    """CPU hours of jobs that estimate motion or move samples."""
    return sum(_job(spec)[1] for spec in specs)


def video_gb(specs: Iterable[MotionSpec | SynthesisSpec]) -> float:
    """Flows and samples on disk."""
    return sum(_job(spec)[2] for spec in specs)


def _samples_per_epoch(spec: RunSpec | MotionModelSpec) -> int:
    dataset = _dataset(spec.dataset)
    known = spec.recipe.samples_per_epoch
    if known is None:
        known = _pairs(dataset, spec) if isinstance(spec, MotionModelSpec) else _training_samples(dataset, spec)
    if known is None:
        raise ConfigError(f"{spec.dataset.name} {spec.train_split}: size unknown; set recipe.samples_per_epoch")
    return known


def _training_samples(dataset: Dataset, spec: RunSpec) -> int | None:
    """Labelled frames, or key frames and the samples that join them."""
    clips = video(dataset, spec.train_split)
    if spec.keyframes is None or clips is None:
        return n_samples(dataset, spec.train_split)
    joined = 0 if spec.propagation is None else len(spec.propagation.joined_distances)
    return clips.n_clips * len(keyframe_indices(clips.n_frames, spec.keyframes)) * (1 + joined)


def _pairs(dataset: Dataset, spec: MotionModelSpec) -> int | None:
    """Neighbouring frames in both directions, less those that are held out."""
    clips = video(dataset, spec.train_split)
    return None if clips is None else round(2 * clips.n_clips * (clips.n_frames - 1) * (1 - spec.held_out_share))


def _hours_of(chain: Sequence[tuple[str, float]]) -> float:
    return sum(hours for _, hours in chain)


def _chain(plan: Plan, run: str, speed: Speed) -> list[tuple[str, float]]:
    planned = plan.runs[run]
    before = [_chain_to_samples(plan, run, speed)]
    if planned.spec.start_from is not None:
        before.append(_chain(plan, planned.spec.start_from, speed))
    return [*max(before, key=_hours_of), (f"train_network {run}", wall_hours(planned, speed))]


def _chain_to_samples(plan: Plan, run: str, speed: Speed) -> list[tuple[str, float]]:
    syntheses = plan.syntheses_of_run(run)
    if not syntheses:
        return []
    farthest = max(abs(plan.syntheses[name].distance) for name in syntheses)
    motion = plan.motions[plan.motion_of_synthesis(syntheses[0])]
    model = plan.motion_models.get(motion.model)
    trained = [] if model is None else [(f"train_motion {model.name}", wall_hours(model, speed))]
    moved = _job(plan.syntheses[syntheses[0]])[1]
    steps = [(f"synthesise_samples ±{step}", moved) for step in range(1, farthest + 1)]
    return [*trained, ("estimate_motion", _job(motion)[1]), *steps]


def _budget(name: str, trained: Sequence[Trained], speed: Speed) -> TrainingBudget:
    hours = [training_hours(planned, speed) for planned in trained]
    resources = trained[0].resources
    return TrainingBudget(name, len(trained), sum(hours), max(hours), resources, weights_gb(trained))


def _grouped(kind: str, specs: Iterable[MotionSpec | SynthesisSpec]) -> Iterator[VideoBudget]:
    groups: dict[str, list[tuple[int, float, float]]] = {}
    for spec in specs:
        groups.setdefault(spec.dataset.name, []).append(_job(spec))
    for dataset, jobs in groups.items():
        frames, hours, gigabytes = zip(*jobs, strict=True)
        yield VideoBudget(kind, dataset, len(jobs), sum(frames), sum(hours), max(hours), sum(gigabytes))


def _job(spec: MotionSpec | SynthesisSpec) -> tuple[int, float, float]:
    """Flows or samples, CPU hours and gigabytes of one job; flows: two directions of each step on both sides."""
    keyframes, pixels = _keyframes(spec)
    if isinstance(spec, MotionSpec):
        n_flows = keyframes * 2 * spec.max_distance * 2
        return n_flows, n_flows * pixels * FLOW_US_PER_PX / 1e6 / HOUR_S, n_flows * pixels * FLOW_BYTES_PER_PX / GB
    stored = IMAGE_BYTES_PER_PX + LABEL_BYTES_PER_PX
    return keyframes, keyframes * pixels * WARP_US_PER_PX / 1e6 / HOUR_S, keyframes * pixels * stored / GB


def _keyframes(spec: MotionSpec | SynthesisSpec) -> tuple[int, int]:
    """Key frames, and pixels of a frame."""
    clips = video(_dataset(spec.dataset), spec.split)
    if clips is None:
        raise ConfigError(f"{spec.dataset.name} {spec.split}: number or size of frames unknown to the budget")
    return clips.n_clips * len(keyframe_indices(clips.n_frames, spec.keyframes)), clips.height * clips.width


def _dataset(spec: DatasetSpec) -> Dataset:
    return create_dataset(spec.name, spec.options)
