"""The artifacts that a report reads: what the DAG leaves in its folders, as checked models.

Unknown keys are let through, so that a result may say more than the report shows; a missing or wrong key is a fault
of the artifact and stops the report with one line.
"""

import hashlib
from pathlib import Path
from typing import Literal, TypeVar

import pandas as pd
from pydantic import BaseModel, Field, ValidationError

from borderlab.errors import RunError
from borderlab.motion.learned.spec import MotionModelSpec
from borderlab.spec import RunSpec

Metric = Literal["top1_pct", "miou_pct"]
Scale = Literal["smoke", "single machine", "paper"]
Model = TypeVar("Model", bound=BaseModel)

CURVE_COLUMNS = ("epoch", "step", "lr", "train_loss", "metric_pct", "seconds")
MOTION_CURVE_COLUMNS = ("epoch", "step", "lr", "train_loss", "psnr_db", "seconds")


class RunArtifacts(BaseModel):
    """Where one training run and its evaluation lie."""

    name: str = Field(description="Name of the run, unique in the experiment.")
    studies: list[str] = Field(description="Studies that asked for the run.")
    folder: Path = Field(description="Folder with spec.json, training.json, curve.csv and provenance.json.")
    evaluation_folder: Path = Field(description="Folder with metrics.json and, for segmentation, pictures/.")
    rerun_command: str = Field(description="Command that makes the run again.")


class ScoreArtifacts(BaseModel):
    """Where the score of one motion model's propagated labels lies."""

    dataset: str
    split: str
    motion: str
    folder: Path = Field(description="Folder with score.json and pictures/.")


class ProbeArtifacts(BaseModel):
    """Where a finished probe lies."""

    name: str = Field(description="Name of the probe in the configuration.")
    folder: Path = Field(description="Folder with probe.json, the probe's own tables and pictures/.")


class MotionModelArtifacts(BaseModel):
    """Where a trained motion model lies."""

    name: str = Field(description="Name of the model in the configuration.")
    folder: Path = Field(description="Folder with spec.json, training.json, curve.csv and provenance.json.")
    rerun_command: str = Field(description="Command that trains the model again.")


class TabulationInput(BaseModel):
    """Everything that the tables, the figures and the page of one experiment are made from."""

    experiment: str = Field(description="Short name of the experiment.")
    title: str
    scale: Scale
    description: str = ""
    runs: list[RunArtifacts] = []
    scores: list[ScoreArtifacts] = []
    probes: list[ProbeArtifacts] = []
    config: str = Field("", description="Configuration that makes all of it again.")
    papers: Path | None = Field(None, description="Folder of the papers whose tables and claims are compared.")
    motion_models: list[MotionModelArtifacts] = []


class Training(BaseModel):
    """training.json."""

    metric: Metric
    last: float
    best: float
    best_epoch: int
    n_parameters: int
    n_train_samples: int
    n_steps: int
    converted_layers: int
    left_padding: list[str]


class Provenance(BaseModel):
    """provenance.json; what could not be found out is absent."""

    command: str
    git_commit: str | None
    git_dirty: bool | None
    git_diff_sha256: str | None = None
    constraints_sha256: str | None = None
    environment_sha256: str | None = None
    started: str
    ended: str
    starts: int
    wall_time_s: float
    cpu_time_s: float
    peak_memory_mb: float
    peak_gpu_memory_mb: float | None = None
    energy_j: dict[str, float] = {}
    device: str
    platform: str
    python: str
    versions: dict[str, str]
    data_identity: str


class MethodMeans(BaseModel):
    """Means over held-out pairs of one way to make a frame."""

    psnr_db: float
    ssim: float
    better_than_input_pct: float


class MotionTraining(BaseModel):
    """training.json of a motion model."""

    held_out: dict[str, MethodMeans]
    n_held_out_pairs: int
    n_train_pairs: int
    n_steps: int
    n_parameters: int


class TrainedMotion(BaseModel):
    """A finished motion model."""

    artifacts: MotionModelArtifacts
    spec: MotionModelSpec
    training: MotionTraining
    provenance: Provenance


class Ring(BaseModel):
    """Pixels at least `from_px` and less than `to_px` from the image border; the last ring has no end."""

    from_px: int
    to_px: int | None
    value: float | None
    n_pixels: int


class Evaluation(BaseModel):
    """metrics.json."""

    metric: Metric
    value: float
    n_images: int
    seconds: float
    classes: dict[str, float | None]
    rings: list[Ring] = []


class ScoreRow(BaseModel):
    """One distance of score.json."""

    distance: int
    n_frames: int
    miou_pct: float | None
    miou_void_wrong_pct: float | None
    boundary_miou_pct: float | None
    error_pct: float | None
    errors_in_3x3_pct: float | None
    void_pct: float | None
    image_mae: float | None
    epe_px: float | None
    classes: dict[str, float | None]


class Score(BaseModel):
    """score.json."""

    dataset: str
    split: str
    motion: str
    void_occluded: bool
    rows: list[ScoreRow]


class Probe(BaseModel):
    """probe.json."""

    dataset: str
    split: str
    n_images: int
    rows: dict[str, int] = Field(description="Rows of each of the probe's tables; one without rows has no file.")


class FinishedRun(BaseModel):
    """All that is read of one run."""

    artifacts: RunArtifacts
    spec: RunSpec
    training: Training
    provenance: Provenance
    evaluation: Evaluation
    weights_md5: str = Field(description="Of model.safetensors; empty where it is not here.")
    metrics_md5: str = Field(description="Of metrics.json.")


def read_run(artifacts: RunArtifacts) -> FinishedRun:
    """The files of one run.

    Raises:
        RunError: if a file is missing or not what it should be.
    """
    weights, metrics = artifacts.folder / "model.safetensors", artifacts.evaluation_folder / "metrics.json"
    return FinishedRun(
        artifacts=artifacts,
        spec=_read(artifacts.folder / "spec.json", RunSpec),
        training=_read(artifacts.folder / "training.json", Training),
        provenance=_read(artifacts.folder / "provenance.json", Provenance),
        evaluation=_read(metrics, Evaluation),
        weights_md5=md5_of_file(weights) if weights.is_file() else "",
        metrics_md5=md5_of_file(metrics),
    )


def read_classes(evaluation_folder: Path) -> list[str]:
    """Names of the classes of an evaluation, in the order of their ids.

    Raises:
        RunError: if its metrics are missing or not what they should be.
    """
    return list(_read(evaluation_folder / "metrics.json", Evaluation).classes)


def read_motion_model(artifacts: MotionModelArtifacts) -> TrainedMotion:
    """A trained motion model, without its curve.

    Raises:
        RunError: if a file is missing or not what it should be.
    """
    return TrainedMotion(
        artifacts=artifacts,
        spec=_read(artifacts.folder / "spec.json", MotionModelSpec),
        training=_read(artifacts.folder / "training.json", MotionTraining),
        provenance=_read(artifacts.folder / "provenance.json", Provenance),
    )


def read_motion_curve(artifacts: MotionModelArtifacts) -> pd.DataFrame:
    """The training curve of a motion model; `psnr_db` is NaN where it was not measured.

    Raises:
        RunError: if the file is missing or lacks a column.
    """
    return _read_curve(artifacts.folder / "curve.csv", MOTION_CURVE_COLUMNS)


def read_curve(artifacts: RunArtifacts) -> pd.DataFrame:
    """The training curve of one run; `metric_pct` is NaN where there was no validation.

    Raises:
        RunError: if the file is missing or lacks a column.
    """
    return _read_curve(artifacts.folder / "curve.csv", CURVE_COLUMNS)


def _read_curve(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if not path.is_file():
        raise _missing(path)
    curve = pd.read_csv(path)
    lacking = [column for column in columns if column not in curve]
    if lacking:
        raise RunError(f"{path}: has no column {lacking[0]!r}; make the run again")
    return curve[list(columns)]


def read_score(artifacts: ScoreArtifacts) -> Score:
    """The score of one motion model's propagated labels.

    Raises:
        RunError: if the file is missing or not what it should be.
    """
    return _read(artifacts.folder / "score.json", Score)


def read_probe(artifacts: ProbeArtifacts) -> tuple[Probe, dict[str, pd.DataFrame]]:
    """A probe and its own tables that have rows, by name.

    Raises:
        RunError: if a file is missing or not what it should be.
    """
    probe = _read(artifacts.folder / "probe.json", Probe)
    paths = {name: artifacts.folder / f"{name}.csv" for name, n_rows in probe.rows.items() if n_rows}
    for path in paths.values():
        if not path.is_file():
            raise _missing(path)
    # A mode called "none" is a text; only empty cells are absent.
    return probe, {name: pd.read_csv(path, keep_default_na=False, na_values=[""]) for name, path in paths.items()}


def md5_of_file(path: Path) -> str:
    """Hexadecimal MD5 of the bytes of `path`: the name that DVC keeps it under, and no proof against forgery."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _read(path: Path, model: type[Model]) -> Model:
    if not path.is_file():
        raise _missing(path)
    try:
        return model.model_validate_json(path.read_bytes())
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise RunError(f"{path}: {place}: {first['msg'].lower()}; make it again") from fault


def _missing(path: Path) -> RunError:
    return RunError(f"{path}: is missing; run the experiment's workflow to the end before its report")
