"""From a plan to what it will cost."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from borderlab.budget.assumptions import (
    BYTES_PER_WEIGHT,
    CHECKPOINT_COPIES,
    FLOW_BYTES_PER_PX,
    FLOW_US_PER_PX,
    IMAGE_BYTES_PER_PX,
    LABEL_BYTES_PER_PX,
    ONE_CORE,
    ONE_GPU,
    PASSES,
    WARP_US_PER_PX,
    Speed,
)
from borderlab.budget.operations import cost_of
from borderlab.budget.sizes import n_samples, video
from borderlab.plan import Plan, PlannedRun
from borderlab.spec import MotionSpec, RunSpec, SynthesisSpec

HOUR_S, GB = 3600, 1e9


@dataclass(frozen=True)
class StudyBudget:
    """All trainings of one study; hours of GPUs (of CPU cores without), gigabytes, and what each job asks for."""

    study: str
    n_runs: int
    hours: float
    longest_hours: float
    gpus: int
    mem_mb: int
    runtime_min: int
    weights_gb: float
    checkpoints_gb: float

    @property
    def longest_wall_hours(self) -> float:
        """Of its longest training, if all its GPUs are used to the full."""
        return self.longest_hours / max(1, self.gpus)

    @property
    def walltimes(self) -> float:
        """Longest training over the walltime that a job asks for at first: above 1 it comes back and resumes."""
        return self.longest_wall_hours * 60 / self.runtime_min


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


def study_budgets(plan: Plan, speed: Speed) -> list[StudyBudget]:
    """One row for each study, in the configuration's order; a run of two studies counts in the first."""
    by_study: dict[str, list[PlannedRun]] = {study.name: [] for study in plan.config.studies}
    for planned in plan.runs.values():
        by_study[planned.studies[0]].append(planned)
    return [_study_budget(plan, name, runs, speed) for name, runs in by_study.items() if runs]


def speed_for(plan: Plan) -> Speed:
    """The stated assumption for what `plan` trains on."""
    return ONE_GPU if any(run.resources.gpus for run in plan.runs.values()) else ONE_CORE


def device_hours(plan: Plan, spec: RunSpec, speed: Speed) -> float:
    """Hours of one GPU, or of one CPU core, for one training of `plan`.

    Raises:
        ConfigError: if the number of samples of an epoch is not known.
    """
    samples = spec.recipe.samples_per_epoch or n_samples(plan.datasets[spec.dataset.key], spec.train_split)
    tflop = cost_of(spec).gflop / 1000 * PASSES * samples * spec.recipe.epochs
    return tflop / speed.tflop_per_s / HOUR_S


def video_budgets(plan: Plan) -> list[VideoBudget]:
    """Motion and synthesis, one row for each data set."""
    motions, syntheses = plan.motions.values(), plan.syntheses.values()
    return [*_grouped(plan, "motion", motions), *_grouped(plan, "synthesis", syntheses)]


def critical_path_hours(plan: Plan, speed: Speed) -> list[tuple[str, float]]:
    """The longest chain of jobs that ends in a training, if every job starts as soon as it can: (step, wall hours)."""
    chains = [_chain(plan, run, speed) for run in plan.runs]
    return max(chains, key=lambda chain: sum(hours for _, hours in chain), default=[])


def _chain(plan: Plan, run: str, speed: Speed) -> list[tuple[str, float]]:
    planned = plan.runs[run]
    training = device_hours(plan, planned.spec, speed) / max(1, planned.resources.gpus)
    syntheses = [plan.syntheses[name] for name in plan.syntheses_of_run(run)]
    chain = []
    if syntheses:
        farthest = max(abs(spec.distance) for spec in syntheses)
        motion = plan.motions[plan.motion_of_synthesis(plan.syntheses_of_run(run)[0])]
        chain = [("estimate_motion", _motion(plan, motion)[1])]
        chain += [(f"synthesise_samples ±{step}", _synthesis(plan, syntheses[0])[1]) for step in range(1, farthest + 1)]
    if planned.spec.start_from is not None:
        start = _chain(plan, planned.spec.start_from, speed)
        chain = max(chain, start, key=lambda steps: sum(hours for _, hours in steps))
    return [*chain, (f"train_network {run}", training)]


def _study_budget(plan: Plan, study: str, runs: list[PlannedRun], speed: Speed) -> StudyBudget:
    hours = [device_hours(plan, planned.spec, speed) for planned in runs]
    weights = [cost_of(planned.spec).n_parameters * BYTES_PER_WEIGHT / GB for planned in runs]
    resources = runs[0].resources
    return StudyBudget(
        study,
        len(runs),
        sum(hours),
        max(hours),
        resources.gpus,
        resources.mem_mb,
        resources.runtime_min,
        sum(weights),
        CHECKPOINT_COPIES * sum(weights),
    )


def _grouped(plan: Plan, kind: str, specs: Iterable[MotionSpec | SynthesisSpec]) -> Iterator[VideoBudget]:
    groups: dict[str, list[tuple[int, float, float]]] = {}
    for spec in specs:
        measured = _motion(plan, spec) if isinstance(spec, MotionSpec) else _synthesis(plan, spec)
        groups.setdefault(spec.dataset.name, []).append(measured)
    for dataset, jobs in groups.items():
        frames, hours, gigabytes = zip(*jobs, strict=True)
        yield VideoBudget(kind, dataset, len(jobs), sum(frames), sum(hours), max(hours), sum(gigabytes))


def _motion(plan: Plan, spec: MotionSpec) -> tuple[int, float, float]:
    """Flows, CPU hours and gigabytes of one job: two directions for each step on both sides of a key frame."""
    keyframes, pixels = _video(plan, spec)
    n_flows = keyframes * 2 * spec.max_distance * 2
    return n_flows, n_flows * pixels * FLOW_US_PER_PX / 1e6 / HOUR_S, n_flows * pixels * FLOW_BYTES_PER_PX / GB


def _synthesis(plan: Plan, spec: SynthesisSpec) -> tuple[int, float, float]:
    keyframes, pixels = _video(plan, spec)
    stored = IMAGE_BYTES_PER_PX + LABEL_BYTES_PER_PX
    return keyframes, keyframes * pixels * WARP_US_PER_PX / 1e6 / HOUR_S, keyframes * pixels * stored / GB


def _video(plan: Plan, spec: MotionSpec | SynthesisSpec) -> tuple[int, int]:
    """Key frames, and pixels of a frame."""
    found = video(plan.datasets[spec.dataset.key], spec.split)
    return found.n_keyframes(spec.keyframes), found.height * found.width
