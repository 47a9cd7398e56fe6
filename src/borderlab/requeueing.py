"""A training that Slurm preempts goes back into the queue as the same job.

Left to itself it would end as a failed job, and come back as a new one: with more memory than it needs, and only as
often as the profile's `retries`.
"""

import re
import subprocess
from collections.abc import Mapping

_PREEMPTED = re.compile(r"\bPreemptTime=\d{4}-")
_PATIENCE_S = 20


def requeued(environment: Mapping[str, str]) -> bool:
    """Put this process's Slurm job back into the queue, if Slurm is preempting it.

    Of several processes the first one does. A job that was cancelled, or is at the end of its walltime, is left alone.

    Args:
        environment: the process's, with what Slurm and torchrun tell it.

    Returns:
        Whether the job is queued again; False also where the site does not let it be.
    """
    job = environment.get("SLURM_JOB_ID")
    if job is None or environment.get("RANK", "0") != "0":
        return False
    shown = _scontrol("show", "job", job)
    return shown is not None and bool(_PREEMPTED.search(shown)) and _scontrol("requeue", job) is not None


def _scontrol(*arguments: str) -> str | None:
    """What scontrol says; None if it cannot be had, or refuses."""
    try:
        done = subprocess.run(  # noqa: S603
            ["scontrol", *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
