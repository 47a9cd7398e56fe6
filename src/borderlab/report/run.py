"""The report of a planned experiment: from its plan to tables, figures, page and summary.

This module joins the plan to `borderlab.report`'s own input; the rest of the room knows neither plan nor paths.
"""

from pathlib import Path

from borderlab.files import write_text
from borderlab.provenance import Stopwatch, cpu_name, describe
from borderlab.report.artifacts import (
    MotionModelArtifacts,
    ProbeArtifacts,
    RunArtifacts,
    ScoreArtifacts,
    TabulationInput,
)
from borderlab.report.figures import write_figures
from borderlab.report.latex import write_latex
from borderlab.report.page import ReportExtra, write_report
from borderlab.report.summary import write_metrics, write_summary
from borderlab.report.tabulate import read_tables, tabulate, write_parquet, write_tables
from borderlab.workflow import Workflow


def tabulate_experiment(workflow: Workflow) -> Path:
    """Write the tidy tables of a finished experiment; return their folder.

    Raises:
        RunError: if a result is missing or damaged.
    """
    folder = _folder(workflow) / "tables"
    tables = tabulate(report_input(workflow))
    write_tables(tables, folder)
    write_parquet(tables, folder.with_name("parquet"))
    return folder


def report_experiment(workflow: Workflow) -> Path:
    """Write figures, summary, metrics, LaTeX and page of a tabulated experiment; return the page's path.

    Raises:
        RunError: if tables or pictures are missing.
    """
    stopwatch = Stopwatch()
    folder = _folder(workflow)
    inputs = report_input(workflow)
    tables = read_tables(folder / "tables")
    write_figures(tables, folder / "figures")
    write_summary(tables, inputs, folder / "summary.md")
    write_metrics(tables, folder / "metrics.json")
    write_latex(tables, inputs, folder / "tables.tex")
    write_text(folder / "config.yaml", Path(workflow.snapshot).read_text(encoding="utf-8"))
    making = describe(stopwatch, f"cpu: {cpu_name()}")
    # Its hash says enough on the page; what is not known is left out.
    making.pop("git_diff")
    making = {name: value for name, value in making.items() if value not in (None, {}, "")}
    extra = ReportExtra(
        commands=_commands(workflow),
        provenance={"configuration": workflow.snapshot, **making},
    )
    write_report(tables, inputs, folder / "figures", folder / "report.html", extra)
    return folder / "report.html"


def report_input(workflow: Workflow) -> TabulationInput:
    """What the tables, figures and page of an experiment are made from."""
    plan, paths = workflow.plan, workflow.paths
    return TabulationInput(
        experiment=plan.config.experiment,
        title=plan.config.title,
        scale=plan.config.scale,
        description=plan.config.description,
        config=paths.published_config,
        runs=[
            RunArtifacts(
                name=name,
                studies=planned.studies,
                folder=Path(paths.run_folder(name)),
                evaluation_folder=Path(paths.evaluation(name, plan.evaluation_name(name))).parent,
                rerun_command=f"borderlab rerun {name} --config {paths.published_config}",
            )
            for name, planned in plan.runs.items()
        ],
        scores=[
            ScoreArtifacts(
                dataset=spec.dataset.key,
                split=spec.split,
                motion=spec.title,
                folder=Path(paths.score(name)).parent,
            )
            for name, spec in plan.scores.items()
        ],
        papers=Path(plan.config.folders.papers),
        probes=[
            ProbeArtifacts(name=planned.label, folder=Path(paths.probe(name)).parent)
            for name, planned in plan.probes.items()
        ],
        motion_models=[
            MotionModelArtifacts(
                name=planned.label,
                folder=Path(paths.motion_model_folder(name)),
                rerun_command=f"borderlab rerun {name} --config {paths.published_config}",
            )
            for name, planned in plan.motion_models.items()
        ],
    )


def _commands(workflow: Workflow) -> dict[str, str]:
    config = f"config/{workflow.plan.config.experiment}.yaml"
    published = workflow.paths.published_config
    return {
        "run the whole experiment": f"snakemake --configfile {config}",
        "run exactly this configuration": f"snakemake --configfile {published}",
        "list every result by name": f"borderlab plan --config {published}",
    }


def _folder(workflow: Workflow) -> Path:
    return Path(workflow.paths.report_folder(workflow.plan.experiment_id))
