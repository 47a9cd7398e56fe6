"""A budget as Markdown: printed by `borderlab plan`, kept in docs/paper_scale.md between two marks."""

from collections.abc import Iterator
from pathlib import Path

from borderlab.budget.assumptions import Speed
from borderlab.budget.certainty import seed_options
from borderlab.budget.estimate import StudyBudget, critical_path_hours, study_budgets, video_budgets
from borderlab.budget.tables import table_budgets
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
    if studies:
        yield from _training_lines(plan, studies, speed)
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
    checkpoints = max((study.checkpoints_gb / study.n_runs for study in studies), default=0.0)
    disk = weights + sum(video.gb for video in videos)
    yield (
        f"Artifacts: {_few(disk)} GB, of which weights {_few(weights)} GB. While it lasts, a training also keeps up to "
        f"{_few(checkpoints)} GB of checkpoints."
    )
    if plan.motion_models:
        yield ""
        yield (
            f"Learned motion models: {len(plan.motion_models)} trainings, not counted. Their flows are counted as DIS "
            "medium's CPU time."
        )
    yield from _seed_lines(plan, speed)
    path = critical_path_hours(plan, speed)
    if not path:
        return
    hours = sum(hours for _, hours in path)
    training, last = path[-1]
    yield ""
    # Without the hash: the page would be out of step with every edit of the training code.
    name = training.split()[-1].rpartition("-")[0]
    yield f"Longest chain: {_few(hours)} hours, of which {_few(last)} are one training ({name})."


def _training_lines(plan: Plan, studies: list[StudyBudget], speed: Speed) -> Iterator[str]:
    unit = f"{speed.device} h"
    total = sum(study.hours for study in studies)
    yield (
        f"One {speed.device} at {speed.tflop_per_s:g} TFLOP/s. Trainings: {len(plan.runs)}, {_few(total)} "
        f"{speed.device} hours."
    )
    yield ""
    heads = ("study", "trainings", f"{unit}, longest", f"{unit}, all", "GPUs", "wall h, longest", "walltimes")
    yield f"| {' | '.join((*heads, 'memory, GB', 'weights, GB'))} |"
    yield "|---|---|---|---|---|---|---|---|---|"
    yield from map(_study_row, studies)
    tables = list(table_budgets(plan, speed))
    if tables:
        yield ""
        yield (
            "By table of the papers; a training that fills cells of several tables, or that others start from, counts "
            "in each:"
        )
        yield ""
        yield f"| paper | table | cells | filled | trainings | {unit} |"
        yield "|---|---|---|---|---|---|"
        for table in tables:
            cells = f"{table.n_cells} | {table.n_filled} | {table.n_runs} | {_few(table.hours)}"
            yield f"| {table.paper} | {table.table} | {cells} |"


def _seed_lines(plan: Plan, speed: Speed) -> Iterator[str]:
    """What can be left out, and at which loss of certainty."""
    options = list(seed_options(plan, speed))
    if not any(option.saved_hours for option in options):
        return
    yield ""
    yield (
        "What fewer seeds save, and the smallest true difference that a paired test (5 %) then finds in 80 of 100 "
        "cases, in standard deviations of the paired differences:"
    )
    yield ""
    yield f"| study | seeds | {speed.device} h saved | smallest difference, sd |"
    yield "|---|---|---|---|"
    for option in options:
        saved = "as planned" if option.is_planned else _few(option.saved_hours)
        yield f"| {option.study} | {option.n_seeds} | {saved} | {option.detectable_sd:.1f} |"


def _study_row(study: StudyBudget) -> str:
    cells = (
        study.study,
        study.n_runs,
        _few(study.longest_hours),
        _few(study.hours),
        study.gpus,
        _few(study.longest_wall_hours),
        f"{study.walltimes:.1f}",
        f"{study.mem_mb / 1000:.0f}",
        _few(study.weights_gb),
    )
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _few(amount: float) -> str:
    """Hours or gigabytes: whole ones where there are many, tenths or hundredths where there are few."""
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.1f}" if amount >= 0.1 else f"{amount:.2f}"
