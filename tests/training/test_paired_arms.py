"""Arms of a comparison are paired: with one seed, nothing but the padding differs."""

from pathlib import Path

import pytest
import torch

from borderlab.config.loading import load_config
from borderlab.errors import RunError
from borderlab.models.factory import create_network
from borderlab.plan import make_plan


def test_imagenettes_arms_differ_in_padding_alone(repository: Path) -> None:
    specs = [run.spec for run in make_plan(load_config(repository / "config" / "imagenette.yaml")).runs.values()]
    assert {spec.seed for spec in specs} == {0, 1, 2}
    for seed in (0, 1, 2):
        arms = [spec for spec in specs if spec.seed == seed]
        assert sorted(spec.padding_mode for spec in arms) == ["partial", "reflect", "replicate", "zeros"]
        # Order and augmentation are drawn from what is left: the seed, the epoch and the place in it.
        assert len({spec.model_copy(update={"padding_mode": ""}).model_dump_json() for spec in arms}) == 1
    first, *others = (create_network(spec, 10).module.state_dict() for spec in specs if spec.seed == 0)
    for weights in others:
        assert all(torch.equal(tensor, first[name]) for name, tensor in weights.items())


def test_arms_that_could_not_differ_are_refused(repository: Path) -> None:
    """A transformer's convolutions do not pad: every mode would give the numbers of zeros, under another name."""
    plan = make_plan(load_config(repository / "config" / "imagenette.yaml"))
    spec = next(run.spec for run in plan.runs.values() if run.spec.padding_mode == "partial")
    without = spec.model_copy(update={"backbone": "test_vit"})
    with pytest.raises(RunError, match="test_vit: has no convolution that pads, so partial padding would change noth"):
        create_network(without, 10)
    assert not create_network(without.model_copy(update={"padding_mode": "zeros"}), 10).conversion.converted
