"""Results shared through DVC: a clone that pulls has nothing to do, and a change runs exactly what it asks for."""

import copy
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from tests.workflow import dvc_project
from tests.workflow.dvc_project import STAGE, clone, commit, make_project, ok, set_remote
from tests.workflow.running import TINY, finished_jobs, jobs, run, write_config

from borderlab.files import sha256_of_file
from borderlab.report.artifacts import md5_of_file

pytestmark = pytest.mark.workflow

CONFIG = f"config/{STAGE}.yaml"


@pytest.fixture(scope="module")
def project(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose results were pushed to a folder remote."""
    folder = tmp_path_factory.mktemp("shared")
    made = make_project(folder / "project", tiny_run)
    set_remote(made, str(folder / "remote"))
    ok("dvc", "push", STAGE, folder=made)
    return made


@pytest.fixture
def pulled(project: Path, tmp_path: Path) -> Path:
    """A colleague's clone with the pulled results, under another path."""
    folder = clone(project, tmp_path / "some" / "other place")
    set_remote(folder, str(project.parent / "remote"))
    ok("dvc", "pull", STAGE, folder=folder)
    return folder


def planned(folder: Path) -> dict[str, int]:
    return jobs(ok("snakemake", "-n", "--configfile", CONFIG, folder=folder))


def artifacts(folder: Path) -> dict[str, str]:
    root = folder / "artifacts" / STAGE
    return {str(path.relative_to(root)): sha256_of_file(path) for path in root.rglob("*") if path.is_file()}


def test_clone_and_pull_leave_nothing_to_do(project: Path, pulled: Path) -> None:
    assert artifacts(pulled) == artifacts(project)
    assert not (pulled / "data").exists()
    for index, path in enumerate(sorted(pulled.glob("**/*.json"))):
        os.utime(path, (1.6e9 + 7919 * (index % 13), 1.6e9 + 7919 * (index % 13)))
    assert planned(pulled) == {}
    assert "didn't change, skipping" in ok("dvc", "repro", STAGE, folder=pulled)
    assert ok("git", "status", "--porcelain", folder=pulled) == ""


def test_tables_name_results_as_the_remote_does(project: Path, pulled: Path) -> None:
    runs = pd.read_csv(pulled / "results" / STAGE / "tables" / "runs.csv")
    for digest in [*runs["weights_md5"], *runs["metrics_md5"]]:
        stored = project.parent / "remote" / "files" / "md5" / digest[:2] / digest[2:]
        assert md5_of_file(stored) == digest


def test_change_runs_what_it_asks_for_and_back_runs_nothing(pulled: Path) -> None:
    values = copy.deepcopy(TINY)
    values["recipes"]["tiny"]["epochs"] = 1  # type: ignore[index]
    write_config(pulled / "config", values)
    # No data here: one of the two splits' receipts is asked for by trainings, and no motion is made again for it.
    assert planned(pulled) == {
        "all": 1,
        "fetch_dataset": 2,
        "train_network": 4,
        "evaluate_network": 4,
        "probe_network": 1,
        "tabulate_results": 1,
        "report_experiment": 1,
        "publish_results": 1,
    }
    write_config(pulled / "config", TINY)
    assert planned(pulled) == {}
    assert "didn't change, skipping" in ok("dvc", "repro", STAGE, folder=pulled)


def test_another_user_runs_exactly_the_jobs_that_are_predicted(project: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv, to become another user")
    home = Path(tempfile.mkdtemp())
    try:
        shutil.copytree(project.parent / "remote", home / "remote")
        clone(project, home / "clone")
        for path in (home, *home.rglob("*")):
            shutil.chown(path, "nobody", "nogroup")
        remote = ("dvc", "remote", "add", "--local", "--default", "shared", str(home / "remote"))
        ok(*remote, folder=home / "clone", runner=as_nobody)
        ok("dvc", "pull", STAGE, folder=home / "clone", runner=as_nobody)
        assert {path.owner() for path in (home / "clone" / "artifacts").rglob("*")} == {"nobody"}
        assert artifacts(home / "clone") == artifacts(project)
        values = copy.deepcopy(TINY)
        values["studies"][0].update(padding_modes=["zeros"], propagation=["none"])  # type: ignore[index]
        values["recipes"]["tiny"]["epochs"] = 1  # type: ignore[index]
        after = {"publish_results": 1, "all": 1}
        both = {"fetch_dataset": 2, "train_network": 1, "evaluate_network": 1, "probe_network": 1}
        for config, expected in (
            (TINY, {}),
            (values, {**both, "tabulate_results": 1, "report_experiment": 1, **after}),
            # Everything is there; the stable names belong to the other report.
            (TINY, after),
            (TINY, {}),
        ):
            write_config(home / "clone" / "config", config)
            said = ok("snakemake", "-n", "--configfile", CONFIG, folder=home / "clone", runner=as_nobody)
            assert jobs(said) == expected
            done = as_nobody("snakemake", "--configfile", CONFIG, folder=home / "clone")
            assert done.returncode == 0, done.stderr[-3000:]
            assert finished_jobs(done.stdout + done.stderr) == expected
        assert artifacts(home / "clone").items() >= artifacts(project).items()
    finally:
        shutil.rmtree(home)


def as_nobody(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run as another user, who may read what root may (the environment under test lies where root put it)."""
    read = "-all,+dac_read_search"
    user = ("--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
    become = ("setpriv", *user, f"--inh-caps={read}", f"--ambient-caps={read}", f"--bounding-set={read}")
    home = {"HOME": str(folder.parent), "XDG_CACHE_HOME": str(folder.parent / ".cache")}
    return run("env", *(f"{name}={value}" for name, value in home.items()), *become, *command, folder=folder)


@pytest.fixture
def s3_remote(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, dict[str, str]]]:
    pytest.importorskip("moto.server", reason="needs moto with its server (dev extra)")
    pytest.importorskip("dvc_s3", reason="needs dvc-s3 (s3 extra)")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with dvc_project.s3_server() as address:
        yield "s3://results/borderlab", {"endpointurl": address, "region": "us-east-1"}


@pytest.fixture
def ssh_remote(tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    pytest.importorskip("dvc_ssh", reason="needs dvc-ssh (ssh extra)")
    if (reason := dvc_project.ssh_missing()) is not None:
        pytest.skip(reason)
    with dvc_project.ssh_server(tmp_path / "ssh") as (port, key):
        yield f"ssh://root@127.0.0.1{tmp_path}/remote", {"port": str(port), "keyfile": str(key)}


@pytest.mark.parametrize("kind", ["s3", "ssh"])
def test_remote_over_the_network(project: Path, tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    address, options = request.getfixturevalue(f"{kind}_remote")
    sender = clone(project, tmp_path / "sender")
    set_remote(sender, str(project.parent / "remote"))
    ok("dvc", "pull", STAGE, folder=sender)
    set_remote(sender, address, **options)
    ok("dvc", "push", STAGE, folder=sender)
    folder = clone(project, tmp_path / "receiver")
    set_remote(folder, address, **options)
    before = ok("borderlab", "runs", "--remote", "--config", CONFIG, folder=folder)
    assert before.splitlines()[-1] == "4 remote"
    ok("dvc", "pull", STAGE, folder=folder)
    assert artifacts(folder) == artifacts(project)
    assert planned(folder) == {}
    after = ok("borderlab", "runs", "--remote", "--config", CONFIG, folder=folder)
    assert after.splitlines()[-1] == "4 here+remote"


def test_registry_knows_what_is_here_and_what_is_nowhere(pulled: Path) -> None:
    values = copy.deepcopy(TINY)
    values["seeds"] = [0, 1]
    write_config(pulled / "config", values)
    said = ok("borderlab", "runs", "--remote", "--config", CONFIG, folder=pulled).splitlines()
    assert said[-1] == "4 here+remote, 4 nowhere"
    assert {line.split()[0] for line in said if "-seed1-" in line} == {"nowhere"}
    begun = pulled / "artifacts" / STAGE / "runs" / next(line.split()[2] for line in said if "-seed1-" in line)
    begun.mkdir(parents=True)
    assert "1 begun, 4 here, 3 nowhere" in ok("borderlab", "runs", "--config", CONFIG, folder=pulled)
    done = run("borderlab", "runs", "--remote-name", "nobody", "--config", CONFIG, folder=pulled)
    assert done.returncode == 2
    assert done.stderr.startswith("borderlab: error: dvc data status: ERROR: ")


def test_prune_removes_what_no_configuration_names(pulled: Path) -> None:
    for path in (pulled / "config").glob("*.yaml"):
        if path.name != f"{STAGE}.yaml":
            path.unlink()
    assert ok("borderlab", "prune", folder=pulled).startswith("nothing to remove")
    values = copy.deepcopy(TINY)
    values["studies"][0]["padding_modes"] = ["zeros"]  # type: ignore[index]
    write_config(pulled / "config", values)
    before = artifacts(pulled)
    said = ok("borderlab", "prune", folder=pulled).splitlines()
    # Two runs, the probe of four runs, the report.
    assert said[-1].startswith("would remove 4 folders, ")
    assert artifacts(pulled) == before
    gone = [line.split()[-1] for line in said[:-1]]
    assert sum("-partial-" in name for name in gone) == 2
    ok("borderlab", "prune", "--apply", folder=pulled)
    after = artifacts(pulled)
    assert before.items() > after.items()
    assert not [name for name in gone if (pulled / name).exists()]
    assert "train_network" not in planned(pulled)
    # What DVC has can come back.
    ok("dvc", "checkout", "--force", STAGE, folder=pulled)
    assert artifacts(pulled) == before


def test_cache_survives_a_write_into_a_result(pulled: Path) -> None:
    weights = next(pulled.glob(f"artifacts/{STAGE}/runs/*/*/model.safetensors"))
    whole = weights.read_bytes()
    with weights.open("ab") as stream:
        stream.write(b"damage")
    assert "modified" in ok("dvc", "status", STAGE, folder=pulled)
    ok("dvc", "checkout", "--force", STAGE, folder=pulled)
    assert weights.read_bytes() == whole


def test_experiments_metrics_and_plots(pulled: Path) -> None:
    ok(*("dvc", "exp", "run", STAGE, "--set-param"), f"{CONFIG}:studies.0.padding_modes=[zeros]", folder=pulled)
    metrics = json.loads(ok("dvc", "metrics", "diff", "--json", folder=pulled))
    (changes,) = metrics.values()
    old = {name for name in changes if name.startswith("streets.partial / ")}
    assert len(old) == 4
    assert all("new" not in changes[name] or changes[name]["new"] is None for name in old)
    params = json.loads(ok("dvc", "params", "diff", "--json", folder=pulled))
    assert "padding_modes" in json.dumps(params[CONFIG])
    plots = json.loads(ok("dvc", "plots", "diff", "HEAD", "--json", folder=pulled))
    assert set(plots["data"]) == {f"{STAGE}_runs", f"{STAGE}_curves"}
    points = plots["data"][f"{STAGE}_runs"][0]["content"]["data"]["values"]
    assert {(point["rev"], point["padding_mode"]) for point in points} == {
        ("HEAD", "zeros"),
        ("HEAD", "partial"),
        ("workspace", "zeros"),
    }
    commit(pulled, "zeros alone")
    assert "didn't change, skipping" in ok("dvc", "repro", STAGE, folder=pulled)
