"""The tiny experiment, run once for all tests of the workflow."""

from pathlib import Path

import pytest
from tests.workflow.running import TINY, snakemake, write_config


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the tiny experiment has run to its report."""
    folder = tmp_path_factory.mktemp("tiny")
    done = snakemake(folder, "--configfile", write_config(folder, TINY))
    assert done.returncode == 0, done.stderr[-3000:]
    return folder
