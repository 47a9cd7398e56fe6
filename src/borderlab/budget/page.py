"""A budget as Markdown: printed by `borderlab plan`, kept in docs/paper_scale.md between two marks."""

from collections.abc import Iterator
from pathlib import Path

from borderlab.budget.assumptions import Speed
from borderlab.budget.certainty import seed_options
from borderlab.budget.estimate import StudyBudget, critical_path_hours, study_budgets, video_budgets
from borderlab.errors import ConfigError
from borderlab.files import write_text
from borderlab.plan import Plan

BEGIN, END = "<!-- begin: borderlab budget -->", "<!-- end: borderlab budget -->"


def budget_page(plan: Plan, speed: Speed) -> str:
    """The whole budget of `plan`."""
    return "\n".join(_lines(plan, speed)) + "\n"


def update_page(path: Path, text: str) -> None:
    """Put `text` between the two marks of the page at `path`.

    Raises:
        ConfigError: if the page has no marks.
    """
    page = path.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError(f"{path}: has no lines {BEGIN!r} and {END!r} to put the budget between")
    write_text(path, f"{before}{BEGIN}\n{text}{END}{after}")


def _lines(plan: Plan, speed: Speed) -> Iterator[str]:
    studies = study_budgets(plan, speed)
    total = sum(study.gpu_hours for study in studies)
    yield f"One GPU at {speed.tflop_per_s:g} TFLOP/s. Trainings: {len(plan.runs)}, {total:,.0f} GPU hours."
    yield ""
    heads = ("study", "trainings", "GPU h, longest", "GPU h, all", "GPUs", "wall h, longest", "walltimes")
    yield f"| {' | '.join((*heads, 'memory, GB', 'weights, GB'))} |"
    yield "|---|---|---|---|---|---|---|---|---|"
    yield from map(_study_row, studies)
    videos = video_budgets(plan)
    if videos:
        yield ""
        yield "| step | data set | jobs | flows or frames | CPU h | CPU h, longest job | disk, GB |"
        yield "|---|---|---|---|---|---|---|"
        for video in videos:
            counts = f"{video.n_jobs} | {video.n_frames:,} | {video.cpu_hours:.1f} | {video.longest_cpu_hours:.1f}"
            yield f"| {video.kind} | {video.dataset} | {counts} | {video.gb:,.1f} |"
    yield ""
    weights = sum(study.weights_gb for study in studies)
    checkpoints = max(study.checkpoints_gb / study.n_runs for study in studies)
    disk = weights + sum(video.gb for video in videos)
    yield (
        f"Artifacts: {disk:,.0f} GB, of which weights {weights:,.0f} GB. While it lasts, a training also keeps up to "
        f"{checkpoints:.1f} GB of checkpoints."
    )
    if plan.motion_models:
        yield ""
        yield (
            f"Learned motion models: {len(plan.motion_models)} trainings, not counted. Their flows are counted as DIS "
            "medium's CPU time."
        )
    yield from _seed_lines(plan, speed)
    path = critical_path_hours(plan, speed)
    hours = sum(hours for _, hours in path)
    training, last = path[-1]
    yield ""
    # Without the hash: the page would be out of step with every edit of the training code.
    name = training.split()[-1].rpartition("-")[0]
    yield f"Longest chain: {hours:,.0f} hours, of which {last:,.0f} are one training ({name})."


def _seed_lines(plan: Plan, speed: Speed) -> Iterator[str]:
    """What can be left out, and at which loss of certainty."""
    options = list(seed_options(plan, speed))
    if not any(option.saved_gpu_hours for option in options):
        return
    yield ""
    yield (
        "What fewer seeds save, and the smallest true difference that a paired test (5 %) then finds in 80 of 100 "
        "cases, in standard deviations of the paired differences:"
    )
    yield ""
    yield "| study | seeds | GPU h saved | smallest difference, sd |"
    yield "|---|---|---|---|"
    for option in options:
        saved = "as planned" if option.is_planned else _hours(option.saved_gpu_hours)
        yield f"| {option.study} | {option.n_seeds} | {saved} | {option.detectable_sd:.1f} |"


def _study_row(study: StudyBudget) -> str:
    cells = (
        study.study,
        study.n_runs,
        _hours(study.longest_gpu_hours),
        _hours(study.gpu_hours),
        study.gpus,
        _hours(study.longest_wall_hours),
        f"{study.walltimes:.1f}",
        f"{study.mem_mb / 1000:.0f}",
        f"{study.weights_gb:.1f}",
    )
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _hours(hours: float) -> str:
    """Whole hours, and tenths of few."""
    return f"{hours:.1f}" if hours < 10 else f"{hours:,.0f}"
