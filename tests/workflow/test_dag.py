"""The DAG run for real: once, not twice, and only what a change asks for."""

import copy
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest
from tests.workflow.running import ROOT, TINY, environment, jobs, run, snakemake, write_config

pytestmark = pytest.mark.workflow

MODES = ("zeros", "partial")


def dry_run(folder: Path, config: str = "tiny.yaml") -> dict[str, int]:
    done = snakemake(folder, "-n", "--configfile", config)
    assert done.returncode == 0, done.stderr[-3000:]
    return jobs(done.stdout)


def changed(**studies: object) -> dict[str, object]:
    values = copy.deepcopy(TINY)
    values["studies"][0].update(studies)  # type: ignore[index]
    return values


def test_finished_run_has_nothing_to_do(tiny_run: Path) -> None:
    assert dry_run(tiny_run) == {}
    done = snakemake(tiny_run, "-n", "--configfile", "tiny.yaml")
    assert "Nothing to be done" in done.stderr + done.stdout


def test_run_folders_hold_what_a_run_leaves(tiny_run: Path) -> None:
    folders = [path.parent for path in tiny_run.glob("artifacts/tiny/runs/*/*/training.json")]
    assert len(folders) == 4
    for folder in folders:
        names = {path.name for path in folder.iterdir()}
        assert names >= {"spec.json", "curve.csv", "training.json", "provenance.json", "model.safetensors"}
        assert "checkpoints" not in names
        provenance = json.loads((folder / "provenance.json").read_text())
        assert provenance["device"].startswith("cpu: ")
        assert provenance["seed"] == 0


def test_tables_hold_every_run(tiny_run: Path) -> None:
    runs = pd.read_csv(tiny_run / "results" / "tiny" / "tables" / "runs.csv")
    assert sorted(zip(runs["padding_mode"], runs["propagation_kind"].fillna("none"), strict=True)) == [
        ("partial", "joint"),
        ("partial", "none"),
        ("zeros", "joint"),
        ("zeros", "none"),
    ]
    assert runs["last_pct"].between(0, 100).all()


def test_modification_times_decide_nothing(tiny_run: Path) -> None:
    for index, path in enumerate(sorted(tiny_run.glob("artifacts/**/*.json"))):
        os.utime(path, (1.6e9 + 7919 * (index % 13), 1.6e9 + 7919 * (index % 13)))
    assert dry_run(tiny_run) == {}


def test_one_more_padding_trains_only_its_own_runs(tiny_run: Path) -> None:
    write_config(tiny_run, changed(padding_modes=["zeros", "partial", "reflect"]), "more.yaml")
    assert dry_run(tiny_run, "more.yaml") == {
        "all": 1,
        "evaluate_network": 2,
        "probe_network": 1,
        "publish_results": 1,
        "report_experiment": 1,
        "tabulate_results": 1,
        "train_network": 2,
    }


def test_one_more_probe_trains_nothing(tiny_run: Path) -> None:
    values = copy.deepcopy(TINY)
    values["probes"].append({"name": "leak", "study": "tiny", "padding_modes": ["circular"]})  # type: ignore[attr-defined]
    write_config(tiny_run, values, "probed.yaml")
    planned = dry_run(tiny_run, "probed.yaml")
    assert planned["probe_network"] == 1
    assert not {"fetch_dataset", "train_network", "evaluate_network"} & set(planned)


def test_probes_leave_tables_and_pictures(tiny_run: Path) -> None:
    (folder,) = tiny_run.glob("artifacts/tiny/probes/borders-*")
    assert {path.name for path in folder.iterdir()} >= {"probe.json", "cross_test.csv", "pictures"}
    table = pd.read_csv(tiny_run / "results" / "tiny" / "tables" / "cross_test.csv", keep_default_na=False)
    assert set(zip(table["trained_mode"], table["tested_mode"], strict=True)) == {
        ("partial", "partial"),
        ("partial", "zeros"),
        ("zeros", "partial"),
        ("zeros", "zeros"),
    }
    assert "What padding does at the border" in (tiny_run / "results" / "tiny" / "report.html").read_text()


def test_a_trained_motion_model_moves_labels_and_is_reported_by_its_own_name(tiny_run: Path) -> None:
    (folder,) = tiny_run.glob("artifacts/tiny/motion_models/rebuild-*")
    names = {"identity.json", "spec.json", "training.json", "curve.csv", "held_out.csv", "provenance.json"}
    assert {path.name for path in folder.iterdir()} == {*names, "model.safetensors"}
    (manifest,) = tiny_run.glob(f"artifacts/tiny/motion/streets/val-{folder.name}-*/manifest.json")
    assert json.loads(manifest.read_text())["model"] == folder.name
    tables = tiny_run / "results" / "tiny" / "tables"
    assert set(pd.read_csv(tables / "propagation.csv")["motion"]) == {"rebuild"}
    assert set(pd.read_csv(tables / "motion_models.csv")["method"]) == {"copy", "input_flow", "learned"}
    assert "Trained motion models" in (tiny_run / "results" / "tiny" / "report.html").read_text()


def test_another_training_of_a_motion_model_makes_again_what_rests_on_it_alone(tiny_run: Path) -> None:
    values = copy.deepcopy(TINY)
    values["motion_models"]["rebuild"]["seed"] = 1  # type: ignore[index]
    write_config(tiny_run, values, "moved.yaml")
    assert dry_run(tiny_run, "moved.yaml") == {
        "all": 1,
        "estimate_motion": 1,
        "publish_results": 1,
        "report_experiment": 1,
        "score_propagation": 1,
        "synthesise_samples": 2,
        "tabulate_results": 1,
        "train_motion": 1,
    }


def test_longer_training_keeps_motion_and_synthesis(tiny_run: Path) -> None:
    values = copy.deepcopy(TINY)
    values["recipes"]["tiny"]["epochs"] = 3  # type: ignore[index]
    write_config(tiny_run, values, "longer.yaml")
    planned = dry_run(tiny_run, "longer.yaml")
    assert planned["train_network"] == 4
    assert not {"fetch_dataset", "estimate_motion", "synthesise_samples", "score_propagation"} & set(planned)


def test_farther_propagation_keeps_the_nearer_samples(tiny_run: Path) -> None:
    joint = {"kind": "joint", "motion": "dis_ultrafast", "max_distance": 1}
    write_config(tiny_run, changed(propagation=["none", joint]), "nearer.yaml")
    planned = dry_run(tiny_run, "nearer.yaml")
    assert planned["train_network"] == 2
    assert "synthesise_samples" not in planned


def test_published_results_follow_the_configuration_and_back(tiny_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(tiny_run, folder, symlinks=True)
    write_config(folder, {**changed(padding_modes=["zeros"])}, "less.yaml")
    after = {"tabulate_results", "report_experiment", "publish_results"}
    assert dry_run(folder, "less.yaml").keys() == {"all", "probe_network", *after}
    for config, n_runs in (("less.yaml", 2), ("tiny.yaml", 4)):
        done = snakemake(folder, "--configfile", config)
        assert done.returncode == 0, done.stderr[-3000:]
        assert len(pd.read_csv(folder / "results" / "tiny" / "tables" / "runs.csv")) == n_runs
        assert dry_run(folder, config) == {}


def test_explain_says_in_what_two_runs_differ(tiny_run: Path) -> None:
    zeros, partial = (next(tiny_run.glob(f"artifacts/tiny/runs/*/*-{mode}-keyframes-*")) for mode in MODES)
    done = run("borderlab", "explain", str(zeros), str(partial), "--config", "tiny.yaml", folder=tiny_run)
    assert done.returncode == 0, done.stderr
    assert 'setting padding_mode: "zeros" -> "partial"' in done.stdout
    assert "code borderlab.padding.partial: absent -> " in done.stdout
    assert "setting seed" not in done.stdout


@pytest.mark.parametrize(("command", "place"), [("train", "runs/*"), ("train-motion", "motion_models")])
def test_what_is_trained_is_left_as_it_is(tiny_run: Path, command: str, place: str) -> None:
    mark = next(tiny_run.glob(f"artifacts/tiny/{place}/*/training.json"))
    name = str(mark.parent.relative_to(tiny_run / "artifacts/tiny")).partition("/")[2]
    before = mark.stat()
    done = run("borderlab", command, name, "--config", "tiny.yaml", folder=tiny_run)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"{name}: trained already, and left as it is; --again trains it anew in its place\n")
    assert mark.stat() == before


def test_what_is_trained_is_trained_again_where_that_is_asked_for(tiny_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(tiny_run, folder, symlinks=True)
    weights = next(folder.glob("artifacts/tiny/runs/*/*/model.safetensors"))
    bits, place = weights.read_bytes(), weights.stat().st_ino
    name = str(weights.parent.relative_to(folder / "artifacts/tiny/runs"))
    done = run("borderlab", "train", name, "--again", "--config", "tiny.yaml", folder=folder)
    assert done.returncode == 0, done.stderr
    assert weights.stat().st_ino != place
    assert weights.read_bytes() == bits
    assert weights.with_name("training.json").exists()


def test_same_seed_gives_the_same_bits_elsewhere(tiny_run: Path, tmp_path: Path) -> None:
    write_config(tmp_path, changed(padding_modes=["partial"], propagation=["none"], resources={"workers": 2}))
    done = snakemake(tmp_path, "--configfile", "tiny.yaml")
    assert done.returncode == 0, done.stderr[-3000:]
    (weights,) = tmp_path.glob("artifacts/tiny/runs/*/*/model.safetensors")
    twin = tiny_run / weights.relative_to(tmp_path)
    assert weights.read_bytes() == twin.read_bytes()


def test_killed_training_resumes_to_the_same_bits(tiny_run: Path, tmp_path: Path) -> None:
    values = changed(padding_modes=["zeros"], propagation=["none"])
    values["recipes"]["tiny"].update(epochs=12, samples_per_epoch=8)  # type: ignore[index]
    folders = [tmp_path / "whole", tmp_path / "killed"]
    for folder in folders:
        folder.mkdir()
        write_config(folder, values)
    assert snakemake(folders[0], "--configfile", "tiny.yaml").returncode == 0
    _start_and_kill(folders[1])
    assert next(folders[1].glob("artifacts/tiny/runs/*/*/checkpoints/step_*.checkpoint"), None) is not None
    assert snakemake(folders[1], "--unlock", "--configfile", "tiny.yaml").returncode == 0
    done = snakemake(folders[1], "--configfile", "tiny.yaml")
    assert done.returncode == 0, done.stderr[-3000:]
    (log,) = folders[1].glob("logs/train_network/*/*.log")
    assert "resumed after" in log.read_text()
    weights = [next(folder.glob("artifacts/tiny/runs/*/*/model.safetensors")) for folder in folders]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_training_asked_to_stop_leaves_a_checkpoint_and_goes_on(tiny_run: Path, tmp_path: Path) -> None:
    values = changed(padding_modes=["zeros"], propagation=["none"])
    values["recipes"]["tiny"].update(epochs=1, samples_per_epoch=160)  # type: ignore[index]
    write_config(tmp_path, values)
    shutil.copytree(tiny_run / "data", tmp_path / "data")
    listed = run("borderlab", "plan", "--config", "tiny.yaml", folder=tmp_path).stdout
    (name,) = [line.strip() for line in listed.splitlines() if line.startswith("  streets/mobilenetv3_small_050")]
    command = ["borderlab", "train", name, "--config", "tiny.yaml"]
    stopped = subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True)
    spec = tmp_path / "artifacts" / "tiny" / "runs" / name / "spec.json"
    while not spec.exists():
        assert stopped.poll() is None
        time.sleep(0.05)
    stopped.send_signal(signal.SIGTERM)
    _, error = stopped.communicate(timeout=300)
    assert stopped.returncode == 75
    assert error.startswith("borderlab: error: stopped by SIGTERM after step ")
    done = run(*command, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "resumed after batch " in done.stdout


def _start_and_kill(folder: Path) -> None:
    """Start the workflow and kill all of it, controller and job, as soon as a checkpoint stands."""
    command = ["snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "1", "--configfile", "tiny.yaml"]
    with (folder / "out.txt").open("w") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=out, stderr=out, start_new_session=True
        )
        deadline = time.monotonic() + 600
        while not list(folder.glob("artifacts/tiny/runs/*/*/checkpoints/step_*.checkpoint")):
            assert process.poll() is None, (folder / "out.txt").read_text()[-2000:]
            assert time.monotonic() < deadline, "no checkpoint within ten minutes"
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"padding_modes": ["zero"]}, "padding_modes[0]: got 'zero'; allowed: "),
        ({"backbones": ["resnet19"]}, "backbones[0].name: got 'resnet19'; allowed: "),
        ({"dataset": "steets"}, "dataset: got 'steets'; allowed: streets"),
    ],
)
def test_unknown_name_stops_before_the_dag(tmp_path: Path, change: dict[str, object], message: str) -> None:
    write_config(tmp_path, changed(**change))
    done = snakemake(tmp_path, "-n", "--configfile", "tiny.yaml")
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if "borderlab: error:" in line]
    assert len(lines) == 1
    assert "tiny.yaml: studies[0]" in lines[0]
    assert message in lines[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "config").glob("*.yaml")))
def test_every_configuration_dry_runs_without_data(tmp_path: Path, name: str) -> None:
    done = snakemake(tmp_path, "-n", "--quiet", "rules", "--configfile", str(ROOT / "config" / f"{name}.yaml"))
    assert done.returncode == 0, done.stderr[-3000:]
    planned = jobs(done.stdout)
    assert planned.get("train_network", 0) == planned.get("evaluate_network", 0)
    assert planned.get("train_network", 0) + planned.get("train_motion", 0) > 0
    if name == "paper":
        assert planned["train_network"] >= 5 * 4 * 5 + 11 * 2 * 3


def test_wrong_path_for_results_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file where a folder should be")
    write_config(tmp_path, changed(padding_modes=["zeros"], propagation=["none"]))
    done = run("borderlab", "publish", "--config", "tiny.yaml", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("borderlab: error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("asked", "found"), [((), "None"), (("--max-jobs-per-timespan", "7/1s"), "7")])
def test_jobs_are_not_looked_for_by_timers(tmp_path: Path, asked: tuple[str, ...], found: str) -> None:
    """Each job that ended would start one more chain of timers; what somebody asks for stays."""
    (tmp_path / "Snakefile").write_text(f"""
include: {str(ROOT / "Snakefile")!r}
rule nothing:
    output: touch("nothing")
onsuccess:
    limit = workflow.scheduler.job_rate_limiter
    with open("limit", "w") as stream:
        stream.write(str(limit and limit.max_jobs))
""")
    write_config(tmp_path, TINY)
    done = run("snakemake", "nothing", "--cores", "1", *asked, "--configfile", "tiny.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "limit").read_text() == found
