"""Commands about what results are worth: compared with others, made again."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Need(StrEnum):
    """Agreement that `compare` asks for."""

    identical = "identical"
    tolerance = "tolerance"
    intervals = "intervals"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(compare)


def compare(
    one: Annotated[Path, typer.Argument(help="Folder of results, such as results/smoke.")],
    other: Annotated[Path, typer.Argument(help="Folder that it is compared with.")],
    need: Annotated[
        Need, typer.Option(help="Least agreement; with less the command ends with status 1.")
    ] = Need.tolerance,
    tolerance: Annotated[float, typer.Option(min=0, help="Largest difference that counts as agreement.")] = 1e-6,
    page: Annotated[Path | None, typer.Option(help="Also write this HTML page.")] = None,
) -> None:
    """Compare two trees of results, number by number: identical, within tolerance, within intervals, or not."""
    from borderlab.comparison.agreement import Level, compare_trees, failures
    from borderlab.comparison.page import write_page
    from borderlab.comparison.trees import read_tree

    trees = read_tree(one), read_tree(other)
    cells = compare_trees(*trees, tolerance)
    failed = failures(cells, Level[need.name.upper()])
    for level in Level:
        typer.echo(f"{level.title}: {sum(cell.level is level for cell in cells)}")
    for tree in trees:
        for name in tree.edited:
            typer.echo(f"{tree.folder / name}: changed after publication")
    for cell in failed[:_SHOWN]:
        typer.echo(f"{cell.level.title}: {cell.table}: {cell.row}: {cell.column}: {cell.one} -> {cell.other}")
    if len(failed) > _SHOWN:
        typer.echo(f"... and {len(failed) - _SHOWN} more; --page FILE shows all of them")
    if page is not None:
        write_page(*trees, cells, len(failed), page)
        typer.echo(str(page))
    if failed or any(tree.edited for tree in trees):
        raise typer.Exit(1)


_SHOWN = 20
