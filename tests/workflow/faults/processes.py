"""Processes that die: trainings, syntheses, and the controller."""

import random
import signal
import subprocess
import time
from pathlib import Path

from tests.workflow.faults.bench import STEPS_PER_EPOCH, Again, Bench, Outcome, kill, last_line

SHORTEST_S = 0.05


def killed_training(bench: Bench, trials: int = 20) -> Outcome:
    """SIGKILL at random moments of a training, from its first import to its last file."""
    moments = random.Random(0)
    name, early, ended, same = bench.name("run"), 0, 0, True
    command = ("borderlab", "train", name, "--config", bench.config)
    whole_s = _seconds(bench, bench.untrained("timed"), command)
    folders = [bench.untrained("killed0")]
    for trial in range(trials):
        process = bench.start(folders[-1], *command)
        try:
            assert process.wait(moments.uniform(SHORTEST_S, whole_s)) == 0
            ended += 1
        except subprocess.TimeoutExpired:
            early += int(_newest_step(folders[-1], name) == 0)
            kill(process)
        if _is_finished(folders[-1], name):
            same = same and _ends_as(bench, folders[-1])
            folders.append(bench.untrained(f"killed{trial + 1}"))
    same = same and _ends_as(bench, folders[-1])
    again = bench.again(*folders)
    # There is a checkpoint after every epoch.
    assert again.steps <= (trials - ended) * STEPS_PER_EPOCH, again
    seen = f"nothing; {ended} of {trials} ended before their signal, {early} were killed before their first checkpoint"
    return Outcome("SIGKILL at a random moment of a training", seen, again, same, trials)


def killed_synthesis(bench: Bench, trials: int = 20) -> Outcome:
    """SIGKILL at random moments of a synthesis: its folder is whole or absent."""
    moments = random.Random(1)
    name, same, whole = bench.name("synthesis"), True, 0
    folder = bench.copy("synthesis", f"artifacts/tiny/propagated/{name}")
    command = ("borderlab", "synthesise", name, "--config", bench.config)
    place, expected = (root / "artifacts" / "tiny" / "propagated" / name for root in (folder, bench.whole))
    whole_s = _seconds(bench, bench.copy("synthesis_timed", f"artifacts/tiny/propagated/{name}"), command)
    for _ in range(trials):
        process = bench.start(folder, *command)
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
    assert bench.run(*command, folder=folder).returncode == 0
    same = same and _files(place) == _files(expected)
    seen = f"nothing; its folder was whole {whole} times and absent {trials - whole} times, never in part"
    # What was killed had to be begun again; the last one, after all trials, was for the end.
    again = Again({"synthesise": trials - whole})
    return Outcome("SIGKILL at a random moment of a synthesis", seen, again, same, trials)


def terminated_training(bench: Bench, trials: int = 5) -> Outcome:
    """SIGTERM, as a preemption or the end of a walltime sends it."""
    name, same, said = bench.name("run"), True, ""
    command = ("borderlab", "train", name, "--config", bench.config)
    folders = [bench.untrained(f"terminated{trial}") for trial in range(trials)]
    for trial, folder in enumerate(folders):
        process = bench.start(folder, *command)
        while not (folder / "artifacts" / "tiny" / "runs" / name / "spec.json").exists():
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(0.1 * trial)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) in (0, 75)
        if process.returncode == 75:
            said = last_line((folder / "out.txt").read_text(), "stopped by SIGTERM")
        same = same and _ends_as(bench, folder)
    again = bench.again(*folders)
    assert again.steps == 0, again
    return Outcome("SIGTERM to a training", said, again, same, trials)


def killed_controller(bench: Bench) -> Outcome:
    """SIGKILL to Snakemake and its jobs."""
    folder = bench.copy("controller", "artifacts/tiny/runs", "artifacts/tiny/reports", "results")
    process = bench.start(folder, *bench.workflow_command(folder))
    _wait_for_checkpoint(folder, process)
    kill(process)
    refused = bench.attempt(folder)
    assert refused.returncode != 0
    seen = last_line(refused.stderr, "Directory cannot be locked")
    bench.finish(folder)
    again = bench.again(folder)
    assert again.commands == {"train": 1}, again
    assert again.steps <= STEPS_PER_EPOCH, again
    return Outcome("controller killed, unlocked, started again", seen, again, bench.same(folder))


def two_controllers(bench: Bench) -> Outcome:
    """A second Snakemake in a folder where one runs."""
    folder = bench.untrained("two")
    first = bench.start(folder, *bench.workflow_command(folder))
    _wait_for_checkpoint(folder, first)
    second = bench.attempt(folder)
    assert second.returncode != 0
    seen = last_line(second.stderr, "Directory cannot be locked")
    assert first.wait(600) == 0
    again = bench.again(folder)
    assert str(again) == "nothing", again
    return Outcome("two controllers at once", seen, again, bench.same(folder))


def _wait_for_checkpoint(folder: Path, process: subprocess.Popen[str]) -> None:
    while not list(folder.glob("artifacts/tiny/runs/*/*/checkpoints/step_*.checkpoint")):
        assert process.poll() is None, (folder / "out.txt").read_text()[-2000:]
        time.sleep(0.02)


def _seconds(bench: Bench, folder: Path, command: tuple[str, ...]) -> float:
    begun = time.monotonic()
    done = bench.run(*command, folder=folder)
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
