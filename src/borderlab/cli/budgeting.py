"""The command that tells what an experiment will cost."""

from pathlib import Path
from typing import Annotated

import typer

from borderlab.cli.steps import DEFAULT_CONFIG, Config
from borderlab.workflow import Workflow


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(budget)


def budget(
    config: Config = DEFAULT_CONFIG,
    tflop_per_s: Annotated[
        float | None, typer.Option(min=0.01, help="What one of your GPUs does in training; absent: see the docs.")
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="Count new networks' operations first.")] = False,
    write: Annotated[Path | None, typer.Option(help="Also put it between the marks of this page.")] = None,
) -> None:
    """Tell GPU hours, disk and the longest chain of jobs of an experiment, from stated assumptions."""
    from borderlab.budget import operations
    from borderlab.budget.assumptions import Speed
    from borderlab.budget.page import budget_page, update_page

    plan = Workflow.from_file(config).plan
    if count:
        specs = ((run.spec, len(plan.datasets[run.spec.dataset.key].info.classes)) for run in plan.runs.values())
        typer.echo(operations.write_table(operations.count(specs)), err=True)
    text = budget_page(plan, Speed() if tflop_per_s is None else Speed(tflop_per_s))
    typer.echo(text, nl=False)
    if write is not None:
        update_page(write, text)
