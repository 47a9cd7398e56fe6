"""A clone of this project with the tiny experiment as a DVC stage, and a DVC remote of each kind on loopback."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.workflow.running import ROOT, TINY, Runner, run, write_config

STAGE = "tiny"
IDENTITY = ("-c", "user.name=tester", "-c", "user.email=tester@localhost")


def ok(*command: str, folder: Path, runner: Runner = run) -> str:
    """What a command that must succeed says."""
    done = runner(*command, folder=folder)
    assert done.returncode == 0, f"{command}: {done.stdout[-1500:]}{done.stderr[-3000:]}"
    return done.stdout


def make_project(folder: Path, finished: Path, config: Path | None = None) -> Path:
    """A clone in `folder` whose stage `tiny` has run: its results are those in `finished` (see `tiny_run`).

    `config` is the configuration of `finished`; the tiny experiment's where absent.
    """
    ok("git", "clone", "-q", str(ROOT), str(folder), folder=folder.parent)
    # The first stage of the real file under another name: what is tested is how dvc.yaml describes a stage.
    text = (ROOT / "dvc.yaml").read_text()
    stage = text[text.index("  smoke:") : text.index("  camvid:")]
    plots = text[text.index("plots:") : text.index("  - camvid_runs:")]
    (folder / "dvc.yaml").write_text(f"stages:\n{stage}{plots}".replace("smoke", STAGE))
    write_config(folder / "config", TINY)
    if config is not None:
        shutil.copy(config, folder / "config" / f"{STAGE}.yaml")
    # Not the report: in a checkout it also shows the papers, and has another name.
    without = shutil.ignore_patterns("reports")
    shutil.copytree(finished / "artifacts" / STAGE, folder / "artifacts" / STAGE, ignore=without)
    ok("dvc", "repro", STAGE, folder=folder)
    commit(folder, "finished")
    return folder


def commit(folder: Path, message: str) -> None:
    """Commit everything in `folder`."""
    ok("git", "add", "--all", folder=folder)
    ok("git", *IDENTITY, "commit", "-q", "-m", message, folder=folder)


def clone(project: Path, folder: Path) -> Path:
    """What a colleague has after `git clone`: code and dvc.lock, no artifacts."""
    ok("git", "clone", "-q", str(project), str(folder), folder=project)
    return folder


def set_remote(folder: Path, address: str, **options: str) -> None:
    """Make `address` the default remote of `folder`, in the file that git ignores."""
    ok("dvc", "remote", "add", "--quiet", "--local", "--force", "--default", "shared", address, folder=folder)
    for name, value in options.items():
        ok("dvc", "remote", "modify", "--local", "shared", name, value, folder=folder)


@contextmanager
def s3_server() -> Iterator[str]:
    """Address of an S3-compatible server with a bucket named `results`."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        urllib.request.urlopen(urllib.request.Request(f"{address}/results", method="PUT"), timeout=20).close()
        yield address
    finally:
        server.stop()


@contextmanager
def ssh_server(folder: Path) -> Iterator[tuple[int, Path]]:
    """Port of an ssh daemon on loopback, and the key file that it lets in."""
    folder.mkdir()
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    settings = {
        "ListenAddress": "127.0.0.1",
        "Port": port,
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "user.pub",
        "PidFile": folder / "sshd.pid",
        "PermitRootLogin": "prohibit-password",
        "PasswordAuthentication": "no",
        # The keys lie in a folder of the test's own.
        "StrictModes": "no",
        "Subsystem": "sftp internal-sftp",
    }
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    Path("/run/sshd").mkdir(exist_ok=True)
    command = [shutil.which("sshd") or "sshd", "-D", "-e", "-f", str(folder / "config")]
    with (folder / "log").open("w") as log:
        daemon = subprocess.Popen(command, stderr=log)
        try:
            _wait_for(port, daemon)
            yield port, folder / "user"
        finally:
            daemon.terminate()
            daemon.wait(timeout=20)


def ssh_missing() -> str | None:
    """What keeps an ssh daemon from starting here, or None."""
    if os.geteuid() != 0:
        return "an ssh daemon for tests needs root"
    return None if shutil.which("sshd") else "not installed: sshd (`make system-packages`)"


def _wait_for(port: int, daemon: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert daemon.poll() is None, "sshd ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"no ssh daemon on port {port}")
