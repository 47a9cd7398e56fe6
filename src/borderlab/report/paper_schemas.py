"""What the tables of papers hold (a part of `borderlab.report.schemas`)."""

import pandera.pandas as pa

from borderlab.report.schema_columns import number, table, text, whole

PUBLISHED_SCALE = "published runs"
VERDICTS = {
    "reproduced": "this experiment shows it",
    "supported": "the published runs show it",
    "not reproduced": "this experiment excludes it",
    "not supported": "the published runs exclude it",
    "inconclusive": "neither; `more_runs` says how many more would decide",
    "not run": "no runs of this experiment bear on it",
}
STATUSES = {
    "measured": "runs of this experiment belong to the cell",
    "not run": "the experiment has none of its runs",
    "several settings": "more than one setting of this experiment fits, so none is taken",
    "no runs here": "nothing in this project makes the cell",
}


def _paper() -> pa.Column:
    return text("Folder of the paper below `papers/`.")


def _verified() -> pa.Column:
    return text(
        "`primary`: read in a source of the authors; `secondary`: quoted by others; `no`: not seen, no value.",
        checks=pa.Check.isin(["primary", "secondary", "no"]),
    )


def _scale() -> pa.Column:
    description = (
        f"Scale of the experiment, or `{PUBLISHED_SCALE}`. A verdict at any other scale than `paper` "
        "says nothing about the paper's own numbers."
    )
    return text(description)


def _one_of(description: str, names: dict[str, str]) -> pa.Column:
    meanings = "; ".join(f"`{name}`: {meaning}" for name, meaning in names.items())
    return text(f"{description} {meanings}.", checks=pa.Check.isin(list(names)))


def _maybe(description: str) -> pa.Column:
    return number(description, nullable=True, minimum=None)


PAPER_SCHEMAS = {
    "paper_cells": table(
        "Every cell of the published tables, with what this experiment measured for it.",
        {
            "paper": _paper(),
            "table": text("Table of the paper: a CSV file in its folder."),
            "cell": text("Name of the cell, as `borderlab rerun` takes it.", unique=True),
            "row": text("Row."),
            "column": text("Column."),
            "metric": text("Metric, as published."),
            "verified": _verified(),
            "published": _maybe("Published value; empty where none was seen."),
            "n_published": whole("Published runs behind it.", nullable=True),
            "printed_sd": _maybe("Published standard deviation."),
            "printed_sd_is": text("What the sum of squares over the published runs is divided by to give it."),
            "sample_sd": _maybe("Standard deviation of the published runs, with n - 1."),
            "population_sd": _maybe("The same with n."),
            "status": _one_of("What was found for it.", STATUSES),
            "scale": _scale(),
            "measure": text("Measure of the runs, as in table `summary`."),
            "n_measured": whole("Runs, or pairs of a difference."),
            "measured": _maybe("Mean of the runs."),
            "measured_sd": _maybe("Their standard deviation, with n - 1."),
            "difference": _maybe("Measured minus published."),
            "difference_low": _maybe("Lower end of its 95 % interval: Welch's where runs are published."),
            "difference_high": _maybe("Upper end."),
            "runs": text("Runs, separated by `; `."),
            "config": text("Configuration that makes the cell."),
            "study": text("Study of it."),
            "source": text("Where the published value was read."),
            "note": text("What else is known."),
        },
        ["cell"],
    ),
    "claims": table(
        "Every claim of the papers, judged on the published runs and on those of this experiment, case by case.",
        {
            "paper": _paper(),
            "claim": text("Name of the claim."),
            "statement": text("The claim in words."),
            "place": text("Its place in the paper."),
            "verified": _verified(),
            "evidence": text("`published`: the paper's own runs; `experiment`: those of this experiment."),
            "scale": _scale(),
            "paper_setting": pa.Column(
                bool, description="Whether the case has the paper's own setting, at the paper's scale."
            ),
            "case": text("Setting that both sides share."),
            "kind": text("`gain`: left is better; `no_gain`: it is not; `equivalent`: the two do not differ."),
            "statistic": text("What decides."),
            "left": text("Left side."),
            "right": text("Right side."),
            "margin_points": number("Smallest difference that counts, in percentage points.", nullable=True),
            "measure": text("Measure of the runs, as in table `summary`."),
            "decides": pa.Column(bool, description="Whether this measure is the one that the claim names."),
            "n": whole("Pairs, or published runs of each side."),
            "effect_points": _maybe("Mean of the left side minus that of the right, in percentage points."),
            "low_points": _maybe("Lower end of its 95 % t interval."),
            "high_points": _maybe("Upper end."),
            "p_value": _maybe("Two-sided p-value against no difference (t)."),
            "p_exact": _maybe("The same by permutation, which a few runs cannot make small."),
            "p_for": _maybe("p-value that supports the claim, corrected for the number of cases (Holm)."),
            "p_against": _maybe("p-value that excludes it, corrected likewise."),
            "detectable_points": _maybe("Effect that so many runs find in 80 of 100 cases, before Holm."),
            "more_runs": whole(
                "Further pairs that would decide in 80 of 100 cases, if effect and spread stay as they are; "
                "those that make 10,000 stand for more. Empty where decided, or where nothing is known of the spread.",
                nullable=True,
            ),
            "verdict": _one_of("What follows.", VERDICTS),
            "left_runs": text("Runs of the left side, separated by `; `."),
            "right_runs": text("Runs of the right side."),
        },
        ["paper", "claim", "evidence", "case", "measure"],
    ),
}
