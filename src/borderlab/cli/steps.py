"""Commands that the rules of the workflow call, in the order of the DAG.

Each reads the experiment from `--config` (a file of config/, or the snapshot that the workflow wrote), finds its own
part in the plan by name, and writes whole results or none. Heavy imports stand inside the commands: `--help` is quick.
"""

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from borderlab.config.schema import ResourcesConfig
from borderlab.errors import ConfigError
from borderlab.importing import heavy_imports
from borderlab.workflow import Workflow

Planned = TypeVar("Planned")

Config = Annotated[Path, typer.Option("--config", "-c", help="Experiment: a file of config/.")]
Again = Annotated[bool, typer.Option("--again", help="Train anew what is trained already, in the same folder.")]
DEFAULT_CONFIG = Path("config/smoke.yaml")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (fetch, train_motion, motion, synthesise, score, train, evaluate, probe, tabulate, report, publish):
        app.command()(command)


def fetch(
    dataset: Annotated[str, typer.Argument(help="A data set of the experiment, such as camvid.")],
    split: Annotated[str, typer.Option(help="Split to fetch.")] = "train",
    config: Config = DEFAULT_CONFIG,
    mirror: Annotated[str | None, typer.Option(help="Folder or http(s) address asked before the public one.")] = None,
    receipt: Annotated[Path | None, typer.Option(help="Also write this receipt.", hidden=True)] = None,
) -> None:
    """Fetch and verify one split of a data set."""
    from borderlab.data.receipt import fetch_split

    workflow = Workflow.from_file(config)
    if dataset not in workflow.plan.datasets:
        raise ConfigError(f"no data set {dataset!r} in {config}; it has {', '.join(workflow.plan.datasets)}")
    place = Path(workflow.receipt_of(dataset, split)) if receipt is None else receipt
    entry = workflow.plan.config.datasets[dataset]
    receipted = fetch_split(
        workflow.plan.datasets[dataset],
        workflow.plan.data_folder(dataset),
        split,
        mirror=mirror or entry.mirror,
        receipt=place,
        wanted=entry.content,
        own_folder=entry.folder is not None,
    )
    typer.echo(f"{dataset} {split}: complete in {workflow.plan.data_folder(dataset)}")
    for name, digest in receipted["content"].items():
        typer.echo(f"content: {name}: {digest}")


def train_motion(
    name: Annotated[str, typer.Argument(help="Name of a motion model, as `borderlab plan` lists it.")],
    config: Config = DEFAULT_CONFIG,
    again: Again = False,
) -> None:
    """Train one motion model on video, from where it stopped."""
    from borderlab.explanation import write_identity

    workflow = Workflow.from_file(config)
    planned = _known(name, workflow.plan.motion_models, "motion model")
    dataset = planned.spec.dataset.key
    folder = Path(workflow.paths.motion_model_folder(name))
    if _stays(folder, again):
        return
    with heavy_imports():
        from borderlab.motion.learned.run import train_motion_model

    write_identity(planned.identity, folder, workflow.content_of(planned.receipts))
    train_motion_model(
        planned.spec,
        folder,
        dataset=workflow.plan.segmentation_dataset(dataset),
        data_folder=workflow.plan.data_folder(dataset),
        gpus=planned.resources.gpus,
        workers=planned.resources.workers,
    )
    typer.echo(str(folder))


def motion(
    name: Annotated[str, typer.Argument(help="Name of a motion, as `borderlab plan` lists it.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Estimate flow around the key frames."""
    from borderlab.files import atomic_folder
    from borderlab.propagation.estimate import estimate_motion

    workflow = Workflow.from_file(config)
    spec = _known(name, workflow.plan.motions, "motion")
    dataset = workflow.plan.segmentation_dataset(spec.dataset.key)
    trained = (
        Path(workflow.paths.motion_model_folder(spec.model)) if spec.model in workflow.plan.motion_models else None
    )
    folder = Path(workflow.paths.motion(name)).parent
    with atomic_folder(folder) as part:
        estimate_motion(
            dataset,
            workflow.plan.data_folder(spec.dataset.key),
            spec.split,
            spec.keyframes,
            spec.model,
            spec.max_distance,
            part,
            progress=_is_terminal(),
            reference=spec.reference,
            trained=trained,
        )
    typer.echo(str(folder))


def synthesise(
    name: Annotated[str, typer.Argument(help="Name of a synthesis, as `borderlab plan` lists it.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Move frames and labels over one distance."""
    from borderlab.files import atomic_folder
    from borderlab.propagation.synthesis import synthesise as synthesise_samples

    workflow = Workflow.from_file(config)
    spec = _known(name, workflow.plan.syntheses, "synthesis")
    dataset = workflow.plan.segmentation_dataset(spec.dataset.key)
    previous = workflow.plan.previous_synthesis(name)
    folder = Path(workflow.paths.synthesis(name)).parent
    with atomic_folder(folder) as part:
        synthesise_samples(
            dataset,
            workflow.plan.data_folder(spec.dataset.key),
            spec.split,
            spec,
            Path(workflow.paths.motion(workflow.plan.motion_of_synthesis(name))).parent,
            None if previous is None else Path(workflow.paths.synthesis(previous)).parent,
            part,
        )
    typer.echo(str(folder))


def score(
    name: Annotated[str, typer.Argument(help="Name of a score, as `borderlab plan` lists it.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Score moved labels against true ones, at every distance."""
    from borderlab.copies import keep_copies
    from borderlab.propagation.report_score import write_score

    workflow = Workflow.from_file(config)
    spec = _known(name, workflow.plan.scores, "score")
    folder = Path(workflow.paths.score(name)).parent
    folders = {
        distance: Path(workflow.paths.synthesis(synthesis)).parent
        for distance, synthesis in workflow.plan.syntheses_of_score(name).items()
    }
    write_score(
        workflow.plan.segmentation_dataset(spec.dataset.key),
        workflow.plan.data_folder(spec.dataset.key),
        spec,
        folders,
        Path(workflow.paths.motion(workflow.plan.motion_of_score(name))).parent,
        folder,
    )
    keep_copies(folder, workflow.content_of([(spec.dataset.key, spec.split)]))
    typer.echo(workflow.paths.score(name))


def train(
    name: Annotated[str, typer.Argument(help="Name of a run, as `borderlab plan` lists it.")],
    config: Config = DEFAULT_CONFIG,
    again: Again = False,
) -> None:
    """Train one network, from where it stopped."""
    from borderlab import launching
    from borderlab.explanation import write_identity

    workflow = Workflow.from_file(config)
    planned = _known(name, workflow.plan.runs, "run")
    resources = planned.resources
    folder = Path(workflow.paths.run_folder(name))
    if not launching.is_started(os.environ):
        if _stays(folder, again):
            return
        if resources.processes > 1:
            launching.start(resources, ["borderlab", "train", name, "--config", str(config)])
    start = planned.spec.start_from
    write_identity(
        workflow.plan.identity_of_run(name), folder, workflow.content_of(workflow.plan.receipts_of_run(name))
    )
    _trainer_for(resources)(
        planned.spec,
        folder,
        dataset=workflow.plan.datasets[planned.spec.dataset.key],
        data_folder=workflow.plan.data_folder(planned.spec.dataset.key),
        synthesis_folders={
            distance: Path(workflow.paths.synthesis(synthesis)).parent
            for distance, synthesis in workflow.plan.synthesis_folders_of_run(name).items()
        },
        start_folder=None if start is None else Path(workflow.paths.run_folder(start)),
        gpus=resources.gpus,
        workers=resources.workers,
    )
    typer.echo(str(folder))


def evaluate(
    name: Annotated[str, typer.Argument(help="Name of a run, as `borderlab plan` lists it.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Evaluate a trained network on its evaluation split."""
    from borderlab.copies import keep_copies

    with heavy_imports():
        from borderlab.evaluation.run import evaluate_run

    workflow = Workflow.from_file(config)
    planned = _known(name, workflow.plan.runs, "run")
    evaluation = workflow.plan.evaluation_name(name)
    folder = Path(workflow.paths.evaluation(name, evaluation)).parent
    evaluate_run(
        planned.spec,
        Path(workflow.paths.run_folder(name)),
        folder,
        dataset=workflow.plan.datasets[planned.spec.dataset.key],
        data_folder=workflow.plan.data_folder(planned.spec.dataset.key),
        gpus=planned.resources.gpus,
        workers=planned.resources.workers,
    )
    keep_copies(folder, workflow.content_of([(planned.spec.dataset.key, planned.spec.eval_split)]))
    typer.echo(str(folder))


def probe(
    name: Annotated[str, typer.Argument(help="Name of a probe, as `borderlab plan` lists it.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Measure what padding does at image borders."""
    from borderlab.copies import keep_copies

    with heavy_imports():
        from borderlab.probe.run import run_probe

    workflow = Workflow.from_file(config)
    planned = _known(name, workflow.plan.probes, "probe")
    spec = planned.spec
    folder = Path(workflow.paths.probe(name)).parent
    run_probe(
        spec,
        folder,
        dataset=workflow.plan.datasets[spec.dataset.key],
        data_folder=workflow.plan.data_folder(spec.dataset.key),
        run_folders={run: Path(workflow.paths.run_folder(run)) for run in spec.runs},
        gpus=planned.resources.gpus,
    )
    keep_copies(folder, workflow.content_of(workflow.plan.receipts_of_probe(name)))
    typer.echo(str(folder))


def tabulate(config: Config = DEFAULT_CONFIG) -> None:
    """Write the tidy tables of a finished experiment."""
    from borderlab.report.run import tabulate_experiment

    typer.echo(str(tabulate_experiment(Workflow.from_file(config))))


def report(config: Config = DEFAULT_CONFIG) -> None:
    """Write figures and the HTML report."""
    from borderlab.report.run import report_experiment

    typer.echo(str(report_experiment(Workflow.from_file(config))))


def publish(config: Config = DEFAULT_CONFIG) -> None:
    """Copy tables and report to results/."""
    from borderlab.report.publish import publish_experiment

    typer.echo(str(publish_experiment(Workflow.from_file(config))))


def _known(name: str, planned: Mapping[str, Planned], kind: str) -> Planned:
    """The planned result `name`, or one line that says how to find the right name."""
    if name not in planned:
        raise ConfigError(f"no {kind} {name!r} in this experiment; `borderlab plan --config FILE` lists its results")
    return planned[name]


def _stays(folder: Path, again: bool) -> bool:
    """Whether `folder` keeps the training that ended there, and says so; for `again` its mark is taken away."""
    mark, weights = folder / "training.json", folder / "model.safetensors"
    if again:
        mark.unlink(missing_ok=True)
    elif mark.exists() and weights.exists():
        typer.echo(f"{folder}: trained already, and left as it is; --again trains it anew in its place")
        return True
    return False


def _trainer_for(resources: ResourcesConfig) -> Callable[..., None]:
    """The training of one process, or of this process and others."""
    if resources.processes == 1:
        with heavy_imports():
            from borderlab.training.run import train_run

        return train_run
    with heavy_imports():
        from borderlab.training.parallel import train_run_together

    return partial(train_run_together, processes=resources.processes)


def _is_terminal() -> bool:
    return sys.stderr.isatty()
