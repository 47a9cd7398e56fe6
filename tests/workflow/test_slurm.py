"""`snakemake --profile slurm` against real Slurm daemons on this host."""

import copy
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.workflow.running import ROOT, TINY, run, write_config
from tests.workflow.slurm_cluster import CPUS, cluster, missing

pytestmark = pytest.mark.workflow

FAST = ("--slurm-init-seconds-before-status-checks", "2")
TRAINING_ALONE = ("--until", "train_network")


@pytest.fixture(scope="module", autouse=True)
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cluster for the tests of this module."""
    if (reason := missing()) is not None:
        pytest.skip(reason)
    with cluster(tmp_path_factory.mktemp("slurm")):
        yield


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of the project: its root is where `--profile slurm` finds the profile."""
    folder = tmp_path / "borderlab"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    return folder


def one_training(**recipe: object) -> dict[str, object]:
    values = copy.deepcopy(TINY)
    values["recipes"]["tiny"].update(recipe)  # type: ignore[index]
    values["studies"][0].update(padding_modes=["zeros"], propagation=["none"])  # type: ignore[index]
    values["propagation_quality"] = []
    return values


def same_bits(folders: list[Path], pattern: str) -> None:
    found = [{path.relative_to(folder): path.read_bytes() for path in folder.glob(pattern)} for folder in folders]
    assert found[0]
    assert found[0] == found[1]


def test_tables_are_those_of_the_local_run(tiny_run: Path, clone: Path) -> None:
    write_config(clone, TINY)
    done = run("snakemake", "--profile", "slurm", *FAST, "--configfile", "tiny.yaml", folder=clone)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.count("has been submitted with SLURM jobid") >= 20
    for pattern in ("artifacts/tiny/runs/**/model.safetensors", "artifacts/tiny/scores/**/score.json"):
        same_bits([tiny_run, clone], pattern)
    for table in ("summary", "effects", "classes", "rings", "propagation"):
        same_bits([tiny_run, clone], f"results/tiny/tables/{table}.csv")


def test_job_killed_for_its_memory_comes_back_with_more(clone: Path) -> None:
    values = one_training()
    values["studies"][0]["resources"] = {"mem_mb": 200}  # type: ignore[index]
    write_config(clone, values)
    command = ("snakemake", "--profile", "slurm", *FAST, *TRAINING_ALONE, "--configfile", "tiny.yaml")
    done = run(*command, folder=clone)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Trying to restart job" in done.stderr
    assert list(clone.glob("artifacts/tiny/runs/*/*/training.json"))


def test_training_asks_for_its_gpu_by_model_and_cores(clone: Path) -> None:
    values = one_training()
    values["studies"][0]["resources"] = {"gpus": 2, "workers": 1}  # type: ignore[index]
    write_config(clone, values)
    own = ("train_network:gpu_model=fake", "train_network:slurm_extra='--signal=USR1@300'")
    command = ("snakemake", "--profile", "slurm", *FAST, *TRAINING_ALONE, "--retries", "0", "--set-resources", *own)
    done = run(*command, "--configfile", "tiny.yaml", folder=clone)
    assert done.returncode != 0
    jobs = subprocess.run(["scontrol", "show", "job"], capture_output=True, text=True, check=True).stdout.split("\n\n")
    (job,) = [shown for shown in jobs if str(clone) in shown and "train_network" in shown]
    assert "gres/gpu:fake=2" in job or "gres:gpu:fake:2" in job, job
    assert "NumCPUs=2 " in job, job
    # The GPUs are on the books alone: the training says so.
    (log,) = clone.glob("logs/train_network/*/*.log")
    assert "torch sees 0" in log.read_text()


def test_preempted_training_is_requeued_and_ends_with_the_same_bits(clone: Path) -> None:
    write_config(clone, one_training(epochs=1, samples_per_epoch=800))
    whole = clone.parent / "whole"
    shutil.copytree(clone, whole)
    local = run("snakemake", *TRAINING_ALONE, "--configfile", "tiny.yaml", folder=whole)
    assert local.returncode == 0, local.stderr[-3000:]
    command = ["snakemake", "--profile", "slurm", *FAST, *TRAINING_ALONE, "--configfile", "tiny.yaml"]
    with (clone / "out.txt").open("w") as out:
        workflow = subprocess.Popen(command, cwd=clone, stdout=out, stderr=out)
        while not list(clone.glob("artifacts/tiny/runs/*/*/spec.json")):
            assert workflow.poll() is None, (clone / "out.txt").read_text()[-2000:]
            time.sleep(0.1)
        urgent = ["sbatch", "--wait", "--partition=urgent", f"--cpus-per-task={CPUS}", "--wrap", "sleep 5"]
        subprocess.run(urgent, cwd=clone, check=True, capture_output=True, timeout=600)
        assert workflow.wait(timeout=1500) == 0, (clone / "out.txt").read_text()[-3000:]
    (log,) = clone.glob("logs/train_network/*/*.log")
    assert "resumed after batch" in log.read_text()
    # It is the same job: no retry, with its larger memory, was spent.
    assert "Trying to restart job" not in (clone / "out.txt").read_text()
    same_bits([whole, clone], "artifacts/tiny/runs/**/model.safetensors")
