"""What can be left out of a plan on its own: published tables, and studies that make none of their cells.

A part counts the runs behind it and all that those rest on: runs they start from, samples, motion, motion models.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import fmean

import pandas as pd

from borderlab.budget.assumptions import Speed
from borderlab.budget.estimate import Trained, longest_chain, training_hours, video_gb, video_hours, weights_gb
from borderlab.papers.conventions import standard_deviation
from borderlab.papers.planned import planned_rows, sides_of_cell
from borderlab.papers.schema import Paper, PublishedTable, ResultsTable
from borderlab.papers.selection import RUN_COLUMN, cases_of
from borderlab.plan import Plan
from borderlab.statistics.power import minimum_detectable_effect

FEWEST_SEEDS = 2


@dataclass(frozen=True)
class Hours:
    """Of GPUs, and of jobs that use none."""

    gpu: float
    cpu: float


@dataclass(frozen=True)
class Needs:
    """Names of planned results."""

    runs: frozenset[str] = frozenset()
    probes: frozenset[str] = frozenset()
    motion_models: frozenset[str] = frozenset()
    motions: frozenset[str] = frozenset()
    syntheses: frozenset[str] = frozenset()

    def __or__(self, other: "Needs") -> "Needs":
        return Needs(*(own | others for own, others in zip(self._kinds, other._kinds, strict=True)))

    def __sub__(self, other: "Needs") -> "Needs":
        return Needs(*(own - others for own, others in zip(self._kinds, other._kinds, strict=True)))

    @property
    def n_jobs(self) -> int:
        """Jobs of the workflow; every training is evaluated by a second one."""
        return len(self.runs) + sum(map(len, self._kinds))

    @property
    def _kinds(self) -> tuple[frozenset[str], ...]:
        return self.runs, self.probes, self.motion_models, self.motions, self.syntheses


@dataclass(frozen=True)
class Part:
    """One part of a plan.

    `n_cells` of `n_published` cells of its tables are made, 0 of 0 for a study; `runs` are those that it shows, `needs`
    all that it takes and `alone` what no other part takes: what leaving it out saves. `lost` tells, by claim, how many
    of the plan's cases are then not put to the test, and how many there are. `run_sd` is the standard deviation of one
    published run, in points: None where no runs are published.
    """

    name: str
    n_cells: int
    n_published: int
    runs: frozenset[str]
    needs: Needs
    alone: Needs
    lost: Mapping[str, tuple[int, int]]
    run_sd: float | None


@dataclass(frozen=True)
class SeedOption:
    """A part with some number of seeds.

    The smallest true difference that a paired test then finds in 80 of 100 cases: in standard deviations of the paired
    differences, and in points, if published runs tell their spread and the two sides of a pair vary independently.
    """

    part: str
    n_seeds: int
    is_planned: bool
    saved: Hours
    detectable_sd: float
    detectable_points: float | None


def parts_of(plan: Plan, papers: Iterable[Paper]) -> list[Part]:
    """Tables with a cell that the plan makes, then what studies make beside them; tables of equal needs are one."""
    known = list(papers)
    results = planned_rows(plan)
    tables = list(_table_parts(plan, known, results))
    found = _merged([*tables, *_study_parts(plan, tables)])
    others = [_union(other.needs for other in found if other is not part) for part in found]
    return [
        replace(part, alone=part.needs - other, lost=dict(_lost_cases(part.needs - other, known, results)))
        for part, other in zip(found, others, strict=True)
    ]


def hours_of(plan: Plan, needs: Needs, speed: Speed) -> Hours:
    """What making `needs` takes."""
    trained: list[Trained] = [plan.runs[name] for name in needs.runs]
    trained += [plan.motion_models[name] for name in needs.motion_models]
    on_gpu = sum(training_hours(own, speed) for own in trained if own.resources.gpus)
    on_cpu = sum(training_hours(own, speed) for own in trained if not own.resources.gpus)
    moved = video_hours(plan.motions[name] for name in needs.motions)
    return Hours(on_gpu, on_cpu + moved + video_hours(plan.syntheses[name] for name in needs.syntheses))


def gb_of(plan: Plan, needs: Needs) -> float:
    """Weights, flows and samples on disk."""
    flows = video_gb(plan.motions[name] for name in needs.motions)
    samples = video_gb(plan.syntheses[name] for name in needs.syntheses)
    return weights_gb(plan.runs[name] for name in needs.runs) + flows + samples


def chain_hours(plan: Plan, part: Part, speed: Speed) -> float:
    """The longest chain of jobs to any run of `part`."""
    return sum(hours for _, hours in longest_chain(plan, speed, part.runs))


def seed_options(plan: Plan, part: Part, speed: Speed) -> Iterator[SeedOption]:
    """`part` as it is planned, and with each smaller number of seeds down to two; none for fewer than three."""
    seeds = sorted({plan.runs[run].spec.seed for run in part.runs})
    for n_seeds in range(len(seeds), FEWEST_SEEDS - 1, -1) if len(seeds) > FEWEST_SEEDS else ():
        dropped = frozenset(run for run in part.alone.runs if plan.runs[run].spec.seed in seeds[n_seeds:])
        in_sd = minimum_detectable_effect(1.0, n_seeds)
        points = None if part.run_sd is None else in_sd * part.run_sd * 2**0.5
        saved = hours_of(plan, Needs(runs=dropped), speed)
        yield SeedOption(part.name, n_seeds, n_seeds == len(seeds), saved, in_sd, points)


def _table_parts(plan: Plan, papers: Iterable[Paper], results: Mapping[ResultsTable, pd.DataFrame]) -> Iterator[Part]:
    for paper in papers:
        for table in paper.tables:
            found = [sides_of_cell(table, cell, results[table.spec.results]) for cell in table.cells]
            cells = [pd.concat(sides) for sides in found if sides]
            if cells:
                rows = pd.concat(cells)
                own = frozenset(rows[RUN_COLUMN[table.spec.results]]) & plan.runs.keys()
                probes = frozenset(rows["probe"]) if "probe" in rows else frozenset()
                needs = _needs(plan, own) | Needs(probes=probes)
                name = f"{paper.name}/{table.name}"
                yield Part(name, len(cells), len(table.cells), own, needs, Needs(), {}, _published_sd(table))


def _study_parts(plan: Plan, tables: Iterable[Part]) -> Iterator[Part]:
    taken = _union(part.needs for part in tables).runs
    for study in plan.config.studies:
        own = frozenset(name for name, planned in plan.runs.items() if study.name in planned.studies)
        if own - taken:
            name = f"study {study.name}" if own.isdisjoint(taken) else f"rest of study {study.name}"
            yield Part(name, 0, 0, own - taken, _needs(plan, own - taken), Needs(), {}, None)


def _merged(parts: Iterable[Part]) -> list[Part]:
    """Tables of the same needs as one part: neither can be left out without the other's work staying."""
    found: dict[Needs, Part] = {}
    for part in parts:
        first = found.get(part.needs)
        found[part.needs] = part if first is None else _both(first, part)
    return list(found.values())


def _both(first: Part, second: Part) -> Part:
    return replace(
        first,
        name=f"{first.name}, {second.name.split('/')[-1]}",
        n_cells=first.n_cells + second.n_cells,
        n_published=first.n_published + second.n_published,
        run_sd=first.run_sd if second.run_sd is None else second.run_sd,
    )


def _needs(plan: Plan, runs: Iterable[str]) -> Needs:
    """`runs` and all that they rest on."""
    found: set[str] = set()
    waiting = list(runs)
    while waiting:
        run = waiting.pop()
        start = plan.runs[run].spec.start_from
        waiting += [start] if start is not None and start not in found else []
        found.add(run)
    syntheses = {name for run in found for name in plan.syntheses_of_run(run)}
    motions = {plan.motion_of_synthesis(name) for name in syntheses}
    models = {plan.motions[name].model for name in motions} & plan.motion_models.keys()
    return Needs(frozenset(found), frozenset(), frozenset(models), frozenset(motions), frozenset(syntheses))


def _union(needs: Iterable[Needs]) -> Needs:
    whole = Needs()
    for own in needs:
        whole |= own
    return whole


def _lost_cases(
    without: Needs, papers: Iterable[Paper], results: Mapping[ResultsTable, pd.DataFrame]
) -> Iterator[tuple[str, tuple[int, int]]]:
    for paper in papers:
        for claim in paper.claims:
            cases = [pd.concat([case.left, case.right]) for case in cases_of(results[claim.results], claim)]
            lost = sum(not _rests_on(case, claim.results).isdisjoint(without.runs | without.probes) for case in cases)
            if lost:
                yield f"{paper.name}/{claim.id}", (lost, len(cases))


def _rests_on(rows: pd.DataFrame, results: ResultsTable) -> set[str]:
    return set(rows[RUN_COLUMN[results]]) | (set(rows["probe"]) if "probe" in rows else set())


def _published_sd(table: PublishedTable) -> float | None:
    """Root mean square over cells of the standard deviation of their published runs."""
    variances = [standard_deviation(cell.runs, "n - 1") ** 2 for cell in table.cells if len(cell.runs) > 1]
    return fmean(variances) ** 0.5 if variances else None
