"""One training on two nodes of a Slurm cluster: srun and torchrun, rendezvous on the first node, gloo."""

import copy
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.workflow.running import ROOT, TINY, run, write_config
from tests.workflow.slurm_cluster import cluster, missing

pytestmark = pytest.mark.workflow

COMMAND = ("snakemake", "--profile", "slurm", "--slurm-init-seconds-before-status-checks", "2")
COMMAND += ("--until", "train_network", "--configfile", "tiny.yaml")


@pytest.fixture(scope="module", autouse=True)
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Two nodes, both of them this host."""
    if (reason := missing()) is not None:
        pytest.skip(reason)
    with cluster(tmp_path_factory.mktemp("slurm"), nodes=2):
        yield


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with a training on two nodes."""
    folder = tmp_path / "borderlab"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    values = copy.deepcopy(TINY)
    values["recipes"]["tiny"].update(epochs=2, samples_per_epoch=40)  # type: ignore[index]
    values["studies"][0].update(  # type: ignore[index]
        padding_modes=["partial"], propagation=["none"], resources={"nodes": 2, "mem_mb": 3000}
    )
    values["propagation_quality"] = []
    write_config(folder, values)
    return folder


def weights(folder: Path) -> bytes:
    (path,) = folder.glob("artifacts/tiny/runs/*/*/model.safetensors")
    return path.read_bytes()


def test_two_nodes_end_with_the_bits_of_two_processes_also_when_stopped(clone: Path) -> None:
    with (clone / "out.txt").open("w") as out:
        workflow = subprocess.Popen(COMMAND, cwd=clone, stdout=out, stderr=out)
        while not list(clone.glob("artifacts/tiny/runs/*/*/checkpoints/*.checkpoint")):
            assert workflow.poll() is None, (clone / "out.txt").read_text()[-3000:]
            time.sleep(0.1)
        (job,) = subprocess.run(["squeue", "-ho", "%i"], capture_output=True, text=True, check=True).stdout.split()
        nodes = subprocess.run(["squeue", "-ho", "%D", "-j", job], capture_output=True, text=True, check=True).stdout
        assert nodes.strip() == "2"
        # To every step, as before a walltime's end: torchrun on both nodes passes it on.
        subprocess.run(["scancel", "--signal=USR1", job], check=True)
        assert workflow.wait(timeout=900) == 0, (clone / "out.txt").read_text()[-3000:]
    (log,) = clone.glob("logs/train_network/*/*.log")
    assert "resumed after" in log.read_text()
    (facts,) = clone.glob("artifacts/tiny/runs/*/*/provenance.json")
    assert json.loads(facts.read_text())["processes"] == 2

    here = clone.parent / "here"
    shutil.copytree(clone, here, ignore=shutil.ignore_patterns("artifacts", ".snakemake"))
    name = f"{facts.parent.parent.name}/{facts.parent.name}"
    torchrun = ("torchrun", "--standalone", "--nproc-per-node=2", "--no-python")
    done = run(*torchrun, "borderlab", "train", name, "--config", "tiny.yaml", folder=here)
    assert done.returncode == 0, done.stderr[-3000:]
    assert weights(here) == weights(clone)
