"""Files that are damaged, gone, or cannot be written; and remotes that do not answer."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.workflow.dvc_project import STAGE, clone, make_project, ok, set_remote
from tests.workflow.faults.bench import STEPS_PER_EPOCH, Again, Bench, Outcome, counts, kill, last_line
from tests.workflow.running import run

FULL_BYTES, ROOMY = 600_000, "200m"
KEY_FRAME = "data/streets-*/train/clip_0000/frame_002.png"


def truncated_checkpoint(bench: Bench) -> Outcome:
    """The newest checkpoint loses its second half."""
    return _damaged(bench, "truncated", lambda content: content[: len(content) // 2])


def flipped_bit(bench: Bench) -> Outcome:
    """One bit in the middle of the newest checkpoint is another one."""

    def flip(content: bytes) -> bytes:
        middle = len(content) // 2
        return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]

    return _damaged(bench, "bit-flipped", flip)


def _damaged(bench: Bench, how: str, change: Callable[[bytes], bytes]) -> Outcome:
    folder = bench.untrained(how)
    name = bench.name("run")
    command = ("borderlab", "train", name, "--config", bench.config)
    process = bench.start(folder, *command)
    checkpoints = folder / "artifacts" / "tiny" / "runs" / name / "checkpoints"
    while len(list(checkpoints.glob("step_*.checkpoint"))) < 2:
        assert process.poll() is None, (folder / "out.txt").read_text()
    kill(process)
    newest = max(checkpoints.glob("step_*.checkpoint"))
    newest.write_bytes(change(newest.read_bytes()))
    done = bench.run(*command, folder=folder)
    assert done.returncode == 0, done.stderr
    seen = last_line(done.stdout, "is damaged")
    bench.finish(folder)
    again = bench.again(folder)
    # The epoch whose checkpoint is damaged, and what was begun of the next.
    assert STEPS_PER_EPOCH <= again.steps <= 2 * STEPS_PER_EPOCH, again
    return Outcome(f"newest checkpoint {how}", seen, again, bench.same(folder))


def deleted_frame(bench: Bench) -> Outcome:
    """A key frame is deleted after the plan was made and the split's receipt written."""
    folder = bench.untrained("frame")
    frame = next(folder.glob(KEY_FRAME))
    frame.unlink()
    failed = bench.attempt(folder)
    assert failed.returncode != 0
    seen = last_line(failed.stderr + failed.stdout, "borderlab: error:").replace(f"{folder}/", "")
    fetched = bench.run("borderlab", "fetch", "streets", "--split", "train", "--config", bench.config, folder=folder)
    assert fetched.returncode == 0, fetched.stderr
    bench.finish(folder)
    again = bench.again(folder)
    assert again.steps == 0, again
    return Outcome("a frame deleted between plan and run", _shortened(seen), again, bench.same(folder))


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A memory file system of few bytes at `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={FULL_BYTES}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def disk_full(bench: Bench) -> Outcome:
    """The disk is full when a training writes its checkpoint; then somebody makes room."""
    folder = bench.untrained("disk")
    runs = folder / "artifacts" / "tiny" / "runs"
    with small_disk(runs):
        failed = bench.attempt(folder)
        assert failed.returncode != 0
        seen = last_line(failed.stderr + failed.stdout, "borderlab: error:")
        subprocess.run(["mount", "-o", f"remount,size={ROOMY}", str(runs)], check=True)
        bench.finish(folder)
        same = bench.same(folder)
    seen = seen.replace(bench.name("run"), "RUN")
    return Outcome("disk full while a checkpoint is written", _shortened(seen), bench.again(folder), same)


def remote_unreachable(bench: Bench) -> Outcome:
    """Nothing listens where the DVC remote should be."""
    project, folder = _shared(bench, "unreachable")
    set_remote(folder, "s3://results/borderlab", endpointurl="http://127.0.0.1:9", access_key_id="x")
    ok("dvc", "remote", "modify", "--local", "shared", "secret_access_key", "x", folder=folder)
    failed = run("dvc", "pull", STAGE, folder=folder)
    assert failed.returncode != 0
    assert not list(folder.glob("artifacts/**/*.safetensors"))
    set_remote(folder, str(project.parent / "remote"))
    ok("dvc", "pull", STAGE, folder=folder)
    seen = last_line(failed.stderr, "ERROR")
    return Outcome("DVC remote unreachable", _shortened(seen), _made(bench, folder), bench.same(folder))


def remote_garbage(bench: Bench) -> Outcome:
    """Every object of the DVC remote has lost its last byte to another one; the remote is set up as documented."""
    project, folder = _shared(bench, "garbage")
    set_remote(folder, str(project.parent / "remote"), verify="true")
    for path in (project.parent / "remote" / "files").rglob("*"):
        if path.is_file() and path.suffix != ".dir" and path.stat().st_size > 1000:
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:-1] + b"?")
            # As DVC left it: what is read-only it trusts, unless told to verify.
            path.chmod(0o444)
    failed = run("dvc", "pull", STAGE, folder=folder)
    assert failed.returncode != 0
    assert not list(folder.glob("artifacts/**/*.safetensors"))
    seen = last_line(failed.stderr + failed.stdout, "ERROR")
    again = _made(bench, folder)
    assert again.commands["train"] == 1, again
    return Outcome("DVC remote returns garbage", _shortened(seen), again, bench.same(folder))


def _made(bench: Bench, folder: Path) -> Again:
    """What the workflow has to make in a clone after `dvc pull`."""
    done = bench.run("snakemake", "--cores", "1", "--configfile", f"config/{STAGE}.yaml", folder=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    made, steps = counts(folder)
    return Again(dict(made), steps, counts(bench.whole)[1])


def _shared(bench: Bench, name: str) -> tuple[Path, Path]:
    """A project whose results were pushed to a folder, and a clone of it."""
    place = bench.folder / name
    place.mkdir()
    project = make_project(place / "project", bench.whole, bench.whole / bench.config)
    set_remote(project, str(place / "remote"))
    ok("dvc", "push", STAGE, folder=project)
    return project, clone(project, place / "clone")


def _shortened(line: str, length: int = 160) -> str:
    return line if len(line) <= length else f"{line[:length]}..."


def can_mount() -> bool:
    """Whether a small disk can be made here."""
    return os.geteuid() == 0 and Path("/proc/mounts").exists()
