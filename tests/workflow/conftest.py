"""The tiny experiment, run once for all tests of the workflow."""

from pathlib import Path

import pytest
from filelock import FileLock
from tests.workflow.running import TINY, snakemake, write_config


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder in which the tiny experiment has run to its report; all of pytest's workers share it."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent
    folder, done_file = shared / "tiny_run", shared / "tiny_run.done"
    with FileLock(shared / "tiny_run.lock"):
        if not done_file.exists():
            folder.mkdir()
            done = snakemake(folder, "--configfile", write_config(folder, TINY))
            assert done.returncode == 0, done.stderr[-3000:]
            done_file.touch()
    return folder
