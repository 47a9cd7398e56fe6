"""What a scheduler does to jobs: walltime, memory, preemption, a lost node (a one-host Slurm cluster on loopback)."""

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.workflow import slurm_cluster
from tests.workflow.faults.bench import Bench, Outcome, experiment, last_line, start
from tests.workflow.running import ROOT, write_config

FAST = ("--slurm-init-seconds-before-status-checks", "2")
PATIENCE_S = 900


class UnavailableError(Exception):
    """A fault that cannot be brought about on this machine."""


def walltime(bench: Bench) -> Outcome:
    """A job of one minute that needs longer: Slurm ends it, and it comes back with two."""
    return _on_cluster(bench, "walltime ends a training", {"runtime_min": 1}, lambda folder: None, epochs=150)


def memory(bench: Bench) -> Outcome:
    """A job of 200 MB that needs more."""
    return _on_cluster(bench, "job killed for its memory", {"mem_mb": 200}, lambda folder: None)


def preemption(bench: Bench) -> Outcome:
    """A job of a partition that goes before ours wants all processors."""

    def preempt(folder: Path) -> None:
        processors = f"--cpus-per-task={slurm_cluster.CPUS}"
        subprocess.run(
            ["sbatch", "--wait", "--partition=urgent", processors, "--wrap", "sleep 5"], cwd=folder, check=True
        )

    return _on_cluster(bench, "training preempted", {}, preempt, epochs=60)


def node_lost(bench: Bench) -> Outcome:
    """The only node goes down under a running training, and is back after five seconds."""
    node = f"nodename={socket.gethostname().split('.')[0]}"

    def lose(folder: Path) -> None:
        subprocess.run(["scontrol", "update", node, "state=down", "reason=test"], check=True)
        time.sleep(5)
        subprocess.run(["scontrol", "update", node, "state=resume"], check=True)

    return _on_cluster(bench, "node down while it trains", {}, lose, epochs=60)


def _on_cluster(
    bench: Bench, fault: str, resources: dict[str, int], bring_about: Callable[[Path], None], **recipe: int
) -> Outcome:
    if (reason := slurm_cluster.missing()) is not None:
        raise UnavailableError(reason)
    values = experiment(**recipe)
    values["studies"][0]["resources"] = resources  # type: ignore[index]
    whole, folder = bench.folder / "long", bench.folder / "clone"
    for place in (whole, folder):
        subprocess.run(["git", "clone", "-q", str(ROOT), str(place)], check=True)
        write_config(place, values)
    assert start(whole, "snakemake", "--cores", "1", "--configfile", bench.config).wait(PATIENCE_S) == 0
    with slurm_cluster.cluster(bench.folder / "slurm"):
        workflow = start(folder, "snakemake", "--profile", "slurm", *FAST, "--configfile", bench.config)
        while not list(folder.glob("artifacts/tiny/runs/*/*/checkpoints/step_*")):
            assert workflow.poll() is None or list(folder.glob("results/tiny/*")), (folder / "out.txt").read_text()
            if workflow.poll() is not None:
                break
            time.sleep(0.1)
        bring_about(folder)
        assert workflow.wait(PATIENCE_S) == 0, (folder / "out.txt").read_text()[-3000:]
    bench.whole = whole
    return Outcome(fault, _seen(folder), _resumed(folder), bench.same(folder), 1)


def _seen(folder: Path) -> str:
    text = (folder / "out.txt").read_text()
    if "Trying to restart job" in text:
        return last_line(text, "SLURM status is").split(" Additional")[0] if "SLURM status is" in text else "a restart"
    return "nothing: Slurm queues the job again"


def _resumed(folder: Path) -> str:
    (log,) = folder.glob("logs/train_network/*/*.log")
    lines = [line for line in log.read_text().splitlines() if line.startswith("resumed after")]
    return f"{lines[-1]}" if lines else "the training"
