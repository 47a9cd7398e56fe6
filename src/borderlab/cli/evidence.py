"""Commands about what results are worth: compared with others, made again."""

from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from borderlab.cli.steps import DEFAULT_CONFIG, Config
from borderlab.workflow import Workflow

Cell = Annotated[
    str,
    typer.Argument(
        help="A run, score, probe or motion model; a row as TABLE:LINE (summary:5); or a published cell "
        "(paper/table/row/column)."
    ),
]
Snakefile = Annotated[Path, typer.Option(help="The workflow.")]
Cores = Annotated[str, typer.Option(help="CPU cores, or 'all'.")]


class Need(StrEnum):
    """Agreement that `compare` asks for."""

    identical = "identical"
    tolerance = "tolerance"
    intervals = "intervals"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (compare, rerun, verify, crate):
        app.command()(command)


def compare(
    one: Annotated[Path, typer.Argument(help="Folder of results, such as results/smoke.")],
    other: Annotated[Path, typer.Argument(help="Folder that it is compared with.")],
    need: Annotated[
        Need, typer.Option(help="Least agreement; with less the command ends with status 1.")
    ] = Need.tolerance,
    tolerance: Annotated[float, typer.Option(min=0, help="Largest difference that counts as agreement.")] = 1e-6,
    page: Annotated[Path | None, typer.Option(help="Also write this HTML page.")] = None,
) -> None:
    """Compare two trees of results, number by number.

    Each number is identical, within a tolerance, within intervals, or different.
    """
    from borderlab.comparison.agreement import Level, common_runs, compare_trees, failures, lone_columns
    from borderlab.comparison.page import write_page
    from borderlab.comparison.trees import read_tree

    trees = read_tree(one), read_tree(other)
    cells = compare_trees(*trees, tolerance)
    needed = Level[need.name.upper()]
    failed = failures(cells, needed)
    typer.echo(common_runs(*trees))
    for level in Level:
        typer.echo(f"{level.title}: {sum(cell.level is level for cell in cells)}")
    lone = list(lone_columns(*trees))
    for column in lone:
        typer.echo(f"not compared: {column}")
    for tree in trees:
        for name in tree.edited:
            typer.echo(f"{tree.folder / name}: changed after publication")
    if page is not None:
        write_page(trees, cells, lone, needed, len(failed), page)
        typer.echo(str(page))
    # What differs says more than what one side lacks.
    for cell in sorted(failed, key=lambda cell: cell.level is not Level.DIFFERENT)[:_SHOWN]:
        typer.echo(f"{cell.level.title}: {cell.table}: {cell.row}: {cell.column}: {cell.one} -> {cell.other}")
    if len(failed) > _SHOWN:
        typer.echo(f"... and {len(failed) - _SHOWN} more; --page FILE shows all of them")
    if failed or any(tree.edited for tree in trees):
        raise typer.Exit(1)


def rerun(
    cell: Cell,
    config: Config = DEFAULT_CONFIG,
    into: Annotated[Path, typer.Option(help="Folder that the runs are made in.")] = Path("rerun"),
    snakefile: Snakefile = Path("Snakefile"),
    cores: Cores = "all",
) -> None:
    """Make the runs behind a number again in a folder."""
    from borderlab.rerun.cells import runs_of_cell
    from borderlab.rerun.making import make_again, target_of

    workflow = Workflow.from_file(config)
    runs = runs_of_cell(cell, workflow)
    remade = make_again(runs, workflow, into.resolve(), snakefile, cores)
    for run in runs:
        typer.echo(target_of(run, remade))


def verify(
    cell: Cell,
    config: Config = DEFAULT_CONFIG,
    snakefile: Snakefile = Path("Snakefile"),
    cores: Cores = "all",
) -> None:
    """Make the runs behind a number again, and compare.

    They are made in a temporary folder; status 1 if any value differs.
    """
    from borderlab.rerun.cells import runs_of_cell
    from borderlab.rerun.making import check_present, disagreements, make_again

    workflow = Workflow.from_file(config)
    runs = runs_of_cell(cell, workflow)
    check_present(runs, workflow)
    with TemporaryDirectory(prefix="borderlab-verify-") as folder:
        remade = make_again(runs, workflow, Path(folder), snakefile, cores)
        found = list(disagreements(runs, workflow, remade))
    for disagreement in found[:_SHOWN]:
        typer.echo(str(disagreement))
    differing = len({disagreement.run for disagreement in found})
    typer.echo(f"{len(runs) - differing} of {len(runs)} runs agree bit for bit; {len(found)} values differ")
    if found:
        raise typer.Exit(1)


def crate(
    folder: Annotated[Path, typer.Argument(help="Folder to write: a new one, or a crate, which is replaced.")],
    config: Config = DEFAULT_CONFIG,
    snakefile: Snakefile = Path("Snakefile"),
) -> None:
    """Export a published experiment as an RO-Crate.

    Its profile is Workflow Run Crate.
    """
    from borderlab.report.crate import write_crate

    write_crate(Workflow.from_file(config), snakefile, folder)
    typer.echo(str(folder))


_SHOWN = 20
