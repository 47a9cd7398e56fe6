"""The report: one HTML file that opens from disk and asks the network for nothing."""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pydantic import BaseModel, Field

from borderlab.errors import RunError
from borderlab.files import write_text
from borderlab.report.artifacts import Scale, TabulationInput
from borderlab.report.coverage import coverage
from borderlab.report.drawings import Drawings
from borderlab.report.pictures import Album
from borderlab.report.sections import make_sections
from borderlab.report.tabulate import Tables
from borderlab.report.view import duration

MAX_PAGE_BYTES = 20_000_000

SCALE_TITLES: dict[Scale, str] = {
    "smoke": "Smoke run",
    "single machine": "Single-machine run",
    "paper": "Paper-scale run",
}
SCALE_TEXTS: dict[Scale, str] = {
    "smoke": "Minutes on a laptop, on small data. It shows that every part of the machinery works. These numbers are "
    "not the papers' numbers and must not be compared with them.",
    "single machine": "Data, networks, image sizes and schedules that one machine can afford. Results compare with "
    "each other inside this report; they are not the papers' numbers and must not be compared with them.",
    "paper": "Settings follow the papers as far as they are known; the configuration says where they are not. Compare "
    "with published numbers only together with the settings and the provenance below.",
}


class ReportExtra(BaseModel):
    """What the page says about the experiment's making beside its results."""

    commands: dict[str, str] = Field(default_factory=dict, description="Commands to repeat it, by what they do.")
    provenance: dict[str, Any] = Field(default_factory=dict, description="Facts about the making of this page.")


def write_report(
    tables: Tables, inputs: TabulationInput, figures_folder: Path, output_html: Path, extra: ReportExtra
) -> None:
    """Write the page of an experiment.

    Args:
        tables: all tables (see `borderlab.report.tabulate`).
        inputs: what the tables were made from; sample pictures come from its folders.
        figures_folder: where `borderlab.report.figures.write_figures` left the figures of these tables.
        output_html: the page; written whole or not at all.
        extra: commands and provenance to show.

    Raises:
        RunError: if a picture is missing, or the page would be larger than `MAX_PAGE_BYTES`.
    """
    text = render(tables, inputs, figures_folder, extra)
    size = len(text.encode())
    if size > MAX_PAGE_BYTES:
        raise RunError(f"{output_html}: would hold {size / 1e6:.0f} MB; split the experiment into smaller ones")
    write_text(output_html, text)


def render(tables: Tables, inputs: TabulationInput, figures_folder: Path, extra: ReportExtra) -> str:
    """The page as text."""
    stored, shown = Album(), Album(repeats=True)
    drawings = Drawings(figures_folder)
    sections = make_sections(tables, inputs, drawings, stored, shown)
    script = template_text("report.js")
    template = environment().get_template("report.html.j2")
    return template.render(
        inputs=inputs,
        scale_title=SCALE_TITLES[inputs.scale],
        scale_text=SCALE_TEXTS[inputs.scale],
        facts=facts(tables),
        coverage=coverage(tables),
        sections=sections,
        stored=stored,
        shown=shown,
        drawings=drawings,
        extra=extra,
        css=Markup(template_text("report.css")),  # noqa: S704  (our own file)
        script=Markup(script),  # noqa: S704  (our own file)
        policy=content_security_policy(script),
    )


def content_security_policy(script: str) -> str:
    """Nothing from outside, and no script but ours. Styles are inline because figures carry style attributes."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def facts(tables: Tables) -> list[tuple[str, str]]:
    """The experiment at a glance, as (value, what it counts)."""
    runs = tables["runs"]
    seeds = sorted(set(runs["seed"]))
    trained = tables["motion_models"].drop_duplicates("model")
    motion = [(str(len(trained)), _plural("motion model", len(trained)) + " trained")] if len(trained) else []
    # What follows a model's name is how its flow was followed.
    scored = tables["propagation"]["motion"].str.split(" ").str[0].nunique()
    counts = [
        (str(len(runs)), _plural("training run", len(runs))),
        (", ".join(map(str, seeds)) or "none", _plural("seed", len(seeds))),
        (str(runs["dataset"].nunique()), _plural("data set", runs["dataset"].nunique())),
        (str(runs["backbone"].nunique()), _plural("backbone", runs["backbone"].nunique())),
        (str(runs["padding_mode"].nunique()), _plural("padding mode", runs["padding_mode"].nunique())),
        *motion,
        (str(scored), f"{_plural('motion model', scored)} scored"),
        (duration(float(runs["wall_time_s"].sum() + trained["wall_time_s"].sum())), "training, all jobs added up"),
    ]
    return counts


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def environment() -> Environment:
    """Templates of pages: every text is escaped, and a name that is missing is a fault."""
    return Environment(
        loader=PackageLoader("borderlab.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def template_text(name: str) -> str:
    """A file of the templates' folder, as it is."""
    return files("borderlab.report").joinpath("templates", name).read_text(encoding="utf-8")
