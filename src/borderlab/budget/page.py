"""A budget as Markdown: printed by `borderlab plan`, kept in docs/paper_scale.md between two marks."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from borderlab.budget.assumptions import JOB_START_S, Speed
from borderlab.budget.estimate import (
    HOUR_S,
    TrainingBudget,
    VideoBudget,
    longest_chain,
    training_budgets,
    video_budgets,
)
from borderlab.budget.parts import Part, SeedOption, chain_hours, gb_of, hours_of, parts_of, seed_options
from borderlab.errors import ConfigError
from borderlab.files import write_text
from borderlab.papers.loading import load_papers
from borderlab.plan import Plan

Row = dict[str, str]

BEGIN, END = "<!-- begin: borderlab budget -->", "<!-- end: borderlab budget -->"


def budget_page(plan: Plan, speed: Speed) -> str:
    """The whole budget of `plan`.

    Raises:
        ConfigError: if a size, a network's operations or a paper's folder is not known or not right.
    """
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
    trainings = training_budgets(plan, speed)
    yield f"Speed: {speed.tflop_per_s:g} TFLOP/s for a GPU, {speed.cpu_tflop_per_s:g} for a CPU thread."
    yield f"Trainings: {len(plan.runs) + len(plan.motion_models)}, {_total(trainings)}."
    yield f"Beside them {_starts(plan)}"
    yield from _table(map(_training_row, trainings))
    yield from _table(map(_video_row, video_budgets(plan)))
    yield from _disk(plan, trainings)
    parts = parts_of(plan, load_papers(Path(plan.config.folders.papers)))
    if parts:
        yield ""
        yield (
            "By published table, then what studies make beside them. Work that several rows need counts in "
            "each of them; what is saved and lost without a row is what it needs alone."
        )
        yield from _table(_part_row(plan, part, speed) for part in parts)
        yield from _left_out(plan, parts, speed)
    chain = longest_chain(plan, speed, plan.runs)
    if chain:
        training, last = chain[-1]
        # Without the hash: the page would be out of step with every edit of the training code.
        name = training.split()[-1].rpartition("-")[0]
        whole = _short(sum(hours for _, hours in chain))
        yield ""
        yield f"Longest chain: {whole} hours, of which {_short(last)} are one training ({name})."


def _total(trainings: Sequence[TrainingBudget]) -> str:
    on_gpu = sum(own.hours for own in trainings if own.on_gpu)
    on_cpu = sum(own.hours for own in trainings if not own.on_gpu)
    parts = [f"{_short(on_gpu)} GPU hours"] if on_gpu else []
    parts += [f"{_short(on_cpu)} hours of CPU jobs"] if on_cpu or not parts else []
    return ", ".join(parts)


def _starts(plan: Plan) -> str:
    """What no row of the tables counts; of a small experiment it is the larger part."""
    trainings = len(plan.runs) + len(plan.motion_models)
    n_jobs = trainings + len(plan.runs) + len(plan.motions) + len(plan.syntheses) + len(plan.scores) + len(plan.probes)
    hours = _short(n_jobs * JOB_START_S / HOUR_S)
    return f"{hours} CPU hours for {n_jobs} jobs to start; evaluations, scores and probes are not counted."


def _training_row(own: TrainingBudget) -> Row:
    resources = own.resources
    nodes = f" on {resources.nodes} nodes" if resources.nodes > 1 else ""
    return {
        "study": own.name,
        "trainings": str(own.n_runs),
        "device": f"{resources.gpus} GPU{'s' if resources.gpus > 1 else ''}{nodes}" if own.on_gpu else "CPU",
        "h, longest": _short(own.longest_hours),
        "h, all": _short(own.hours),
        "wall h, longest": _short(own.longest_wall_hours),
        "walltimes": f"{own.walltimes:.1f}",
        "memory, GB": f"{resources.mem_mb / 1000:.0f}",
        "weights, GB": _short(own.weights_gb),
    }


def _video_row(own: VideoBudget) -> Row:
    return {
        "step": own.kind,
        "data set": own.dataset,
        "jobs": str(own.n_jobs),
        "flows or frames": f"{own.n_frames:,}",
        "CPU h": _short(own.cpu_hours),
        "CPU h, longest job": _short(own.longest_cpu_hours),
        "disk, GB": _short(own.gb),
    }


def _disk(plan: Plan, trainings: Sequence[TrainingBudget]) -> Iterator[str]:
    weights = sum(own.weights_gb for own in trainings)
    disk = weights + sum(own.gb for own in video_budgets(plan))
    checkpoints = max((own.checkpoints_gb for own in trainings), default=0.0)
    yield ""
    yield (
        f"Artifacts: {_short(disk)} GB, of which weights {_short(weights)} GB. While it lasts, a training also keeps "
        f"up to {_short(checkpoints)} GB of checkpoints."
    )
    learned = {model.label for model in plan.motion_models.values()}
    if learned:
        yield f"Flows of learned motion models are counted as DIS medium's CPU time: {', '.join(sorted(learned))}."


def _part_row(plan: Plan, part: Part, speed: Speed) -> Row:
    whole, alone = hours_of(plan, part.needs, speed), hours_of(plan, part.alone, speed)
    return {
        "part": part.name,
        "cells": f"{part.n_cells} of {part.n_published}" if part.n_published else "",
        "jobs": str(part.needs.n_jobs),
        "GPU h": _short(whole.gpu),
        "CPU h": _short(whole.cpu),
        "disk, GB": _short(gb_of(plan, part.needs)),
        "longest chain, h": _short(chain_hours(plan, part, speed)),
        "GPU h saved": _short(alone.gpu),
        "CPU h saved": _short(alone.cpu),
        "cases of claims lost": ", ".join(f"{name} {n} of {of}" for name, (n, of) in part.lost.items()),
    }


def _left_out(plan: Plan, parts: Iterable[Part], speed: Speed) -> Iterator[str]:
    """What fewer seeds save, at which loss of certainty."""
    by_part = [list(seed_options(plan, part, speed)) for part in parts]
    options = [option for own in by_part for option in own if any(each.saved.gpu or each.saved.cpu for each in own)]
    if not options:
        return
    yield ""
    yield (
        "What fewer seeds save, and the smallest true difference that a paired test (5 %) then finds in 80 of 100 "
        "cases: in standard deviations of the paired differences and, where the paper prints its runs, in points (both "
        "sides of a pair as spread as those runs, and independent)."
    )
    yield from _table(_seed_row(option) for option in options)


def _seed_row(option: SeedOption) -> Row:
    points = option.detectable_points
    return {
        "part": option.part,
        "seeds": f"{option.n_seeds}{', as planned' if option.is_planned else ''}",
        "GPU h saved": _short(option.saved.gpu),
        "CPU h saved": _short(option.saved.cpu),
        "smallest difference, sd": f"{option.detectable_sd:.1f}",
        "smallest difference, points": "" if points is None else f"{points:.2f}",
    }


def _table(rows: Iterable[Row]) -> Iterator[str]:
    """Lines of a table, without the columns that say nothing in any row; none without rows.

    Columns are of one width, for those who read it in a terminal, but for the last, which may be long.
    """
    kept = list(rows)
    if not kept:
        return
    columns = [name for name in kept[0] if any(row[name] not in ("", "0") for row in kept)]
    widths = [max(len(row[name]) for row in [*kept, {name: name}]) for name in columns[:-1]] + [3]
    yield ""
    for cells in (columns, ["-" * width for width in widths], *([row[name] for name in columns] for row in kept)):
        yield f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))} |"


def _short(value: float) -> str:
    """Hours or gigabytes: whole ones, tenths of few, and hundredths of less than one."""
    if value == 0:
        return "0"
    if value < 0.01:
        return "< 0.01"
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"
