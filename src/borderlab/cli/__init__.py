"""The command line: one command for each step of the workflow, so that every step can be run and debugged by hand."""

import os
import sys

import typer

from borderlab import __version__
from borderlab.cli import budgeting, census, evidence, inspect, keeping, steps
from borderlab.credentials import without_credentials
from borderlab.errors import BorderlabError
from borderlab.requeueing import requeued
from borderlab.training.interruption import InterruptedRunError

app = typer.Typer(
    name="borderlab",
    help="Reproducibility benchmarks for image borders (padding) and object borders (label propagation).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
steps.register(app)
inspect.register(app)
census.register(app)
keeping.register(app)
budgeting.register(app)
evidence.register(app)


def _version(show: bool) -> None:
    if show:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Options of every command."""


def main() -> None:
    """Entry point: a fault that the user can put right is one line and a non-zero exit, without a traceback."""
    try:
        app()
    except BorderlabError as fault:
        print(f"borderlab: error: {without_credentials(str(fault))}", file=sys.stderr)  # noqa: T201
        if isinstance(fault, InterruptedRunError) and requeued(os.environ):
            print("borderlab: Slurm preempts this job: it is queued again", file=sys.stderr)  # noqa: T201
        sys.exit(fault.exit_code)
    except OSError as fault:
        # A disk that is full, a folder that is a file, a path without permission: the user's to put right.
        # Of two names, the second is the one that is written.
        place, reason = fault.filename2 or fault.filename or "a file", fault.strerror or fault
        print(f"borderlab: error: {place}: {reason}; check the path, its owner and the disk", file=sys.stderr)  # noqa: T201
        sys.exit(BorderlabError.exit_code)
