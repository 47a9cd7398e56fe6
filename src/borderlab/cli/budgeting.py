"""Commands that tell what an experiment consists of, and what it will cost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from borderlab.cli.steps import DEFAULT_CONFIG, Config
from borderlab.errors import ConfigError
from borderlab.plan import Plan
from borderlab.workflow import Workflow


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (plan, calibrate):
        app.command()(command)


def plan(
    config: Config = DEFAULT_CONFIG,
    names: Annotated[bool, typer.Option(help="Also list every name.")] = True,
    budget: Annotated[bool, typer.Option(help="Also tell GPU hours, disk and the longest chain.")] = True,
    tflop_per_s: Annotated[
        float | None, typer.Option(min=1e-6, help="What one of your GPUs does, as `borderlab calibrate` tells.")
    ] = None,
    cpu_tflop_per_s: Annotated[
        float | None, typer.Option(min=1e-6, help="What one CPU thread does, as `borderlab calibrate --gpus 0` tells.")
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="Count new networks' operations first.")] = False,
    write: Annotated[Path | None, typer.Option(help="Also put the budget between the marks of this page.")] = None,
) -> None:
    """List what an experiment consists of, and its cost.

    The cost is from a calibration, or else from stated assumptions.
    """
    planned = Workflow.from_file(config).plan
    kinds: dict[str, Mapping[str, object]] = {
        "motion model": planned.motion_models,
        "motion": planned.motions,
        "synthesis": planned.syntheses,
        "score": planned.scores,
        "run": planned.runs,
        "probe": planned.probes,
    }
    typer.echo(f"{planned.config.title} ({planned.config.scale})")
    for kind, results in kinds.items():
        typer.echo(f"{kind}: {len(results)}")
        for name in results if names else ():
            typer.echo(f"  {name}")
    if count:
        _count(planned)
    if budget or write is not None:
        _budget(planned, tflop_per_s, cpu_tflop_per_s, write)


def calibrate(
    config: Config = DEFAULT_CONFIG,
    gpus: Annotated[int, typer.Option(min=0, max=1, help="0 measures the CPU.")] = 1,
    steps: Annotated[int, typer.Option(min=1, help="Training steps that count, for each network.")] = 10,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Samples of a step; absent: the recipe's.")] = None,
) -> None:
    """Measure seconds per training step on this machine.

    Every network of the experiment is timed on made-up images.
    """
    from borderlab.budget.calibration import slowest_speed, step_times
    from borderlab.device import choose_device, device_name

    device = choose_device(gpus)
    typer.echo(device_name(device))
    found = []
    for step in step_times(Workflow.from_file(config).plan, device, steps, batch_size):
        typer.echo(
            f"{step.network}: {step.seconds:.4f} s for {step.batch_size} samples, {step.tflop_per_s:.3g} TFLOP/s"
            f"{'' if gpus else ' for each CPU thread'}"
        )
        found.append(step)
    if not found:
        raise ConfigError(f"{config}: trains no network; name an experiment with studies")
    option = "--tflop-per-s" if gpus else "--cpu-tflop-per-s"
    typer.echo(f"borderlab plan --config {config} {option} {slowest_speed(found):.3g}")


def _budget(planned: Plan, tflop_per_s: float | None, cpu_tflop_per_s: float | None, write: Path | None) -> None:
    from borderlab.budget.assumptions import Speed
    from borderlab.budget.page import budget_page, update_page

    given = {"tflop_per_s": tflop_per_s, "cpu_tflop_per_s": cpu_tflop_per_s}
    speed = Speed(**{name: value for name, value in given.items() if value is not None})
    try:
        text = budget_page(planned, speed)
    except ConfigError as fault:
        # A listing is still one; a page without a budget is a fault.
        if write is not None:
            raise
        typer.echo(f"no budget: {fault}")
        return
    typer.echo(f"\n{text}", nl=False)
    if write is not None:
        update_page(write, text)


def _count(planned: Plan) -> None:
    from borderlab.budget import operations

    trained = [run.spec for run in planned.runs.values()], [model.spec for model in planned.motion_models.values()]
    specs = [(spec, len(planned.datasets[spec.dataset.key].info.classes)) for own in trained for spec in own]
    typer.echo(operations.write_table(operations.count(specs)), err=True)
