"""A preempted job goes back into the queue; any other is left alone."""

from pathlib import Path

import pytest

from borderlab.requeueing import requeued

SCONTROL = """#!/bin/sh
echo "$@" >> {folder}/asked
[ "$1" = show ] && echo "JobId=$3 JobName=x PreemptEligibleTime=2026-11-23T10:00:00 PreemptTime={preempted}"
[ "$1" = requeue ] && exit {status}
exit 0
"""
SLURM = {"SLURM_JOB_ID": "7"}


@pytest.mark.parametrize(
    ("environment", "preempted", "status", "expected", "asked"),
    [
        (SLURM, "2026-11-23T10:00:01", 0, True, ["show job 7", "requeue 7"]),
        # torchrun's first process speaks for all.
        ({**SLURM, "RANK": "0"}, "2026-11-23T10:00:01", 0, True, ["show job 7", "requeue 7"]),
        ({**SLURM, "RANK": "1"}, "2026-11-23T10:00:01", 0, False, []),
        # Cancelled, or at the end of its walltime.
        (SLURM, "None", 0, False, ["show job 7"]),
        # A site that lets no job be queued again.
        (SLURM, "2026-11-23T10:00:01", 1, False, ["show job 7", "requeue 7"]),
        ({}, "2026-11-23T10:00:01", 0, False, []),
    ],
)
def test_only_a_preempted_job_is_queued_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    preempted: str,
    status: int,
    expected: bool,
    asked: list[str],
) -> None:
    command = tmp_path / "scontrol"
    command.write_text(SCONTROL.format(folder=tmp_path, preempted=preempted, status=status))
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert requeued(environment) is expected
    log = tmp_path / "asked"
    assert (log.read_text().splitlines() if log.exists() else []) == asked


def test_a_machine_without_scontrol_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert requeued(SLURM) is False
