"""Commands about results as files: where they are, and which of them nothing needs any more."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from borderlab.cli.steps import DEFAULT_CONFIG, Config
from borderlab.workflow import Workflow


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(runs)
    app.command()(prune)


def runs(
    config: Config = DEFAULT_CONFIG,
    remote: Annotated[bool, typer.Option("--remote", help="Also ask DVC's default remote.")] = False,
    remote_name: Annotated[str | None, typer.Option(help="Ask this remote instead.")] = None,
    kind: Annotated[str, typer.Option(help="run, probe, motion_model, motion, synthesis, score, or all.")] = "run",
) -> None:
    """Say where each result is: here, remote, nowhere."""
    from borderlab.errors import ConfigError
    from borderlab.inventory import KINDS, places, tracked_files

    if kind not in (*KINDS, "all"):
        raise ConfigError(f"--kind {kind}: allowed are {', '.join(KINDS)}, all")

    workflow = Workflow.from_file(config)
    tracked = tracked_files(workflow.paths.artifacts, remote_name) if remote or remote_name else None
    found = places(workflow, tracked)
    shown = [place for place in found if kind in ("all", place.result.kind)]
    for place in shown:
        typer.echo(f"{place!s:12} {place.result.kind:12} {place.result.name}")
    artifacts = Path(workflow.paths.artifacts)
    if not artifacts.is_dir():
        typer.echo(f"{artifacts}: not in {Path.cwd()}; nothing made yet, or not the project's top folder", err=True)
    counts = Counter(str(place) for place in shown)
    typer.echo(", ".join(f"{count} {where}" for where, count in sorted(counts.items())) or "no results planned")


def prune(
    folder: Annotated[Path, typer.Option(help="Folder of configurations whose results stay.")] = Path("config"),
    also: Annotated[list[Path] | None, typer.Option("--also", help="A further configuration to keep.")] = None,
    experiments: Annotated[
        bool, typer.Option("--experiments", help="Whole experiments that no configuration is about go too.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Delete; without it, only say what would go.")] = False,
) -> None:
    """Remove results that no configuration names.

    Says what would go, unless --apply is given. Experiments without a configuration are named and left alone, unless
    --experiments is given.
    """
    from borderlab.errors import ConfigError
    from borderlab.pruning import lone_experiments, remove, unnamed_results

    configs = [*sorted(folder.glob("*.yaml")), *(also or [])]
    if not configs:
        raise ConfigError(f"{folder}: no configuration there; run this in the project's top folder")
    # A configuration with a fault stops everything: what it names could not be told from what nothing names.
    workflows = [Workflow.from_file(path) for path in configs]
    found, lone = [], []
    for artifacts in sorted({workflow.plan.config.folders.artifacts for workflow in workflows}):
        own = [workflow for workflow in workflows if workflow.plan.config.folders.artifacts == artifacts]
        found += unnamed_results(own, Path(artifacts))
        lone += lone_experiments(own, Path(artifacts))
    if experiments:
        found, lone = sorted([*found, *lone], key=lambda entry: entry.folder), []
    for entry in lone:
        typer.echo(f"left alone: {entry.folder}, {entry.n_bytes / 1e6:.1f} MB: no configuration is about it")
    for entry in found:
        typer.echo(f"{entry.n_bytes / 1e6:10.1f} MB  {entry.n_files:6} files  {entry.folder}")
    if apply:
        remove(found)
    total = f"{len(found)} folders, {sum(entry.n_bytes for entry in found) / 1e6:.1f} MB"
    if not found:
        typer.echo("nothing to remove" if lone else "nothing to remove: every result is named by a configuration")
    elif apply:
        typer.echo(f"removed {total}; tell DVC with `dvc commit -f STAGE`, and its cache with `dvc gc -w`")
    else:
        typer.echo(f"would remove {total}; `borderlab prune --apply` does")
