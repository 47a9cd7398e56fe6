"""Names of the tables of a report. Light: the workflow asks for them each time it plans."""

TABLES = (
    "runs",
    "summary",
    "effects",
    "classes",
    "rings",
    "curves",
    "propagation",
    "propagation_classes",
)
