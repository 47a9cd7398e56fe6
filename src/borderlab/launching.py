"""How the processes of one training job are started: by torchrun, on every node of a Slurm job if there are several."""

import os
import socket
from collections.abc import Mapping, Sequence

from borderlab.config.schema import ResourcesConfig
from borderlab.errors import RunError

# torchrun passes these on to its processes; a site's early warning may be SIGUSR1.
SIGNALS = "SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1"
FIRST_PORT, PORTS = 20_000, 10_000


def is_started(environment: Mapping[str, str]) -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in environment


def command_of(resources: ResourcesConfig, command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """The command that starts `command` once for each process of a job.

    Raises:
        RunError: if several nodes are asked for outside of a Slurm job.
    """
    torchrun = ["torchrun", f"--nproc-per-node={max(1, resources.gpus)}", "--no-python"]
    if resources.nodes == 1:
        return [*torchrun, "--standalone", *command]
    job = environment.get("SLURM_JOB_ID")
    if job is None:
        raise RunError(
            f"resources.nodes is {resources.nodes}: submit with --profile slurm, or start torchrun on each node"
        )
    # The first node runs this process; a port of the job's own keeps two jobs on a node apart.
    place = f"{socket.gethostname()}:{FIRST_PORT + int(job) % PORTS}"
    meeting = [f"--nnodes={resources.nodes}", "--rdzv-backend=c10d", f"--rdzv-endpoint={place}", f"--rdzv-id={job}"]
    srun = ["srun", "--overlap", f"--nodes={resources.nodes}", "--ntasks-per-node=1"]
    # srun does not take over what the job was given for each task: without this a task would get one core.
    cores = environment.get("SLURM_CPUS_PER_TASK")
    srun += [] if cores is None else [f"--cpus-per-task={cores}"]
    return [*srun, *torchrun, *meeting, *command]


def start(resources: ResourcesConfig, command: Sequence[str]) -> None:
    """Become the launcher of `command`: signals to this process reach torchrun, and through it every process."""
    os.environ["TORCHELASTIC_SIGNALS_TO_HANDLE"] = SIGNALS
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    launcher = command_of(resources, command, os.environ)
    os.execvp(launcher[0], launcher)  # noqa: S606
