"""What trainings on one node and on several ask of a scheduler."""

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


@pytest.mark.parametrize(
    ("resources", "training", "evaluation"),
    [
        ({}, 3, 3),
        ({"workers": 2}, 5, 5),
        # The three threads are for computing on a CPU.
        ({"gpus": 1}, 1, 1),
        ({"gpus": 4, "workers": 6}, 24, 6),
        ({"gpus": 4, "nodes": 2, "workers": 6}, 24, 6),
        ({"nodes": 2, "workers": 1}, 4, 4),
    ],
)
def test_cores_are_for_loading_and_for_what_no_gpu_computes(
    tmp_path: Path, resources: dict[str, int], training: int, evaluation: int
) -> None:
    values = copy.deepcopy(TINY)
    values["recipes"]["tiny"].update(batch_size=16, samples_per_epoch=16, threads=3)  # type: ignore[index]
    values["studies"][0]["resources"] = resources  # type: ignore[index]
    values["motion_models"]["rebuild"]["recipe"]["threads"] = 2  # type: ignore[index]
    values["motion_models"]["rebuild"]["resources"] = {"workers": 3}  # type: ignore[index]
    workflow = Workflow.from_file(tmp_path / write_config(tmp_path, values))
    run, model = next(iter(workflow.plan.runs)), next(iter(workflow.plan.motion_models))
    assert workflow.training_cpus(run) == training
    assert workflow.evaluation_cpus(run) == evaluation
    assert workflow.motion_training_cpus(model) == 5
