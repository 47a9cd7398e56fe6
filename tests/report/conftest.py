"""Made-up artifacts: folders in the exact formats of the DAG, filled with invented numbers. For tests alone."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from borderlab.evaluation.image_counts import IMAGES_FILE, write_image_counts
from borderlab.motion.learned.spec import MotionModelSpec, MotionRecipeSpec
from borderlab.motion.names import motion_label
from borderlab.pictures import colour_error, colour_label
from borderlab.report.artifacts import (
    MotionModelArtifacts,
    ProbeArtifacts,
    RunArtifacts,
    ScoreArtifacts,
    TabulationInput,
)
from borderlab.report.figures import write_figures
from borderlab.report.page import ReportExtra, write_report
from borderlab.report.tabulate import Tables, tabulate
from borderlab.spec import DatasetSpec, KeyframesSpec, LossSpec, PropagationSpec, RecipeSpec, RunSpec

CLASSES = ("road", "building", "tree", "car", "person", "sky")
COLOURS = np.array([[128, 64, 128], [70, 70, 70], [107, 142, 35], [0, 0, 142], [220, 20, 60], [70, 130, 180]], np.uint8)
RING_EDGES = (0, 2, 4, 8, 16, 32)
PADDING_GAIN = {"zeros": 0.0, "reflect": 0.25, "partial": 0.6, "replicate": 0.15, "circular": -0.7}
PROPAGATION_GAIN = {"none": 0.0, "label": 2.1, "joint": 2.6, "true": 4.0}
MOTION_LOSS = {"copy": 9.0, "dis_fast": 4.0, "dis_medium": 3.2, "farneback": 4.6, "rebuild-0123abcd": 2.8, "truth": 0.6}


@dataclass
class FakeExperiment:
    """Writes runs and scores below `root` and collects the input of a report."""

    root: Path
    title: str = "Made-up experiment"
    scale: Any = "smoke"
    description: str = "Invented numbers in the formats of the workflow."
    pictures: bool = True
    papers: Path | None = None
    runs: list[RunArtifacts] = field(default_factory=list)
    scores: list[ScoreArtifacts] = field(default_factory=list)
    probes: list[ProbeArtifacts] = field(default_factory=list)
    motion_models: list[MotionModelArtifacts] = field(default_factory=list)

    @property
    def inputs(self) -> TabulationInput:
        return TabulationInput(
            experiment="made_up",
            title=self.title,
            scale=self.scale,
            description=self.description,
            runs=self.runs,
            scores=self.scores,
            probes=self.probes,
            papers=self.papers,
            motion_models=self.motion_models,
        )

    def add_run(self, spec: RunSpec, value: float, *, classes: dict[str, float | None] | None = None) -> RunArtifacts:
        """One finished run whose final metric is `value` percent."""
        name = f"{spec.dataset.key}/{spec.backbone}-{spec.padding_mode}-seed{spec.seed}-{len(self.runs):08x}"
        folder = self.root / "runs" / f"run{len(self.runs)}"
        artifacts = RunArtifacts(
            name=name,
            studies=["padding" if spec.propagation is None else "propagation"],
            folder=folder,
            evaluation_folder=folder / "evaluation-0",
            rerun_command=f"snakemake --configfile config/smoke.yaml --force -- 'artifacts/{name}/training.json'",
        )
        self._write_run(spec, artifacts, value, classes)
        self.runs.append(artifacts)
        return artifacts

    def _write_run(
        self, spec: RunSpec, artifacts: RunArtifacts, value: float, classes: dict[str, float | None] | None
    ) -> None:
        write(artifacts.folder / "spec.json", spec.model_dump(mode="json"))
        steps = [[epoch, 12 * epoch, 0.02 * (1 - epoch / 12), *_curve_point(epoch, value)] for epoch in range(1, 11)]
        header = "epoch,step,lr,train_loss,metric_pct,seconds\n"
        (artifacts.folder / "curve.csv").write_text(header + "".join(",".join(map(str, row)) + "\n" for row in steps))
        segmentation = spec.task == "segmentation"
        metric = "miou_pct" if segmentation else "top1_pct"
        training = {"metric": metric, "last": value, "best": value + 0.2, "best_epoch": 8, "n_parameters": 1_234_567}
        training |= {"n_train_samples": 96, "n_steps": 120, "converted_layers": 17, "left_padding": ["maxpool", "pool"]}
        write(artifacts.folder / "training.json", training)
        write(artifacts.folder / "provenance.json", _provenance(spec))
        evaluation = {"metric": metric, "value": value, "n_images": 33, "seconds": 1.5}
        evaluation["classes"] = classes or {
            name: min(max(value + 3 * k - 8, 0.0), 100.0) for k, name in enumerate(CLASSES)
        }
        evaluation["rings"] = _rings(spec, value) if segmentation else []
        write(artifacts.evaluation_folder / "metrics.json", evaluation)
        write_image_counts(artifacts.evaluation_folder / IMAGES_FILE, _image_counts(spec, value), np.arange(33))
        if segmentation and self.pictures:
            for sample in ("clip0_005", "clip1_005"):
                _write_prediction(artifacts.evaluation_folder / "pictures" / sample, seed=spec.seed, label_seed=sample)

    def add_score(self, dataset: str, motion: str, void_occluded: bool = True, reach: int = 5) -> ScoreArtifacts:
        """The score of one motion model at distances -reach..reach."""
        folder = self.root / "scores" / f"score{len(self.scores)}"
        distances = [step * sign for step in range(1, reach + 1) for sign in (-1, 1)]
        content = {"dataset": dataset, "split": "val", "motion": motion, "void_occluded": void_occluded}
        content["rows"] = [_score_row(motion, distance, void_occluded) for distance in distances]
        write(folder / "score.json", content)
        if self.pictures:
            for distance in distances:
                _write_moved(folder / "pictures" / "clip0_005" / f"{distance:+d}", distance, MOTION_LOSS[motion])
        artifacts = ScoreArtifacts(dataset=dataset, split="val", motion=motion_label(motion), folder=folder)
        self.scores.append(artifacts)
        return artifacts

    def add_motion_model(self, name: str, kind: Any, dataset: str = "streets") -> MotionModelArtifacts:
        """A trained motion model that beats the flow that it was shown by 1.25 dB."""
        folder = self.root / "motion_models" / name
        spec = MotionModelSpec(
            dataset=DatasetSpec(key=dataset, name=dataset, identity=f"{dataset}0123456789"),
            train_split="train",
            eval_split="val",
            held_out_share=0,
            held_out_pairs=40,
            kind=kind,
            input_flow="dis_medium",
            recipe=MotionRecipeSpec(epochs=4),
            seed=0,
        )
        write(folder / "spec.json", spec.model_dump(mode="json"))
        measured = {"copy": (20.0, 0.6, 0.0), "input_flow": (26.0, 0.8, 0.0), "learned": (27.25, 0.85, 97.5)}
        held_out = {
            method: dict(zip(("psnr_db", "ssim", "better_than_input_pct"), values, strict=True))
            for method, values in measured.items()
        }
        counts = {"n_held_out_pairs": 40, "n_train_pairs": 240, "n_steps": 120, "n_parameters": 1_865_740}
        write(folder / "training.json", {"held_out": held_out, **counts})
        write(folder / "provenance.json", _provenance(run_spec(dataset)))
        lines = ["epoch,step,lr,train_loss,psnr_db,seconds"]
        for epoch in range(1, 5):
            psnr_db = 26.5 + epoch / 5 if epoch % 2 == 0 else ""
            lines.append(f"{epoch},{30 * epoch},0.001,{0.08 - 0.01 * epoch},{psnr_db},{9.5 * epoch}")
        (folder / "curve.csv").write_text("\n".join(lines) + "\n")
        self.motion_models.append(MotionModelArtifacts(name=name, folder=folder, rerun_command="borderlab ..."))
        return self.motion_models[-1]

    def add_probe(self, name: str, networks: list[dict[str, Any]], dataset: str = "streets") -> ProbeArtifacts:
        """A probe of `networks`, each given by its columns, tested with zeros, reflect and partial."""
        folder = self.root / "probes" / name
        folder.mkdir(parents=True)
        tables = {table: list(make_rows(networks)) for table, make_rows in PROBE_ROWS.items()}
        for table, rows in tables.items():
            pd.DataFrame(rows).to_csv(folder / f"{table}.csv", index=False)
        content = {"dataset": dataset, "split": "val", "n_images": 8}
        write(folder / "probe.json", content | {"rows": {table: len(rows) for table, rows in tables.items()}})
        pictures = {f"{mode}-stage{stage}": COLOURS[_scene(stage)] for mode in PROBED_MODES for stage in (1, 2)}
        for picture, pixels in {"frame": _photo(_scene(0)), **pictures}.items():
            _write_picture(
                folder / "pictures" / f"{networks[0]['backbone']} (wheel weights)" / f"{picture}.png", pixels
            )
        artifacts = ProbeArtifacts(name=name, folder=folder)
        self.probes.append(artifacts)
        return artifacts


def probed(backbone: str, trained_mode: str, seed: int | None) -> dict[str, Any]:
    """Columns of one probed network."""
    own = {"backbone": backbone, "weights": "wheel" if seed is None else "random", "trained_mode": trained_mode}
    return {"network": f"{backbone}-{trained_mode}-{seed}", **own, "seed": seed}


PROBED_MODES = ("zeros", "reflect", "partial")


def _probe_places(networks: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], float]]:
    """Keys of each network under each padding, and how foreign the padding is to it."""
    for network in networks:
        for place, mode in enumerate(PROBED_MODES):
            yield {**network, "tested_mode": mode}, 5.0 * (mode != network["trained_mode"]) * (place + 1)


def _cross_rows(networks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for keys, loss in _probe_places(networks):
        values = {"top1_pct": (60 - loss, -loss), "agreement_pct": (100 - loss, None)}
        for measure, (value, change) in values.items():
            yield {**keys, "measure": measure, "value_pct": value, "change_points": change, "n_images": 8}


def _profile_rows(networks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for keys, loss in _probe_places(networks):
        for ring, place in enumerate(_map_places()):
            values = {"magnitude_ratio": 1 + loss / (ring + 1), "sd_ratio": 1.0, "mean_shift_sd": None}
            yield {**keys, **place, **values, "n_images": 8}


def _leak_rows(networks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for keys, loss in _probe_places(networks):
        for constant in ("mean", "white"):
            for place in _map_places():
                yield {**keys, "constant": constant, **place, "deviation": loss}


def _shift_rows(networks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for keys, loss in _probe_places(networks):
        common = {**keys, "dy_px": 0, "dx_px": 32, "n_images": 8}
        whole = {"level": "prediction", "from_px": 0, "to_px": None, "same_pct": 90 - loss, "relative_change": None}
        yield {**common, **whole}
        for start, end in ((0, 1), (1, None)):
            ring = {"level": "stage 2", "from_px": start, "to_px": end, "same_pct": None, "relative_change": 0.1}
            yield {**common, **ring}


def _map_places() -> list[dict[str, Any]]:
    sizes = {1: (16, 16), 2: (8, 8)}
    return [
        {"stage": stage, "map_height": height, "map_width": width, "from_px": start, "to_px": end}
        for stage, (height, width) in sizes.items()
        for start, end in ((0, 1), (1, 2), (2, None))
    ]


PROBE_ROWS: dict[str, Callable[..., Iterator[dict[str, Any]]]] = {
    "cross_test": _cross_rows,
    "border_profile": _profile_rows,
    "position_leak": _leak_rows,
    "shift_consistency": _shift_rows,
}


def run_spec(dataset: str = "streets", backbone: str = "resnet18", **changes: Any) -> RunSpec:
    """A specification with short defaults."""
    values: dict[str, Any] = {
        "task": "classification" if dataset == "digits" else "segmentation",
        "dataset": DatasetSpec(key=dataset, name=dataset, identity=f"{dataset}0123456789"),
        "train_split": "train",
        "eval_split": "val",
        "backbone": backbone,
        "weights": "random",
        "padding_mode": "zeros",
        "recipe": RecipeSpec(epochs=10),
        "seed": 0,
    }
    return RunSpec(**(values | changes))


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, allow_nan=False))


def fill(experiment: FakeExperiment) -> FakeExperiment:
    """Both tasks, three paddings, propagation with two losses, and scores of four motion models."""
    noise = np.random.default_rng(0)
    grid = [("digits", "resnet18", 94.1)]
    grid += [("streets", "tf_efficientnet_lite0", 61.0), ("streets", "mobilenetv3_small_100", 47.5)]
    for dataset, backbone, level in grid:
        for seed in (0, 1, 2):
            shift = noise.normal(0, 0.5)
            for mode in ("zeros", "reflect", "partial"):
                value = level + shift + PADDING_GAIN[mode] + noise.normal(0, 0.2)
                experiment.add_run(run_spec(dataset, backbone, padding_mode=mode, seed=seed), value)
    _fill_propagation(experiment, noise)
    for motion in ("copy", "dis_fast", "dis_medium", "rebuild-0123abcd", "truth"):
        experiment.add_score("streets", motion)
    experiment.add_motion_model("predict", "prediction")
    experiment.add_motion_model("rebuild", "reconstruction")
    experiment.add_probe("trained", [probed("resnet18", mode, seed) for mode in PROBED_MODES for seed in (0, 1)])
    experiment.add_probe("pretrained", [probed("tf_efficientnet_lite0", "zeros", None)])
    return experiment


def _fill_propagation(experiment: FakeExperiment, noise: np.random.Generator) -> None:
    keyframes = KeyframesSpec(stride=11, offset=5)
    for seed in (0, 1):
        for kind in ("none", "label", "joint", "true"):
            for loss in (LossSpec(), LossSpec(name="relaxed")):
                propagation = None if kind == "none" else PropagationSpec(kind=kind, max_distance=3)
                spec = run_spec(
                    "streets",
                    "tf_efficientnet_lite0",
                    padding_mode="partial",
                    weights="wheel",
                    keyframes=keyframes,
                    propagation=propagation,
                    loss=loss,
                    seed=seed,
                )
                gain = PROPAGATION_GAIN[kind] + (0.5 if loss.name == "relaxed" else 0)
                experiment.add_run(spec, 58.0 + gain + noise.normal(0, 0.4))


def _curve_point(epoch: int, value: float) -> list[Any]:
    validated = epoch % 2 == 0
    metric = f"{value * (1 - 0.5 * np.exp(-epoch / 2.5) * (epoch < 10)):.3f}"
    return [f"{0.2 + 2 * np.exp(-epoch / 3):.4f}", metric if validated else "", f"{1.7 * epoch:.1f}"]


def _provenance(spec: RunSpec) -> dict[str, Any]:
    slower = 1.35 if spec.padding_mode == "partial" else 1.0
    return {
        "command": "borderlab train ...",
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "git_dirty": spec.seed == 2,
        "git_diff_sha256": "fedcba98" * 8 if spec.seed == 2 else None,
        "constraints_sha256": "abcd0123" * 8,
        "environment_sha256": "1234abcd" * 8,
        "energy_j": {"package-0": 1500.0} if spec.seed == 0 else {},
        "started": "2026-11-03T10:00:00+00:00",
        "ended": "2026-11-03T10:01:00+00:00",
        "starts": 1,
        "wall_time_s": 31.5 * slower + spec.seed,
        "cpu_time_s": 60.0 * slower,
        "peak_memory_mb": 812.5 + 40 * slower,
        "device": "cpu: Example Processor 3000",
        "platform": "Linux-6.1-x86_64",
        "python": "3.11.2",
        "versions": {"borderlab": "0.1.0", "torch": "2.13.0"},
        "data_identity": spec.dataset.identity,
        "run_identity": "0" * 64,
        "seed": spec.seed,
    }


def _image_counts(spec: RunSpec, value: float) -> np.ndarray:
    """Counts of 33 images whose shares scatter about `value` percent, the same way for every run of a seed."""
    share = np.clip(value / 100 + np.random.default_rng(spec.seed).normal(0, 0.05, 33), 0, 1)
    if spec.task == "classification":
        return np.stack([np.arange(33) < round(33 * value / 100), np.ones(33)], axis=-1).astype(np.int64)
    hits = np.round(1000 * share)[:, None].repeat(len(CLASSES), axis=1)
    # Truth and prediction are as large as each other, so that the IoU is the share.
    sides = np.round((1000 + hits) / 2)
    return np.stack([hits, sides, sides], axis=-1).astype(np.int64)


def _rings(spec: RunSpec, value: float) -> list[dict[str, Any]]:
    ends = [*RING_EDGES[1:], None]
    drop = {"zeros": 9.0, "reflect": 7.0, "partial": 5.5}.get(spec.padding_mode, 7.0)
    wiggle = 0.4 * (spec.seed - 1)
    return [
        {
            "from_px": start,
            "to_px": end,
            "value": max(value - drop * np.exp(-start / 4) + wiggle, 0.0),
            "n_pixels": 1000 * (k + 1),
        }
        for k, (start, end) in enumerate(zip(RING_EDGES, ends, strict=True))
    ]


def _score_row(motion: str, distance: int, void_occluded: bool) -> dict[str, Any]:
    loss = MOTION_LOSS[motion] * abs(distance) ** 0.8
    return {
        "distance": distance,
        "n_frames": 3,
        "miou_pct": 98.0 - loss,
        "miou_void_wrong_pct": 96.0 - loss,
        "boundary_miou_pct": 90.0 - 1.5 * loss,
        "error_pct": 0.4 * loss,
        "errors_in_3x3_pct": 80.0 - 1.2 * loss,
        "void_pct": 0.7 * loss if void_occluded else 0.0,
        "image_mae": 1.0 + 0.2 * loss,
        "epe_px": 0.0 if motion == "truth" else None,
        "classes": {name: None if name == "person" else 95.0 - loss - k for k, name in enumerate(CLASSES)},
    }


def _scene(shift: int, wobble: float = 0.0, size: tuple[int, int] = (96, 160)) -> np.ndarray:
    """Class map of a made-up street; `wobble` displaces its outlines."""
    height, width = size
    y, x = np.mgrid[:height, :width].astype(np.float64)
    x = x + wobble * np.sin(y / 3.1) + shift
    y = y + wobble * np.cos(x / 4.3)
    scene = np.where(y < 30, 5, 1)
    scene = np.where((np.sin(x / 17) * 10 + y > 30) & (y > 18) & (np.sin(x / 17) > 0.2), 2, scene)
    scene = np.where(y > 62, 0, scene)
    scene = np.where((np.abs(x - 80) < 24) & (np.abs(y - 66) < 12), 3, scene)
    return np.where((np.abs(x - 128) < 4) & (np.abs(y - 58) < 16), 4, scene).astype(np.uint8)


def _photo(scene: np.ndarray) -> np.ndarray:
    grain = np.random.default_rng(1).normal(0, 9, (*scene.shape, 1))
    colours = COLOURS[scene].astype(np.float64) * 0.75 + 50
    return np.clip(cv2.GaussianBlur(colours, (0, 0), 0.8) + grain, 0, 255).astype(np.uint8)


def _write_picture(path: Path, rgb: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def _write_prediction(folder: Path, seed: int, label_seed: str) -> None:
    shift = sum(label_seed.encode()) % 40
    label, prediction = _scene(shift), _scene(shift, wobble=1.5 + seed)
    pictures = {"frame": _photo(label), "label": colour_label(label), "prediction": colour_label(prediction)}
    pictures["error"] = colour_error(label, prediction)
    for name, picture in pictures.items():
        _write_picture(folder / f"{name}.png", picture)


def _write_moved(folder: Path, distance: int, loss: float) -> None:
    label, moved = _scene(3 * distance), _scene(3 * distance, wobble=0.12 * loss * abs(distance))
    pictures = {"frame": _photo(label), "label": COLOURS[label], "moved_frame": _photo(moved)}
    for name, picture in {**pictures, "moved_label": COLOURS[moved]}.items():
        _write_picture(folder / f"{name}.png", picture)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the whole made-up report are slow: it takes twenty seconds to build."""
    for item in items:
        if "full_report" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def make_spec() -> Callable[..., RunSpec]:
    """A maker of specifications: `make_spec(dataset, backbone, **changes)`."""
    return run_spec


@pytest.fixture
def make_experiment(tmp_path: Path) -> Callable[..., FakeExperiment]:
    """A maker of empty made-up experiments."""

    def make(**settings: Any) -> FakeExperiment:
        return FakeExperiment(tmp_path / "artifacts", **settings)

    return make


@pytest.fixture(scope="session")
def full_experiment(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> FakeExperiment:
    """The made-up experiment with everything in it; tests must not write below it."""
    return fill(FakeExperiment(tmp_path_factory.mktemp("full"), papers=repository / "papers"))


@dataclass(frozen=True)
class BuiltReport:
    """A report with everything that it was made from."""

    inputs: TabulationInput
    tables: Tables
    figures: Path
    page: Path


def build(experiment: FakeExperiment, folder: Path, extra: ReportExtra | None = None) -> BuiltReport:
    """Tables, figures and page of `experiment` in `folder`."""
    tables = tabulate(experiment.inputs)
    write_figures(tables, folder / "figures")
    extra = extra or ReportExtra(commands={"The whole experiment": "snakemake"}, provenance={"git_commit": "0123"})
    write_report(tables, experiment.inputs, folder / "figures", folder / "report.html", extra)
    return BuiltReport(experiment.inputs, tables, folder / "figures", folder / "report.html")


@pytest.fixture
def build_report() -> Callable[..., BuiltReport]:
    """A builder of whole reports: `build_report(experiment, folder)`."""
    return build


@pytest.fixture(scope="session")
def full_report(full_experiment: FakeExperiment, tmp_path_factory: pytest.TempPathFactory) -> BuiltReport:
    """The report of `full_experiment`; tests must not write to its folder."""
    return build(full_experiment, tmp_path_factory.mktemp("report"))
