"""A Slurm cluster on one host for tests: real daemons on loopback, GPUs on the books only.

    python -m tests.workflow.slurm_cluster up FOLDER      (root; the packages of `make system-packages`)
    python -m tests.workflow.slurm_cluster down FOLDER

Everything lies in FOLDER but one link, /etc/slurm/slurm.conf: a job's own Snakemake is started without SLURM_CONF.
Daemons are taken down by the process ids that they wrote.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
SYSTEM_CONFIG = Path("/etc/slurm/slurm.conf")
CPUS, MEMORY_MB, GPUS = 4, 64_000, 4
READY_SECONDS = 60

CONFIG = """
ClusterName=borderlab
SlurmctldHost={host}(127.0.0.1)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort={ctld_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
MpiDefault=none
# Neither systemd nor cgroups: processes are followed by their parents, memory is looked at once a second.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# A request that can never be met is refused, not kept waiting.
EnforcePartLimits=ALL
MinJobAge=3600
GresTypes=gpu
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
ReturnToService=2
SchedulerParameters=sched_min_interval=100000
PartitionName=normal Nodes=ALL Default=YES MaxTime=24:00:00 PriorityTier=1 GraceTime=30 State=UP
PartitionName=urgent Nodes=ALL MaxTime=24:00:00 PriorityTier=10 PreemptMode=OFF State=UP
"""
NODE = (
    "NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory={memory_mb}"
    " Gres=gpu:fake:{gpus} State=UNKNOWN\n"
)


def missing() -> str | None:
    """What keeps a cluster from starting here, or None."""
    if os.geteuid() != 0:
        return "a Slurm cluster for tests needs root"
    absent = [name for name in COMMANDS if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (`make system-packages`)"
    if os.path.lexists(SYSTEM_CONFIG) and not _is_left_behind():
        return f"{SYSTEM_CONFIG} exists: this host belongs to a cluster"
    return None


def _is_left_behind() -> bool:
    """Whether the system's configuration is the link of an earlier cluster of ours that was killed, not stopped."""
    if not SYSTEM_CONFIG.is_symlink():
        return False
    if not SYSTEM_CONFIG.exists():
        return SYSTEM_CONFIG.readlink().is_relative_to(tempfile.gettempdir())
    folder = SYSTEM_CONFIG.readlink().parent
    if f"StateSaveLocation={folder}/state\n" not in SYSTEM_CONFIG.read_text():
        return False
    try:
        controller = int((folder / "slurmctld.pid").read_text())
    except (OSError, ValueError):
        return True
    return not Path(f"/proc/{controller}").exists()


@contextmanager
def cluster(folder: Path, nodes: int = 1) -> Iterator[Path]:
    """A running cluster of `nodes` daemons whose files lie in `folder`; yields its slurm.conf."""
    start(folder, nodes)
    try:
        yield folder / "slurm.conf"
    finally:
        stop(folder)


def start(folder: Path, nodes: int = 1) -> None:
    """Bring the cluster up; returns when its nodes are idle. Every node is this host under another name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("state", "spool"):
        (folder / name).mkdir(exist_ok=True)
    names = _node_names(nodes)
    _write_config(folder, names)
    _start_munge(folder)
    SYSTEM_CONFIG.parent.mkdir(exist_ok=True)
    if _is_left_behind():
        SYSTEM_CONFIG.unlink()
    SYSTEM_CONFIG.symlink_to(folder / "slurm.conf")
    try:
        for daemon in (["slurmctld"], *(["slurmd", "-N", name] for name in names)):
            subprocess.run([*daemon, "-f", str(folder / "slurm.conf")], check=True)
        _wait_until_idle(folder, nodes)
    except BaseException:
        stop(folder)
        raise


def stop(folder: Path) -> None:
    """Take the cluster down: jobs first, then each daemon by its process id."""
    with suppress(subprocess.SubprocessError, OSError):
        subprocess.run(["scancel", "--user", "root"], timeout=20, check=False)
        time.sleep(1)
    for pid_file in (*folder.glob("slurmd.*.pid"), folder / "slurmctld.pid", folder / "munged.pid"):
        _end(pid_file)
    if SYSTEM_CONFIG.is_symlink() and SYSTEM_CONFIG.readlink() == folder / "slurm.conf":
        SYSTEM_CONFIG.unlink()


def host_name() -> str:
    """The short name of this host, and of the first node."""
    return socket.gethostname().split(".")[0]


def _node_names(nodes: int) -> list[str]:
    return [host_name(), *(f"{host_name()}-{index}" for index in range(1, nodes))]


def _write_config(folder: Path, names: list[str]) -> None:
    host = host_name()
    amounts = {"cpus": CPUS, "memory_mb": MEMORY_MB, "gpus": GPUS}
    text = CONFIG.format(host=host, folder=folder, ctld_port=_free_port())
    text += "".join(NODE.format(node=name, host=host, port=_free_port(), **amounts) for name in names)
    (folder / "slurm.conf").write_text(text)
    # Devices that exist everywhere stand for GPUs: Slurm counts them and sets CUDA_VISIBLE_DEVICES.
    gpus = f"NodeName={','.join(names)} Name=gpu Type=fake File=/dev/tty[0-{GPUS - 1}] Flags=nvidia_gpu_env\n"
    (folder / "gres.conf").write_text(gpus)


def _start_munge(folder: Path) -> None:
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o400)
    files = {"key-file": key, "socket": folder / "munge.socket", "pid-file": folder / "munged.pid"}
    files |= {"log-file": folder / "munged.log", "seed-file": folder / "munge.seed"}
    subprocess.run(["munged", "--force", *(f"--{name}={path}" for name, path in files.items())], check=True)


def _wait_until_idle(folder: Path, nodes: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        done = subprocess.run(
            ["sinfo", "--noheader", "--Node", "--partition=normal", "--format=%T"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.stdout.split() == ["idle"] * nodes:
            return
        time.sleep(0.5)
    logs = "\n".join(log.read_text()[-2000:] for log in (folder / "slurmctld.log", *folder.glob("slurmd.*.log")))
    raise RuntimeError(f"no idle node within {READY_SECONDS} s:\n{logs}")


def _end(pid_file: Path) -> None:
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.1)
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    action, place = sys.argv[1], Path(sys.argv[2]).resolve()
    if action == "down":
        stop(place)
    elif (reason := missing()) is not None:
        sys.exit(f"slurm_cluster: {reason}")
    else:
        start(place)
