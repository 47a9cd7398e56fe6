"""Rows of the tables of trained motion models."""

from collections.abc import Iterable, Iterator

from borderlab.report.artifacts import TrainedMotion, read_motion_curve
from borderlab.report.rows import Row, records


def motion_model_rows(trained: Iterable[TrainedMotion]) -> Iterator[Row]:
    """Rows of table `motion_models`."""
    for model in trained:
        spec, provenance = model.spec, model.provenance
        held_out = spec.eval_split or f"last {spec.held_out_share:.0%} of each clip"
        for method, means in model.training.held_out.items():
            yield {
                **_keys(model),
                "train_split": spec.train_split,
                "held_out": held_out,
                "input_flow": spec.input_flow,
                "seed": spec.seed,
                "method": method,
                **means.model_dump(),
                "n_pairs": model.training.n_held_out_pairs,
                **model.training.model_dump(include={"n_train_pairs", "n_steps", "n_parameters"}),
                **provenance.model_dump(include={"wall_time_s", "peak_memory_mb", "device", "git_dirty"}),
                "git_commit": provenance.git_commit or "",
                "data_identity": provenance.data_identity,
                "rerun_command": model.artifacts.rerun_command,
            }


def motion_curve_rows(trained: Iterable[TrainedMotion]) -> Iterator[Row]:
    """Rows of table `motion_curves`."""
    for model in trained:
        for row in records(read_motion_curve(model.artifacts)):
            yield {**_keys(model), **row}


def _keys(model: TrainedMotion) -> Row:
    return {"model": model.artifacts.name, "kind": model.spec.kind, "dataset": model.spec.dataset.key}
