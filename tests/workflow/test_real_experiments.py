"""The shipped experiments, run for real: smoke through DVC, and a small CamVid where its files are there."""

import copy
import json
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from tests.workflow.running import ROOT, TINY, run, snakemake, write_config

pytestmark = pytest.mark.workflow


class Page(HTMLParser):
    """Headings of a page, and every address that it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.loads: list[str] = []
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._open = tag in ("h1", "h2")
        values = dict(attributes)
        if tag in ("img", "script", "link", "iframe", "source", "use"):
            self.loads += [value for key in ("src", "href") if (value := values.get(key))]

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.headings.append(data.strip())


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which `dvc repro smoke` has run."""
    folder = tmp_path_factory.mktemp("clone") / "borderlab"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    done = run("dvc", "repro", "smoke", folder=folder, timeout_s=3000)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return folder


def test_smoke_ends_with_a_report_that_asks_the_network_for_nothing(clone: Path) -> None:
    page = Page((clone / "results" / "smoke" / "report.html").read_text(encoding="utf-8"))
    assert len(page.headings) >= 6
    assert not [address for address in page.loads if not address.startswith(("data:", "#"))]


def test_smoke_tables_compare_paddings_with_and_without_propagation(clone: Path) -> None:
    runs = pd.read_csv(clone / "results" / "smoke" / "tables" / "runs.csv", keep_default_na=False)
    assert len(runs) == 24
    assert set(runs["padding_mode"]) == {"zeros", "reflect", "partial"}
    assert set(runs["propagation_kind"]) >= {"label", "joint", "true"}
    # Far from chance, which is ten per cent for digits: the networks have learnt something.
    digits = runs[runs["dataset"] == "digits"]
    assert digits["evaluation_pct"].astype(float).min() > 30
    moved = pd.read_csv(clone / "results" / "smoke" / "tables" / "propagation.csv")
    quality = moved[moved["distance"] == 1].set_index("motion")["miou_pct"]
    assert quality["truth"] > quality["dis_medium"] > quality["copy"]


def test_smoke_is_done_once(clone: Path) -> None:
    again = run("dvc", "repro", "smoke", folder=clone)
    assert again.returncode == 0, again.stderr
    assert "didn't change, skipping" in again.stdout
    dry = run("snakemake", "-n", folder=clone)
    assert dry.returncode == 0
    assert "Nothing to be done" in dry.stdout + dry.stderr


def test_published_files_are_those_of_the_stamp(clone: Path) -> None:
    from borderlab.files import sha256_of_file

    (stamp,) = (clone / "results" / "smoke").glob("published-*.json")
    for name, digest in json.loads(stamp.read_text())["sha256"].items():
        assert sha256_of_file(clone / "results" / "smoke" / name) == digest


def test_small_camvid_on_real_frames(camvid_mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BORDERLAB_MIRROR_CAMVID", str(camvid_mirror))
    values = copy.deepcopy(TINY)
    values.update(datasets={"camvid": None}, motion_models={}, scale="single machine")
    values["recipes"]["tiny"].update(epochs=1, samples_per_epoch=16, batch_size=4)  # type: ignore[index]
    values["recipes"]["tiny"]["augment"] = {"crop": [96, 128], "scale": [0.4, 0.8]}  # type: ignore[index]
    joint = {"kind": "joint", "motion": "dis_ultrafast", "max_distance": 2}
    study = {
        "dataset": "camvid",
        "train_split": "val",
        "eval_split": "outside_clip",
        "padding_modes": ["partial"],
        "keyframes": {"stride": 25, "offset": 10},
        "propagation": ["none", joint],
    }
    values["studies"][0].update(study)  # type: ignore[index]
    quality = {
        "dataset": "camvid",
        "keyframes": study["keyframes"],
        "motions": ["copy", "dis_ultrafast"],
        "max_distance": 2,
    }
    values["propagation_quality"] = [{"split": "val", **quality}]
    done = snakemake(tmp_path, "--configfile", write_config(tmp_path, values))
    assert done.returncode == 0, done.stderr[-4000:]
    tables = tmp_path / "results" / "tiny" / "tables"
    assert len(pd.read_csv(tables / "runs.csv")) == 2
    moved = pd.read_csv(tables / "propagation.csv").set_index(["motion", "distance"])["miou_pct"]
    # Real labels: moving beats copying, and near beats far.
    assert moved["dis_ultrafast", 1] > moved["copy", 1] > moved["copy", 2]
    assert moved["dis_ultrafast", 1] > moved["dis_ultrafast", 2]
