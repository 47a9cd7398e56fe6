"""What a scheduler does to jobs: walltime, memory, preemption, a lost node (a one-host Slurm cluster on loopback)."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.workflow import slurm_cluster
from tests.workflow.faults.bench import UNTRAINED, Bench, Outcome, copy_samples, experiment, kill
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
    return _on_cluster(bench, "node down while it trains", {}, lambda folder: _set_aside("down"), epochs=60)


def node_drained(bench: Bench) -> Outcome:
    """The only node is drained under a running training, and is back after it: later jobs wait."""

    def drain(folder: Path) -> None:
        _set_aside("drain", lambda: not list(folder.glob("artifacts/tiny/runs/*/*/training.json")))

    return _on_cluster(bench, "node drained while it trains", {}, drain, epochs=20, is_interrupted=False)


def _set_aside(state: str, as_long_as: Callable[[], bool] = lambda: False) -> None:
    """Give the only node another state, for five seconds and `as_long_as`."""
    node = f"nodename={slurm_cluster.host_name()}"
    subprocess.run(["scontrol", "update", node, f"state={state}", "reason=test"], check=True)
    deadline = time.monotonic() + PATIENCE_S
    while as_long_as() and time.monotonic() < deadline:
        time.sleep(0.5)
    time.sleep(5)
    # Refused where the node came back by itself, as one that is down does when its daemon reports again.
    subprocess.run(["scontrol", "update", node, "state=resume"], check=False)


def _on_cluster(
    bench: Bench,
    fault: str,
    resources: dict[str, int],
    bring_about: Callable[[Path], None],
    *,
    is_interrupted: bool = True,
    **recipe: int,
) -> Outcome:
    if (reason := slurm_cluster.missing()) is not None:
        raise UnavailableError(reason)
    values = experiment(**recipe)
    values["studies"][0]["resources"] = resources  # type: ignore[index]
    whole, folder = bench.folder / "long", bench.folder / "clone"
    for place in (whole, folder):
        subprocess.run(["git", "clone", "-q", str(ROOT), str(place)], check=True)
        write_config(place, values)
    local = bench.start(whole, "snakemake", "--cores", "1", "--configfile", bench.config)
    assert local.wait(PATIENCE_S) == 0, (whole / "out.txt").read_text()[-3000:]
    copy_samples(whole, folder)
    with slurm_cluster.cluster(bench.folder / "slurm"):
        workflow = bench.start(folder, "snakemake", "--profile", "slurm", *FAST, "--configfile", bench.config)
        try:
            while not list(folder.glob("artifacts/tiny/runs/*/*/spec.json")):
                assert workflow.poll() is None, (folder / "out.txt").read_text()[-3000:]
                time.sleep(0.1)
            bring_about(folder)
            assert workflow.wait(PATIENCE_S) == 0, (folder / "out.txt").read_text()[-3000:]
        finally:
            if workflow.poll() is None:
                kill(workflow)
    again = bench.again(folder, needed=(*UNTRAINED, "score", "train-motion"), whole=whole)
    # Otherwise the training ended before its fault.
    assert ("train" in again.commands) is is_interrupted, again
    seen = _seen(folder) if is_interrupted else "nothing: later jobs wait until the node is back"
    return Outcome(fault, seen, again, bench.same(folder, whole))


def _seen(folder: Path) -> str:
    text = (folder / "out.txt").read_text()
    return (
        "`Trying to restart job`, by Snakemake" if "Trying to restart job" in text else "nothing: Slurm queues it again"
    )
