"""Processes that die: trainings, syntheses, and the controller."""

import random
import signal
import subprocess
import time
from pathlib import Path

from tests.workflow.faults.bench import EPOCHS, Bench, Outcome, kill, last_line, start
from tests.workflow.running import ROOT, run, snakemake

SHORTEST_S = 0.05


def killed_training(bench: Bench, trials: int = 20) -> Outcome:
    """SIGKILL at random moments of a training, from its first import to its last file."""
    moments = random.Random(0)
    name, lost, ended, same = bench.name("run"), 0, 0, True
    command = ("borderlab", "train", name, "--config", bench.config)
    whole_s = _seconds(bench.untrained("timed"), command)
    folder = bench.untrained("killed0")
    for trial in range(trials):
        process = start(folder, *command)
        try:
            assert process.wait(moments.uniform(SHORTEST_S, whole_s)) == 0
            ended += 1
        except subprocess.TimeoutExpired:
            before = _newest_step(folder, name)
            kill(process)
            lost += int(before == 0)
        if _is_finished(folder, name):
            same = same and _ends_as(bench, folder)
            folder = bench.untrained(f"killed{trial + 1}")
    same = same and _ends_as(bench, folder)
    seen = f"nothing; {ended} of {trials} ended before their signal, {lost} were killed before their first checkpoint"
    return Outcome("SIGKILL at a random moment of a training", seen, f"at most one of {EPOCHS} epochs", same, trials)


def killed_synthesis(bench: Bench, trials: int = 20) -> Outcome:
    """SIGKILL at random moments of a synthesis: its folder is whole or absent."""
    moments = random.Random(1)
    name, same, whole = bench.name("synthesis"), True, 0
    folder = bench.copy("synthesis", f"artifacts/tiny/propagated/{name}")
    command = ("borderlab", "synthesise", name, "--config", bench.config)
    place, expected = (root / "artifacts" / "tiny" / "propagated" / name for root in (folder, bench.whole))
    whole_s = _seconds(bench.copy("synthesis_timed", f"artifacts/tiny/propagated/{name}"), command)
    for _ in range(trials):
        process = start(folder, *command)
        try:
            process.wait(moments.uniform(SHORTEST_S, whole_s))
        except subprocess.TimeoutExpired:
            kill(process)
        if place.exists():
            whole += 1
            same = same and _files(place) == _files(expected)
            for path in sorted(place.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            place.rmdir()
    assert run(*command, folder=folder).returncode == 0
    same = same and _files(place) == _files(expected)
    seen = f"nothing; its folder was whole {whole} times and absent {trials - whole} times, never in part"
    return Outcome("SIGKILL at a random moment of a synthesis", seen, "the one synthesis", same, trials)


def terminated_training(bench: Bench, trials: int = 5) -> Outcome:
    """SIGTERM, as a preemption or the end of a walltime sends it."""
    name, same, said = bench.name("run"), True, ""
    command = ("borderlab", "train", name, "--config", bench.config)
    for trial in range(trials):
        folder = bench.untrained(f"terminated{trial}")
        process = start(folder, *command)
        while not (folder / "artifacts" / "tiny" / "runs" / name / "spec.json").exists():
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(0.1 * trial)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) in (0, 75)
        if process.returncode == 75:
            said = last_line((folder / "out.txt").read_text(), "stopped by SIGTERM")
        same = same and _ends_as(bench, folder)
    return Outcome("SIGTERM to a training", said, "nothing", same, trials)


def killed_controller(bench: Bench) -> Outcome:
    """SIGKILL to Snakemake and its jobs."""
    folder = bench.copy("controller", "artifacts/tiny/runs", "artifacts/tiny/reports", "results")
    process = start(folder, *_controller(bench))
    _wait_for_checkpoint(folder, process)
    kill(process)
    refused = snakemake(folder, "--configfile", bench.config)
    assert refused.returncode != 0
    seen = last_line(refused.stderr, "Directory cannot be locked")
    bench.finish(folder)
    return Outcome("controller killed, unlocked, started again", seen, "one epoch at most", bench.same(folder), 1)


def two_controllers(bench: Bench) -> Outcome:
    """A second Snakemake in a folder where one runs."""
    folder = bench.untrained("two")
    first = start(folder, *_controller(bench))
    _wait_for_checkpoint(folder, first)
    second = snakemake(folder, "--configfile", bench.config)
    assert second.returncode != 0
    seen = last_line(second.stderr, "Directory cannot be locked")
    assert first.wait(600) == 0
    return Outcome("two controllers at once", seen, "nothing: the first goes on", bench.same(folder), 1)


def _controller(bench: Bench) -> tuple[str, ...]:
    return ("snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "1", "--configfile", bench.config)


def _wait_for_checkpoint(folder: Path, process: subprocess.Popen[str]) -> None:
    while not list(folder.glob("artifacts/tiny/runs/*/*/checkpoints/step_*.checkpoint")):
        assert process.poll() is None, (folder / "out.txt").read_text()[-2000:]
        time.sleep(0.02)


def _seconds(folder: Path, command: tuple[str, ...]) -> float:
    begun = time.monotonic()
    done = run(*command, folder=folder)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - begun


def _newest_step(folder: Path, name: str) -> int:
    checkpoints = (folder / "artifacts" / "tiny" / "runs" / name / "checkpoints").glob("step_*.checkpoint")
    return max((int(path.stem.split("_")[1]) for path in checkpoints), default=0)


def _is_finished(folder: Path, name: str) -> bool:
    return (folder / "artifacts" / "tiny" / "runs" / name / "training.json").exists()


def _ends_as(bench: Bench, folder: Path) -> bool:
    bench.finish(folder)
    return bench.same(folder)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
