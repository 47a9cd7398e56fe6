"""Commands that show and check, and change nothing."""

import json
from pathlib import Path
from typing import Annotated

import typer

from borderlab.cli.steps import DEFAULT_CONFIG, Config
from borderlab.identity import Identity
from borderlab.workflow import Workflow


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (check, show, explain, schema):
        app.command()(command)
    app.command("list")(list_names)


def check(config: Config = DEFAULT_CONFIG) -> None:
    """Say in one line what is wrong with a configuration."""
    from borderlab.papers.loading import load_papers

    workflow = Workflow.from_file(config)
    # The tables come last, and would be the first to see a fault in what they are compared with.
    load_papers(Path(workflow.plan.config.folders.papers))
    count = len(workflow.plan.runs)
    runs = "training run" if count == 1 else "training runs"
    typer.echo(f"{config}: {workflow.plan.config.title}: {count} {runs}, no fault found")


def show(
    name: Annotated[str, typer.Argument(help="Name of a run, probe, motion model, synthesis, motion or score.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Show the specification behind a name, as JSON."""
    from borderlab.errors import ConfigError

    planned = Workflow.from_file(config).plan
    runs = {run: entry.spec for run, entry in planned.runs.items()}
    probes = {probe: entry.spec for probe, entry in planned.probes.items()}
    models = {model: entry.spec for model, entry in planned.motion_models.items()}
    specs = {**runs, **probes, **models, **planned.syntheses, **planned.motions, **planned.scores}
    if name not in specs:
        raise ConfigError(f"no result {name!r} in this experiment; `borderlab plan --config {config}` lists them")
    typer.echo(json.dumps(specs[name].model_dump(mode="json"), indent=2))


def explain(
    name: Annotated[str, typer.Argument(help="Name of a run or motion model, or its folder.")],
    other: Annotated[str | None, typer.Argument(help="A second one: what differs between the two?")] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Say what a run's hash is made of, or what differs.

    What counts in a hash and what does not, and why: docs/identity.md.
    """
    from borderlab.explanation import differences, flattened, read_identity, siblings

    workflow = Workflow.from_file(config)
    plan, paths = workflow.plan, workflow.paths

    def identity(run: str) -> Identity:
        if run in plan.motion_models:
            return plan.motion_models[run].identity
        return plan.identity_of_run(run) if run in plan.runs else read_identity(Path(run))

    def folder(run: str) -> Path:
        if run in plan.motion_models:
            return Path(paths.motion_model_folder(run))
        return Path(paths.run_folder(run) if run in plan.runs else run)

    one = identity(name)
    settings = dict(flattened(one.spec))
    libraries = ", ".join(f"{library} {version}" for library, version in one.libraries.items())
    typer.echo(f"{name}: {one.short_hash} is the hash of")
    typer.echo(f"  {len(settings)} settings (`borderlab show` prints them)")
    typer.echo(f"  {len(one.code)} modules of code: {', '.join(sorted(one.code))}")
    typer.echo(f"  libraries: {libraries}")
    if other is not None:
        compared = {other: identity(other)}
    else:
        compared = {str(path): read_identity(path) for path in siblings(folder(name))}
        if not compared:
            typer.echo("no folder beside its own has another hash")
    for place, found in compared.items():
        typer.echo(f"{place}: {found.short_hash}")
        for difference in differences(one, found):
            typer.echo(f"  {difference}")


def list_names() -> None:
    """List data sets, padding modes, losses and motion models."""
    from borderlab.data import DATASETS
    from borderlab.losses.names import LOSS_NAMES
    from borderlab.motion.names import DOWNLOADED_MODELS, MOTION_MODEL_NAMES
    from borderlab.padding.names import PADDING_MODE_NAMES

    for name, dataset in DATASETS.items():
        typer.echo(f"data set       {name:16} {dataset.info.title} ({dataset.info.access}; {dataset.info.licence})")
    for kind, names in (
        ("padding mode", PADDING_MODE_NAMES),
        ("loss", LOSS_NAMES),
        ("motion model", MOTION_MODEL_NAMES),
    ):
        for name in names:
            note = "  (weights fetched at first use)" if name in DOWNLOADED_MODELS else ""
            typer.echo(f"{kind:14} {name}{note}")


def schema(
    folder: Annotated[Path, typer.Option(help="Folder that the two files are written to.")] = Path("config"),
) -> None:
    """Write the schema and defaults of configurations."""
    from borderlab.config.documentation import write_documentation

    for path in write_documentation(folder):
        typer.echo(str(path))
