"""The page of a comparison: counts by table, and every number that does not agree to the last digit."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from borderlab.comparison.agreement import CellAgreement, Level
from borderlab.comparison.trees import Tree
from borderlab.files import write_text
from borderlab.report.page import content_security_policy, environment, template_text
from borderlab.report.view import Cell, Column, Table

MOST_ROWS = 5000
_SHOWN = (Level.DIFFERENT, Level.MISSING, Level.INTERVALS, Level.TOLERANCE)


def write_page(
    trees: tuple[Tree, Tree],
    cells: Sequence[CellAgreement],
    lone: Sequence[str],
    needed: Level,
    failed: int,
    path: Path,
) -> None:
    """Write the comparison of two trees to `path` as one HTML file.

    Args:
        trees: the two.
        cells: every number of both with its level.
        lone: columns that only one of them has.
        needed: the level asked for.
        failed: how many numbers agree less.
        path: the page.
    """
    script = template_text("report.js")
    differing = [cell for level in _SHOWN for cell in cells if cell.level is level]
    tables = [counts_table(cells)]
    if differing:
        tables.append(_cells_table(differing[:MOST_ROWS]))
    text = (
        environment()
        .get_template("comparison.html.j2")
        .render(
            one=trees[0],
            other=trees[1],
            needed=needed.title,
            failed=failed,
            lone=lone,
            left_out=max(len(differing) - MOST_ROWS, 0),
            tables=tables,
            css=Markup(template_text("report.css")),  # noqa: S704  (our own file)
            script=Markup(script),  # noqa: S704  (our own file)
            policy=content_security_policy(script),
        )
    )
    write_text(path, text)


def counts_table(cells: Sequence[CellAgreement]) -> Table:
    """Numbers by table and level."""
    counts = Counter((cell.table, cell.level) for cell in cells)
    columns = [Column("Table"), *(Column(level.title, True) for level in Level)]
    rows = [
        [Cell(name), *(Cell(str(counts[name, level]), float(counts[name, level])) for level in Level)]
        for name in dict.fromkeys(cell.table for cell in cells)
    ]
    return Table("table-counts", "Numbers by agreement", columns, rows)


def _cells_table(cells: Sequence[CellAgreement]) -> Table:
    columns = [Column("Agreement"), Column("Table"), Column("Row", prose=True), Column("Column")]
    columns += [Column("One", True), Column("Other", True)]
    rows = [
        [Cell(c.level.title), Cell(c.table), Cell(c.row), Cell(c.column), Cell(c.one), Cell(c.other)] for c in cells
    ]
    return Table("table-cells", "Numbers that are not identical", columns, rows, filterable=True)
