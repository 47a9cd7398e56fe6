"""The census of timm's architectures."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(census)


def census(
    path: Annotated[Path, typer.Argument(help="CSV file to write, a row for each architecture.")],
    only: Annotated[str, typer.Option(help="Pattern of names, such as 'resnet*'.")] = "*",
    trace: Annotated[bool, typer.Option(help="Also listen to one forward pass of each.")] = False,
) -> None:
    """Count what a padding mode reaches in timm's models.

    Also what it leaves, and why.
    """
    from borderlab.errors import ConfigError
    from borderlab.files import write_text
    from borderlab.padding.timm_census import architectures, as_csv, take_census

    names = architectures(only)
    if not names:
        raise ConfigError(f"no architecture of timm matches {only!r}")
    rows = take_census(names, trace=trace, progress=_show if sys.stderr.isatty() else None)
    write_text(path, as_csv(rows))
    n_failed = sum(bool(row.error) for row in rows)
    typer.echo(f"{path}: {len(rows)} architectures, {n_failed} with an error")


def _show(name: str) -> None:
    typer.echo(f"\r{name:60}", nl=False, err=True)
