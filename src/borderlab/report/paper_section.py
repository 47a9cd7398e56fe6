"""The section of the page about the papers: their claims with a verdict, and their numbers beside ours."""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from borderlab.papers.loading import load_papers
from borderlab.papers.schema import Paper
from borderlab.report.artifacts import TabulationInput
from borderlab.report.paper_schemas import PUBLISHED_SCALE, VERDICTS
from borderlab.report.rows import Row, records
from borderlab.report.tabulate import Tables
from borderlab.report.view import (
    AGAIN,
    MISSING,
    Cell,
    Column,
    Note,
    Section,
    Table,
    interval,
    line_of,
    mean_sd,
    number,
    rerun_cell,
)
from borderlab.statistics.power import MOST_RUNS

LEAD = (
    "Which claims of the two papers hold, with what certainty? Claims, sides and the smallest difference that counts "
    "were fixed before the runs."
)
RULES = (
    "Effect: mean of the left side minus the right, in points, with its 95 % t interval. Verdicts use p-values that "
    "are corrected over the cases of a claim (Holm, 5 %): a gain is shown above 0 and excluded below the margin; what "
    "is neither is inconclusive, with the number of further runs that would decide in 80 of 100 cases if effect and "
    "spread stay as they are. “Best epoch” is chosen on the evaluation split and therefore optimistic; it decides only "
    "where the paper itself reports it."
)
SPREADS = (
    "A printed standard deviation follows one of several conventions. Where single runs are published, each is "
    "computed again: the sample's divides the sum of squares by n\u00a0−\u00a01, the population's by n; "
    "n\u00a0+\u00a01 comes about where a formula counts the cell of the average as one more run. Compare the sample's."
)
NO_COMMAND = Cell("", copies=True)
MEASURE_TITLES = {"evaluation": "final weights", "best": "best epoch, optimistic"}


def paper_section(tables: Tables, inputs: TabulationInput) -> Section:
    """Verdicts, published cells, and what scale they are about."""
    claims, cells = tables["claims"], tables["paper_cells"]
    if claims.empty and cells.empty:
        where = "no folder of papers was named" if inputs.papers is None else f"{inputs.papers}/ holds no paper"
        return Section("papers", "The papers", LEAD, [], f"Nothing to compare with: {where}.")
    papers = [] if inputs.papers is None else load_papers(inputs.papers)
    parts: list[Any] = [
        *(Note(_who(paper)) for paper in papers),
        Note(scale_text(inputs.scale)),
        glance_table(claims, inputs.scale),
        Note(RULES),
        claims_table(claims, inputs.config),
    ]
    parts += [Note(_holes(cells)), published_table(papers, cells), cells_table(cells, inputs.config)]
    parts += [Note(SPREADS + _mixed(cells))]
    return Section("papers", "The papers", LEAD, parts)


def scale_text(scale: str) -> str:
    """What verdicts at a scale are about."""
    if scale == "paper":
        return (
            "Verdicts marked “paper” are about the paper's own setting, as far as the configuration knows it; others "
            "are about the case beside them."
        )
    return (
        f"Every verdict from this experiment is about this experiment, at the scale “{scale}”: its data, networks and "
        "schedules are smaller than the papers', and no verdict here is about a paper's own number."
    )


def glance_table(claims: pd.DataFrame, scale: str) -> Table:
    """One row for each claim: how its cases ended."""
    rows = []
    for (paper, _), own in claims[claims["decides"]].groupby(["paper", "claim"], sort=False):
        first = records(own)[0]
        ends = [_ends(own, evidence) for evidence in ("published", "experiment")]
        name = f"{paper}/{first['claim']}: {first['place']}"
        rows.append([Cell(first["statement"], note=name), *map(Cell, ends)])
    columns = [Column("Claim", note="paper/name: place", prose=True), Column("On the published runs", prose=True)]
    columns.append(Column("On this experiment's runs", note=scale, prose=True))
    return Table("table-glance", "Claims at a glance", columns, rows)


def _ends(own: pd.DataFrame, evidence: str) -> str:
    found = own[own["evidence"] == evidence]["verdict"].value_counts()
    if len(found) == 0:
        return "none published"
    total = "" if found.sum() == 1 else f" of {found.sum()}"
    return ", ".join(f"{found[name]}{total} {name}" if total else name for name in VERDICTS if name in found)


def claims_table(claims: pd.DataFrame, config: str) -> Table:
    """Every claim and case, the published runs first; `config` has the runs of this experiment."""
    shown = claims.sort_values("evidence", ascending=False, kind="stable")
    rows = [
        [*_claim_row(row), rerun_cell(line_of("claims", index), config) if row["left_runs"] else NO_COMMAND]
        for index, row in zip(shown.index, records(shown), strict=True)
    ]
    columns = [Column("Claim", note="paper"), Column("Verdict", note="scale")]
    columns += [Column("Effect", True, "points, 95 % interval"), Column("Margin", True, "points"), Column("n", True)]
    columns += [Column("Case", note="sides", prose=True)]
    columns += [Column("p for", True, "Holm"), Column("p against", True, "Holm"), Column("p by permutation", True)]
    columns += [Column("Detectable", True, "points"), Column("Measure"), AGAIN]
    return Table("table-claims", "Verdicts, case by case", columns, rows, filterable=True)


def published_table(papers: Iterable[Paper], cells: pd.DataFrame) -> Table:
    """Every published table: what it is, and how many of its cells were seen and measured."""
    rows = []
    for paper in papers:
        for table in paper.tables:
            own = cells[(cells["paper"] == paper.name) & (cells["table"] == table.name)]
            counts = (len(own), (own["verified"] != "no").sum(), (own["status"] == "measured").sum())
            name = Cell(table.name, note=paper.name)
            rows.append(
                [name, Cell(table.spec.title, note=table.spec.place), *(Cell(str(n), float(n)) for n in counts)]
            )
    columns = [Column("Table", note="paper"), Column("What it is", note="place", prose=True), Column("Cells", True)]
    columns += [Column("With a value", True), Column("Measured here", True)]
    return Table("table-published", "Published tables", columns, rows)


def cells_table(cells: pd.DataFrame, config: str) -> Table:
    """Every published cell, with what was measured for it; `config` has the runs of those that were."""
    rows = [[*_cell_row(row), _cell_again(row, config)] for row in records(cells)]
    columns = [
        Column("Table", note="paper"),
        Column("Cell", note="row, column", prose=True),
        Column("Published", True, "± printed sd"),
    ]
    columns += [Column("Printed sd", note="divides by"), Column("Sample sd", True, "n − 1")]
    columns += [Column("Measured here", True, "mean ± sd"), Column("Difference", True, "95 % interval")]
    columns += [Column("State"), Column("Source", prose=True), AGAIN]
    return Table("table-cells", "Published numbers", columns, rows, filterable=True)


def _claim_row(row: Row) -> list[Cell]:
    low, high = row["low_points"], row["high_points"]
    margin = "less than " if row["kind"] == "no_gain" else ""
    setting = "the paper's setting" if row["paper_setting"] else "not the paper's setting"
    scale = row["scale"] if row["scale"] == PUBLISHED_SCALE else f"{row['scale']}, {setting}"
    decided = row["verdict"] not in ("inconclusive", "not run")
    return [
        Cell(row["claim"], note=row["paper"]),
        Cell(row["verdict"], note="; ".join(filter(None, (scale, _more(row)))), strong=decided),
        Cell(interval(row["effect_points"], low, high), float(row["effect_points"])),
        Cell(f"{margin}{number(row['margin_points'])}", float(row["margin_points"])),
        Cell(str(row["n"]), float(row["n"])),
        Cell(row["case"] or MISSING, note=f"{row['left']} against {row['right']}"),
        *(_p_cell(row[name]) for name in ("p_for", "p_against", "p_exact")),
        Cell(number(row["detectable_points"]), float(row["detectable_points"])),
        Cell(MEASURE_TITLES[row["measure"]], note="decides" if row["decides"] else "beside it"),
    ]


def _more(row: Row) -> str:
    if row["verdict"] != "inconclusive":
        return ""
    if pd.isna(row["more_runs"]):
        return "no spread to judge by"
    more = int(row["more_runs"])
    noun = "published runs on each side" if row["scale"] == PUBLISHED_SCALE else "seeds"
    return f"more than {MOST_RUNS} {noun}" if more >= MOST_RUNS - 100 else f"about {more} more {noun}"


def _p_cell(value: float) -> Cell:
    text = MISSING if math.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"
    return Cell(text, float(value))


def _cell_row(row: Row) -> list[Cell]:
    printed = "not seen" if row["verified"] == "no" else f"{row['published']:.10g}".replace("-", "−")
    if not math.isnan(row["printed_sd"]):
        printed = f"{printed} ± {number(row['printed_sd'], 3)}"
    n_published: str = "" if pd.isna(row["n_published"]) else f"n = {row['n_published']}"
    state = row["status"] if row["status"] != "measured" else f"measured at scale “{row['scale']}”"
    return [
        Cell(row["table"], note=row["paper"]),
        Cell(row["row"], note=row["column"]),
        Cell(printed, float(row["published"]), note=n_published),
        Cell(_divisor(row["printed_sd_is"]) or MISSING),
        Cell(number(row["sample_sd"], 3), float(row["sample_sd"])),
        Cell(
            mean_sd(row["measured"], row["measured_sd"], row["n_measured"]),
            float(row["measured"]),
            note=f"n = {row['n_measured']}" if row["n_measured"] else "",
        ),
        Cell(interval(row["difference"], row["difference_low"], row["difference_high"]), float(row["difference"])),
        Cell(state),
        Cell(row["source"] or MISSING, note=row["verified"] if row["verified"] != "no" else row["note"]),
    ]


def _cell_again(row: Row, config: str) -> Cell:
    makers = {"measured": config, "not run": row["config"]}
    return rerun_cell(row["cell"], makers[row["status"]]) if row["status"] in makers else NO_COMMAND


def _who(paper: Paper) -> str:
    info = paper.info
    arxiv = f", arXiv:{info.arxiv}" if info.arxiv else ""
    return f"{paper.name}: {info.authors} {info.year}, “{info.title}”{arxiv}. {info.note}"


def _mixed(cells: pd.DataFrame) -> str:
    """Which published tables print standard deviations of more than one convention, and in which columns."""
    known = cells[cells["printed_sd_is"] != ""]
    found = ""
    for (paper, table), own in known.groupby(["paper", "table"], sort=False):
        by_convention = own.groupby("printed_sd_is")["column"].agg(lambda names: ", ".join(sorted(set(names))))
        if len(by_convention) > 1:
            parts = [f"{convention} in {columns}" for convention, columns in by_convention.items()]
            found += f" {paper}/{table} mixes them: {'; '.join(parts)}."
    return _divisor(found)


def _divisor(text: str) -> str:
    """Divisors as a reader writes them, on one line."""
    return text.replace("n - 1", "n\u00a0−\u00a01").replace("n + 1", "n\u00a0+\u00a01")


def _holes(cells: pd.DataFrame) -> str:
    unseen = int((cells["verified"] == "no").sum())
    secondary = int((cells["verified"] == "secondary").sum())
    return (
        f"{len(cells)} published cells; {secondary} are quoted by others than the authors, and {unseen} were not seen "
        "by us and have no value: with the paper at hand, fill them in in papers/ and make the report again."
    )
