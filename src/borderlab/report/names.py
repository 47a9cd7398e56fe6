"""Names of the tables of a report, and its templates. Light: the workflow asks for them each time it plans."""

from importlib.resources import files
from pathlib import Path

from borderlab.probe.spec import PROBE_TABLES

FLOAT_FORMAT = "%.10g"
"""Of every number in a CSV file."""

TABLES = (
    "runs",
    "summary",
    "effects",
    "classes",
    "rings",
    "ring_effects",
    "curves",
    "propagation",
    "propagation_classes",
    *PROBE_TABLES,
    "paper_cells",
    "claims",
    "motion_models",
    "motion_curves",
)


def template_files() -> list[Path]:
    """Template, style and script of the page: part of what decides its content."""
    folder = Path(str(files("borderlab.report"))) / "templates"
    return sorted(path for path in folder.iterdir() if path.is_file())
