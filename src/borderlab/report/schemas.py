"""What each table holds: columns, types, ranges and meanings, in one place.

The schemas check every table that is written or read, and `dictionary_text` turns them into docs/data_dictionary.md.
Text is never missing: an absent text is empty. Absent numbers and truth values are empty cells.
"""

import pandera.pandas as pa

from borderlab.padding.names import PADDING_MODE_NAMES
from borderlab.report.motion_schemas import MOTION_SCHEMAS
from borderlab.report.names import TABLES
from borderlab.report.paper_schemas import PAPER_SCHEMAS
from borderlab.report.probe_schemas import PROBE_SCHEMAS
from borderlab.report.schema_columns import number, points, share, table, text, whole

# Columns that decide a result: two runs that agree in all of them differ in their seed alone.
FACTORS = {
    "dataset": "Data set, by its name in the experiment.",
    "task": "`classification` or `segmentation`.",
    "backbone": "Name of the timm network.",
    "weights": "Initial weights: `random`, where pretrained ones come from, or what an earlier run trained on.",
    "padding_mode": f"Padding of the convolutions: {', '.join(f'`{mode}`' for mode in PADDING_MODE_NAMES)}.",
    "keyframes": "Which labelled frames train: `all`, or every n-th frame of a clip.",
    "propagation": "Propagated samples that join the key frames, as one text: `none`, `label ±1 dis_medium`, ...",
    "propagation_kind": "`none`, `label` (real frame, moved label), `joint` (both moved) or `true` (real label).",
    "motion": "Motion model behind the propagated samples; empty without one.",
    "max_distance": "Farthest distance of a propagated sample from its key frame, in frames; 0 without propagation.",
    "void_occluded": "Whether moved labels are void where the forward-backward check fails.",
    "propagation_method": "`recursive` or `accumulated`: how samples are moved over several frames; empty without any.",
    "reference_choices": "The published code's choices in moving them, separated by `; `; empty without any.",
    "loss": "Training loss, with its settings.",
    "relax_radius_px": "Half width of the relaxed neighbourhood, in pixels; empty for other losses.",
    "train_split": "Split that trains.",
    "eval_split": "Split that evaluates.",
    "recipe": "Short hash of the whole training recipe.",
    "epochs": "Epochs of training.",
    "batch_size": "Samples in one step.",
    "peak_lr": "Largest learning rate of the schedule.",
    "precision": "Arithmetic of the forward pass.",
    "class_uniform": "Share of samples that class-uniform sampling draws; 0 without it.",
}
# Factors that repeat what the text of another one says.
TOLD_BY = {
    "propagation_kind": "propagation",
    "motion": "propagation",
    "max_distance": "propagation",
    "void_occluded": "propagation",
    "propagation_method": "propagation",
    "reference_choices": "propagation",
    "relax_radius_px": "loss",
}
_FACTOR_TYPES = {
    "max_distance": int,
    "void_occluded": "boolean",
    "relax_radius_px": "Int64",
    "epochs": int,
    "batch_size": int,
    "peak_lr": float,
    "class_uniform": float,
}

# Columns that name a run in tables with many rows for each run.
RUN_KEYS = ("run", "dataset", "backbone", "weights", "padding_mode", "propagation", "loss", "seed")

MEASURES = {
    "evaluation": "final weights, evaluated after training",
    "last": "final weights, as validated at the end of training",
    "best": "best validation of the training: optimistic, because the evaluation split chooses the epoch",
}


def _interval_end(which: str) -> pa.Column:
    # Not bounded: with two seeds a t interval may well reach beyond what the metric can.
    description = f"{which} end of the 95 % t interval of that difference; empty with fewer than two pairs."
    return number(description, nullable=True, minimum=None)


def _image_interval_end(which: str) -> pa.Column:
    return points(
        f"{which} end of the 95 % bootstrap interval of that difference over images, those of one recording drawn "
        "together, seeds as they are; empty for measures other than `evaluation`, and for fewer than five recordings"
    )


def _factor(name: str) -> pa.Column:
    kind = _FACTOR_TYPES.get(name, str)
    return pa.Column(kind, nullable=not isinstance(kind, type), description=FACTORS[name])


def _factors() -> dict[str, pa.Column]:
    return {name: _factor(name) for name in FACTORS}


def _run_keys() -> dict[str, pa.Column]:
    own = {"run": text("Run, by its name in table `runs`."), "seed": whole("Seed.")}
    return {name: own[name] if name in own else _factor(name) for name in RUN_KEYS}


def _metric() -> pa.Column:
    description = "`top1_pct`: share of images whose first guess is right. `miou_pct`: mean IoU over the whole split."
    return text(description, checks=pa.Check.isin(["top1_pct", "miou_pct"]))


def _measure() -> pa.Column:
    description = "; ".join(f"`{name}`: {meaning}" for name, meaning in MEASURES.items())
    return text(f"Which result of a run. {description}.", checks=pa.Check.isin(list(MEASURES)))


def _paired(what: str) -> dict[str, pa.Column]:
    return {
        "n_pairs": whole("Seeds that both sides have."),
        "difference_pct": points(f"Mean over those seeds of the {what} minus the baseline's"),
        "difference_low_pct": _interval_end("Lower"),
        "difference_high_pct": _interval_end("Upper"),
    }


def _difference() -> dict[str, pa.Column]:
    return {
        **_paired("result"),
        "images_low_pct": _image_interval_end("Lower"),
        "images_high_pct": _image_interval_end("Upper"),
        "detectable_pct": number(
            "Smallest true difference that so many pairs, as spread as these, find in 80 of 100 cases (paired t test, "
            "5 %), in percentage points; empty with fewer than two pairs.",
            nullable=True,
        ),
    }


def _ring() -> dict[str, pa.Column]:
    return {
        "from_px": whole("Smallest distance from the image border, in pixels."),
        "to_px": whole("First distance beyond the ring; empty for the innermost.", nullable=True),
    }


def _p_values(family: str) -> dict[str, pa.Column]:
    single = "Two-sided p-value of the paired t test against no difference; empty without a spread."
    return {
        "p_value": number(single, nullable=True),
        "p_holm": number(f"The same, corrected (Holm) for {family}.", nullable=True),
    }


def _score_keys() -> dict[str, pa.Column]:
    return {
        "dataset": text("Data set, by its name in the experiment."),
        "split": text("Split whose labels were moved."),
        "motion": text("Motion model; also how it was followed, where not step by step."),
        "void_occluded": pa.Column(bool, description=FACTORS["void_occluded"]),
        "distance": whole("Signed distance from the key frame, in frames.", minimum=None),
    }


SCHEMAS = {
    "runs": table(
        "One row for each training run.",
        {
            "run": text("Name of the run: its folder below artifacts/<experiment>/runs/.", unique=True),
            "studies": text("Studies that asked for it, separated by `; `."),
            **_factors(),
            "seed": whole("Seed of weights, order and augmentation."),
            "metric": _metric(),
            "last_pct": share("Metric at the end of training"),
            "best_pct": share("Metric at the best validated epoch, chosen on the evaluation split (optimistic)"),
            "best_epoch": whole("That epoch, counted as in table `curves`."),
            "evaluation_pct": share("Metric of the final weights, evaluated after training"),
            "n_images": whole("Images in the evaluation."),
            "n_parameters": whole("Parameters of the network."),
            "n_train_samples": whole("Samples in the training set."),
            "n_steps": whole("Optimiser steps."),
            "converted_layers": whole("Convolutions whose padding was replaced."),
            "left_padding": text("Padded layers that keep their own padding, separated by `; `."),
            "wall_time_s": number("Wall time of the training job, in seconds, over all its `starts`."),
            "cpu_time_s": number("CPU time of the training job's main process, in seconds, over all its `starts`."),
            "peak_memory_mb": number("Largest resident memory of that process, in megabytes, after the last start."),
            "peak_gpu_memory_mb": number("Largest GPU memory that was allocated, in megabytes.", nullable=True),
            "device": text("Device that computed."),
            "platform": text("Operating system."),
            "versions": text("Python and the libraries that decide numbers."),
            "git_commit": text("Commit of the code; empty outside a checkout."),
            "git_dirty": pa.Column("boolean", nullable=True, description="Whether tracked files differed from it."),
            "git_diff_sha256": text("Hash of that difference in code; empty without one. provenance.json holds it."),
            "constraints_sha256": text("Hash of the lock file, constraints.txt; empty where there was none."),
            "environment_sha256": text("Hash of names and versions of all installed packages; empty in older runs."),
            "energy_j": number("Energy of the counters in `energy_of` during the job, in joules.", nullable=True),
            "energy_of": text("Counters of the whole machine that could be read (RAPL packages, GPUs); empty: none."),
            "started": text("First start of the training job."),
            "ended": text("End of the training job."),
            "starts": whole(
                "Times that the training job began: 1, and one more for each time that it was interrupted and resumed. "
                "What it did after its last checkpoint was done again, and does not count.",
                minimum=1,
            ),
            "data_identity": text("Hash of the data set's content."),
            "weights_md5": text(
                "MD5 of the run's model.safetensors, which DVC's cache and remotes keep it by (docs/dvc.md); empty "
                "where the file is not here."
            ),
            "metrics_md5": text("The same of its evaluation's metrics.json, which holds the numbers."),
            "rerun_command": text("Command that makes the run again."),
        },
        ["run"],
    ),
    "summary": table(
        "Spread over seeds: one row for each measure and setting of all factors; differences are to `zeros` padding "
        "with the same seeds and all other factors equal.",
        {
            **_factors(),
            "metric": _metric(),
            "measure": _measure(),
            "n_seeds": whole("Seeds.", minimum=1),
            "mean_pct": share("Mean over seeds"),
            "sd_pct": number("Standard deviation over seeds (n - 1); empty for one seed.", nullable=True),
            "min_pct": share("Smallest"),
            "max_pct": share("Largest"),
            **_difference(),
            "runs": text("Runs, separated by `; `."),
        },
        [*FACTORS, "measure"],
    ),
    "effects": table(
        "Paired effects of one factor: the result minus the baseline's, seed by seed, all other factors equal.",
        {
            "factor": text("Factor that differs: `padding_mode`, `propagation` or `loss`."),
            "baseline": text("Value of the factor on the other side of the difference."),
            **_factors(),
            "metric": _metric(),
            "measure": _measure(),
            **_difference(),
            **_p_values("the other values of the factor in this setting and measure"),
            "runs": text("Runs with another value of the factor, separated by `; `."),
            "baseline_runs": text("Runs with the baseline's."),
        },
        ["factor", *FACTORS, "measure"],
    ),
    "classes": table(
        "Result of each class in each run's evaluation.",
        {
            **_run_keys(),
            "class_name": text("Class."),
            "value_pct": share("IoU (segmentation) or accuracy (classification); empty without such pixels", True),
        },
        ["run", "class_name"],
    ),
    "rings": table(
        "Segmentation by distance from the image border, in each run's evaluation.",
        {
            **_run_keys(),
            **_ring(),
            "value_pct": share("mIoU over the ring's pixels; empty without labelled pixels", True),
            "n_pixels": whole("Labelled pixels in the ring."),
        },
        ["run", "from_px"],
    ),
    "ring_effects": table(
        "Paired differences to `zeros` padding by distance from the image border, all other factors equal.",
        {
            **_factors(),
            **_ring(),
            **_paired("ring's mIoU"),
            **_p_values("all rings and modes of the setting, whose images and networks are the same"),
            "runs": text("Runs with another padding mode, separated by `; `."),
            "baseline_runs": text("Runs with `zeros`."),
        },
        [*FACTORS, "from_px"],
    ),
    "curves": table(
        "Training curves: one row for each epoch of each run.",
        {
            **_run_keys(),
            "epoch": whole("Epoch."),
            "step": whole("Optimiser steps so far."),
            "lr": number("Learning rate."),
            "train_loss": number("Mean training loss of the epoch.", minimum=None),
            "metric_pct": share("Metric on the evaluation split; empty where it was not validated", True),
            "seconds": number("Wall time since the start of the job, in seconds."),
        },
        ["run", "epoch"],
    ),
    "propagation": table(
        "Propagated labels against true ones, for each motion model and distance.",
        {
            **_score_keys(),
            "n_frames": whole("Frames compared."),
            "miou_pct": share("mIoU where neither label is void", True),
            "miou_void_wrong_pct": share("mIoU that counts void in the moved label as wrong", True),
            "boundary_miou_pct": share("mIoU near the borders of objects", True),
            "error_pct": share("Pixels with the wrong class, where neither label is void", True),
            "errors_in_3x3_pct": share("Of those, pixels whose true class the 3x3 neighbourhood holds", True),
            "void_pct": share("Pixels that the propagation leaves void", True),
            "image_mae": number("Mean absolute error of the moved image, in grey levels.", nullable=True),
            "epe_px": number("Mean end-point error of the flow, in pixels, where it is known.", nullable=True),
        },
        ["dataset", "split", "motion", "void_occluded", "distance"],
    ),
    "propagation_classes": table(
        "Propagated labels against true ones, by class.",
        {**_score_keys(), "class_name": text("Class."), "iou_pct": share("IoU; empty without such pixels", True)},
        ["dataset", "split", "motion", "void_occluded", "distance", "class_name"],
    ),
    **PROBE_SCHEMAS,
    **PAPER_SCHEMAS,
    **MOTION_SCHEMAS,
}


def dictionary_text() -> str:
    """The data dictionary, as Markdown: one section for each table, one row for each column."""
    head = [
        "# Data dictionary",
        "",
        "Columns of the tables in `results/<experiment>/tables/`. Generated from `src/borderlab/report/schemas.py`;",
        "edit that file and run `python -m borderlab.report.dictionary docs/data_dictionary.md`.",
        "",
    ]
    return "\n".join([*head, *(_section(name) for name in TABLES)])


def _section(name: str) -> str:
    schema = SCHEMAS[name]
    rows = [
        f"| `{column}` | {_type_name(spec)} | {'yes' if spec.nullable else 'no'} | {spec.description} |"
        for column, spec in schema.columns.items()
    ]
    key = ", ".join(f"`{column}`" for column in _key(schema))
    head = ["| column | type | may be empty | meaning |", "|---|---|---|---|"]
    return "\n".join([f"## {name}", "", str(schema.description), "", f"Key: {key}.", "", *head, *rows, ""])


def _key(schema: pa.DataFrameSchema) -> list[str]:
    unique = schema.unique or []
    names = [unique] if isinstance(unique, str) else list(unique)
    return ["all factors", *(name for name in names if name not in FACTORS)] if len(names) > len(FACTORS) else names


def _type_name(column: pa.Column) -> str:
    names = {"str": "text", "string": "text", "int64": "whole number", "Int64": "whole number"}
    names |= {"float64": "number", "bool": "true or false", "boolean": "true or false"}
    return names[str(column.dtype).split("[")[0]]
