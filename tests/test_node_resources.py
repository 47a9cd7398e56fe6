"""What trainings on one node and on several ask of Slurm."""

import copy
from pathlib import Path

import pytest
from tests.workflow.running import TINY, write_config

from borderlab.workflow import Workflow


@pytest.mark.parametrize(
    ("resources", "extra", "tasks"),
    [
        ({"gpus": 8}, None, None),
        ({"nodes": 2}, None, 2),
        ({"gpus": 8, "nodes": 2}, "--ntasks-per-node=1 --gpus-per-node=8", 2),
    ],
)
def test_gpus_are_spread_evenly(
    tmp_path: Path, resources: dict[str, int], extra: str | None, tasks: int | None
) -> None:
    values = copy.deepcopy(TINY)
    values["recipes"]["tiny"].update(batch_size=16, samples_per_epoch=16)  # type: ignore[index]
    values["studies"][0]["resources"] = resources  # type: ignore[index]
    workflow = Workflow.from_file(tmp_path / write_config(tmp_path, values))
    run = next(iter(workflow.plan.runs))
    assert workflow.even_gpus(run) == extra
    assert workflow.on_several_nodes(run, 2) == tasks
