"""Trained motion models in the plan: what names them, what follows their name, and what they leave alone."""

import copy
from typing import Any

import pytest
from tests.config.test_config_loading import GOOD

from borderlab.config.loading import check_config
from borderlab.motion.names import MOTION_MODEL_NAMES, motion_label, motion_members
from borderlab.plan import Plan, make_plan
from borderlab.workflow import Workflow

MODEL = {"kind": "prediction", "dataset": "streets", "eval_split": "val"}
QUALITY = {"dataset": "streets", "motions": ["mine", "dis_fast"], "max_distance": 2}


def planned(motion: str = "mine", **model: Any) -> Plan:
    values = copy.deepcopy(GOOD)
    values["motion_models"] = {"mine": {**MODEL, **model}}
    values["propagation_quality"] = [QUALITY]
    values["studies"][1]["propagation"][1]["motion"] = motion
    return make_plan(check_config(values, "trial"))


def test_everything_that_follows_a_model_carries_its_full_name() -> None:
    plan = planned()
    ((name, model),) = plan.motion_models.items()
    assert name == model.name
    assert name.startswith("mine-")
    assert motion_label(name) == "mine"
    following = {spec.model for spec in plan.motions.values()}
    assert following == {name, "dis_fast"}
    assert {spec.motion for spec in plan.scores.values()} == {name, "dis_fast"}
    moved = [planned.spec.propagation for planned in plan.runs.values() if planned.spec.propagation is not None]
    assert {propagation.motion for propagation in moved} == {name}


def test_other_training_renames_the_model_and_all_that_rests_on_it() -> None:
    one, other = planned(), planned(recipe={"epochs": 21})
    assert set(one.motion_models).isdisjoint(other.motion_models)
    learned = [{name for name in plan.syntheses if "mine" in name} for plan in (one, other)]
    assert learned[0]
    assert learned[0].isdisjoint(learned[1])
    classical = [{name for name in plan.syntheses if "dis_fast" in name} for plan in (one, other)]
    assert classical[0] == classical[1]
    propagated = [{name for name in plan.runs if "joint" in name} for plan in (one, other)]
    assert propagated[0].isdisjoint(propagated[1])
    others = [{name for name in plan.runs if "joint" not in name} for plan in (one, other)]
    assert others[0] == others[1]


def test_resources_and_settings_that_are_not_read_rename_nothing() -> None:
    names = set(planned().motion_models)
    assert set(planned(resources={"mem_mb": 999}).motion_models) == names
    assert set(planned(held_out_share=0.5).motion_models) == names  # there is a split to hold out


def test_flow_waits_for_the_weights_of_its_model_and_the_model_for_frames_alone() -> None:
    plan = planned()
    workflow = Workflow(plan, "trial.yaml")
    (model,) = plan.motion_models
    inputs = {spec.model: workflow.inputs_of_motion(name) for name, spec in plan.motions.items()}
    assert f"artifacts/trial/motion_models/{model}/model.safetensors" in inputs[model]
    assert len(inputs["dis_fast"]) == 1
    receipts = workflow.inputs_of_motion_model(model)
    assert [path.rpartition("/")[2] for path in receipts] == ["train.json", "val.json"]
    assert set(workflow.paths.motion_model_files(model)) <= set(workflow.inputs_of_report())


def test_a_model_that_nothing_follows_renames_no_result() -> None:
    without = make_plan(check_config(GOOD, "trial"))
    assert list(planned(motion="dis_fast").runs) == list(without.runs)
    assert planned(motion="dis_fast").experiment_id != without.experiment_id


@pytest.mark.parametrize("name", MOTION_MODEL_NAMES)
def test_names_of_the_registry_are_their_own_labels(name: str) -> None:
    assert motion_label(name) == name
    assert len(motion_members(name)) == 1


def test_the_hash_of_a_model_covers_how_it_is_used() -> None:
    (model,) = planned().motion_models.values()
    modules = set(model.identity.code)
    assert modules >= {
        "borderlab.motion.learned.model",
        "borderlab.motion.learned.network",
        "borderlab.motion.learned.view",
        "borderlab.motion.dis",
        "borderlab.training.loop",
    }
    assert "borderlab.motion.raft" not in modules
    assert not any(name.startswith("borderlab.report") for name in modules)
