"""Rows of the tidy tables, from the artifacts of runs and scores."""

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from borderlab.files import sha256_of_json
from borderlab.motion.names import motion_label
from borderlab.report.artifacts import FinishedRun, ProbeArtifacts, Score, read_curve, read_probe
from borderlab.report.schemas import RUN_KEYS
from borderlab.spec import KeyframesSpec, LossSpec, PropagationSpec, RunSpec

Row = dict[str, Any]

RECIPE_HASH_LENGTH = 8


def records(frame: pd.DataFrame) -> list[Row]:
    """Rows of a table by column name."""
    return [{str(column): value for column, value in row.items()} for row in frame.to_dict("records")]


def propagation_text(propagation: PropagationSpec | None) -> str:
    """One text for a propagation, such as `label ±3 dis_medium`."""
    if propagation is None:
        return "none"
    text = f"{propagation.kind} ±{propagation.max_distance}"
    if propagation.kind == "true":
        return text
    method = "" if propagation.method == "recursive" else f" {propagation.method}"
    kept = "" if propagation.void_occluded else ", occluded kept"
    reference = f", reference: {', '.join(propagation.reference)}" if propagation.reference else ""
    return f"{text} {motion_label(propagation.motion)}{method}{kept}{reference}"


def loss_text(loss: LossSpec) -> str:
    """One text for a loss, such as `relaxed 1 px`."""
    if loss.name != "relaxed":
        return loss.name
    parts = [f"relaxed {loss.relax_radius_px} px"]
    parts += [f"until {loss.relax_until:.0%}"] if loss.relax_until < 1 else []
    parts += [f"boundary x{loss.boundary_weight:g}"] if loss.boundary_weight != 1 else []
    parts += [f"strict {', '.join(loss.strict_classes)}"] if loss.strict_classes else []
    parts += [f"image weights to {1 + loss.image_weight_bound:g}"] if loss.image_weight_bound else []
    parts += ["as published"] if loss.reference else []
    return " ".join(parts)


def keyframes_text(keyframes: KeyframesSpec | None) -> str:
    """One text for a choice of key frames, such as `every 10th from 5`."""
    return "all" if keyframes is None else f"every {keyframes.stride} frames from {keyframes.offset}"


def run_row(run: FinishedRun) -> Row:
    """The run's row in table `runs`."""
    return {
        "run": run.artifacts.name,
        "studies": "; ".join(run.artifacts.studies),
        **factor_values(run.spec),
        "seed": run.spec.seed,
        **_result_values(run),
        **_provenance_values(run),
        "rerun_command": run.artifacts.rerun_command,
    }


def factor_values(spec: RunSpec) -> Row:
    """Values of all factors of a run."""
    return {
        "dataset": spec.dataset.key,
        "task": spec.task,
        "backbone": spec.backbone,
        "weights": spec.weights if spec.start_from is None else _start_text(spec.start_from),
        "padding_mode": spec.padding_mode,
        "keyframes": keyframes_text(spec.keyframes),
        **_propagation_values(spec.propagation),
        "loss": loss_text(spec.loss),
        "relax_radius_px": spec.loss.relax_radius_px if spec.loss.name == "relaxed" else None,
        "train_split": spec.train_split,
        "eval_split": spec.eval_split,
        "recipe": sha256_of_json(spec.recipe.model_dump(mode="json"))[:RECIPE_HASH_LENGTH],
        "epochs": spec.recipe.epochs,
        "batch_size": spec.recipe.batch_size,
        "peak_lr": spec.recipe.lr,
        "precision": spec.recipe.precision,
        "class_uniform": spec.recipe.class_uniform.share if spec.recipe.class_uniform else 0.0,
    }


def _start_text(run: str) -> str:
    """Where a run starts from: its data set. The run's own name would set the seeds of one setting apart."""
    return f"trained on {run.split('/')[0]}"


def _propagation_values(propagation: PropagationSpec | None) -> Row:
    moved = propagation is not None and propagation.kind != "true"
    return {
        "propagation": propagation_text(propagation),
        "propagation_kind": propagation.kind if propagation else "none",
        "motion": motion_label(propagation.motion) if propagation and moved else "",
        "max_distance": propagation.max_distance if propagation else 0,
        "void_occluded": propagation.void_occluded if propagation and moved else None,
        "propagation_method": propagation.method if propagation and moved else "",
        "reference_choices": "; ".join(propagation.reference) if propagation and moved else "",
    }


def _result_values(run: FinishedRun) -> Row:
    training = run.training
    return {
        "metric": training.metric,
        "last_pct": training.last,
        "best_pct": training.best,
        "best_epoch": training.best_epoch,
        "evaluation_pct": run.evaluation.value,
        "n_images": run.evaluation.n_images,
        "n_parameters": training.n_parameters,
        "n_train_samples": training.n_train_samples,
        "n_steps": training.n_steps,
        "converted_layers": training.converted_layers,
        "left_padding": "; ".join(training.left_padding),
    }


def _provenance_values(run: FinishedRun) -> Row:
    provenance = run.provenance
    versions = {"python": provenance.python, **provenance.versions}
    return {
        "wall_time_s": provenance.wall_time_s,
        "cpu_time_s": provenance.cpu_time_s,
        "peak_memory_mb": provenance.peak_memory_mb,
        "peak_gpu_memory_mb": provenance.peak_gpu_memory_mb,
        "device": provenance.device,
        "platform": provenance.platform,
        "versions": "; ".join(f"{name} {version}" for name, version in versions.items()),
        "git_commit": provenance.git_commit or "",
        "git_dirty": provenance.git_dirty,
        "git_diff_sha256": provenance.git_diff_sha256 or "",
        "constraints_sha256": provenance.constraints_sha256 or "",
        "environment_sha256": provenance.environment_sha256 or "",
        "energy_j": sum(provenance.energy_j.values()) if provenance.energy_j else None,
        "energy_of": "; ".join(sorted(provenance.energy_j)),
        "started": provenance.started,
        "ended": provenance.ended,
        "starts": provenance.starts,
        "data_identity": provenance.data_identity,
        "weights_md5": run.weights_md5,
        "metrics_md5": run.metrics_md5,
    }


def _run_keys(run: FinishedRun) -> Row:
    row = run_row(run)
    return {key: row[key] for key in RUN_KEYS}


def class_rows(finished: Iterable[FinishedRun]) -> Iterator[Row]:
    """Rows of table `classes`."""
    for run in finished:
        keys = _run_keys(run)
        for class_name, value in run.evaluation.classes.items():
            yield {**keys, "class_name": class_name, "value_pct": value}


def ring_rows(finished: Iterable[FinishedRun]) -> Iterator[Row]:
    """Rows of table `rings`."""
    for run in finished:
        keys = _run_keys(run)
        for ring in run.evaluation.rings:
            values = {"from_px": ring.from_px, "to_px": ring.to_px, "value_pct": ring.value}
            yield {**keys, **values, "n_pixels": ring.n_pixels}


def curve_rows(finished: Iterable[FinishedRun]) -> Iterator[Row]:
    """Rows of table `curves`."""
    for run in finished:
        keys = _run_keys(run)
        for row in records(read_curve(run.artifacts)):
            yield {**keys, **row}


def score_rows(scores: Iterable[Score]) -> Iterator[Row]:
    """Rows of table `propagation`."""
    for score in scores:
        for row in score.rows:
            yield {**_score_keys(score), **row.model_dump(exclude={"classes"})}


def score_class_rows(scores: Iterable[Score]) -> Iterator[Row]:
    """Rows of table `propagation_classes`."""
    for score in scores:
        for row in score.rows:
            for class_name, iou_pct in row.classes.items():
                own = {"distance": row.distance, "class_name": class_name, "iou_pct": iou_pct}
                yield {**_score_keys(score), **own}


def _score_keys(score: Score) -> Row:
    return {
        "dataset": score.dataset,
        "split": score.split,
        "motion": motion_label(score.motion),
        "void_occluded": score.void_occluded,
    }


def probe_rows(probes: Iterable[ProbeArtifacts], table: str) -> Iterator[Row]:
    """Rows of one of the tables that probes leave."""
    for artifacts in probes:
        probe, tables = read_probe(artifacts)
        for row in records(tables[table]) if table in tables else ():
            yield {"probe": artifacts.name, "dataset": probe.dataset, **row}


def with_factors(table: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """`table`, which names runs, with all columns of `runs` that it lacks."""
    missing = ["run", *(column for column in runs.columns if column not in table.columns)]
    return table.merge(runs[missing], on="run", validate="many_to_one")
