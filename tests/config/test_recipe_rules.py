"""Chains of runs as edges of the plan, and every wrong recipe in one line before anything runs."""

import copy
from typing import Any, get_args

import pytest

from borderlab.config.loading import check_config
from borderlab.errors import ConfigError
from borderlab.plan import make_plan
from borderlab.recipe_spec import ScheduleSpec
from borderlab.workflow import Workflow

STUDY: dict[str, Any] = {
    "dataset": "streets",
    "recipe": "small",
    "backbones": ["resnet18"],
    "padding_modes": ["zeros", "partial"],
}
CHAIN: dict[str, Any] = {
    "experiment": "chain",
    "title": "Chain",
    "scale": "smoke",
    "seeds": [0, 1],
    "datasets": {
        "streets": {},
        "others": {"name": "streets", "options": {"clips_train": 2}},
        "digits": {},
    },
    "recipes": {
        "small": {"epochs": 3},
        "images": {"evaluation": {"resize": 32, "crop": [32, 32]}},
        "resident": {"resident": True},
        "windows": {"evaluation": {"crop": [32, 32], "scales": [0.5, 1.0]}},
        "long": {"augment": {"aspect": [0.5, 2.0]}},
        "large": {"evaluation": {"crop": [32, 32]}, "augment": {"scale": [1.5, 2.0]}},
        "blurred": {"augment": {"blur_sigma": [1.3, 0.15]}},
        "uniform_digits": {"evaluation": {"crop": [32, 32]}, "class_uniform": {}},
        "uniform": {"class_uniform": {"extra_split": "val", "extra_classes": ["car"]}},
    },
    "studies": [
        {"name": "first", **STUDY, "dataset": "others"},
        {"name": "second", **STUDY, "start_from": "first"},
        {"name": "third", **STUDY, "start_from": "second", "padding_modes": ["partial"], "seeds": [1]},
    ],
}


def changed(study: int, **keys: Any) -> dict[str, Any]:
    values = copy.deepcopy(CHAIN)
    values["studies"][study] |= keys
    return values


def test_each_run_starts_from_the_run_of_its_backbone_padding_and_seed():
    plan = make_plan(check_config(CHAIN, "chain.yaml"))
    of_study = {
        name: [run for run, planned in plan.runs.items() if name in planned.studies]
        for name in ("first", "second", "third")
    }
    assert [len(runs) for runs in of_study.values()] == [4, 4, 1]
    for run in of_study["second"] + of_study["third"]:
        spec = plan.runs[run].spec
        start = plan.runs[spec.start_from].spec
        assert (start.backbone, start.padding_mode, start.seed) == (spec.backbone, spec.padding_mode, spec.seed)
        assert "continued" in run
    assert {plan.runs[run].spec.start_from for run in of_study["second"]} == set(of_study["first"])
    (last,) = of_study["third"]
    assert plan.runs[last].spec.start_from in of_study["second"]


def test_the_start_is_an_edge_of_the_dag():
    config = check_config(CHAIN, "chain.yaml")
    workflow = Workflow(make_plan(config), "chain.yaml")
    for run, planned in workflow.plan.runs.items():
        start = planned.spec.start_from
        weights = [path for path in workflow.inputs_of_run(run) if path.endswith("model.safetensors")]
        assert weights == ([] if start is None else [f"{workflow.paths.run_folder(start)}/model.safetensors"])


def test_an_evaluation_reads_images_and_weights():
    """With the weights pulled and no images here, fetching is part of evaluating anew."""
    workflow = Workflow(make_plan(check_config(CHAIN, "chain.yaml")), "chain.yaml")
    run, planned = next(iter(workflow.plan.runs.items()))
    inputs = workflow.inputs_of_evaluation(run, workflow.plan.evaluation_name(run))
    receipt = workflow.receipt_of(planned.spec.dataset.key, planned.spec.eval_split)
    assert inputs == [receipt, *workflow.paths.trained(run)]


def test_a_change_at_the_head_renames_the_whole_chain():
    before = make_plan(check_config(CHAIN, "chain.yaml"))
    after = make_plan(check_config(changed(0, recipe="small", losses=[{"name": "relaxed"}]), "chain.yaml"))
    assert not set(before.runs) & set(after.runs)


def test_the_only_seed_of_a_start_serves_all_seeds():
    plan = make_plan(check_config(changed(0, seeds=[7]), "chain.yaml"))
    second = [planned.spec for planned in plan.runs.values() if "second" in planned.studies]
    assert {plan.runs[spec.start_from].spec.seed for spec in second} == {7}
    assert {spec.seed for spec in second} == {0, 1}


def test_frames_of_an_extra_split_are_fetched():
    plan = make_plan(check_config(changed(0, recipe="uniform", train_split="train", eval_split="test"), "chain.yaml"))
    run = next(run for run, planned in plan.runs.items() if "first" in planned.studies)
    assert plan.receipts_of_run(run) == [("others", "train"), ("others", "test"), ("others", "val")]


@pytest.mark.parametrize(
    ("study", "keys", "parts"),
    [
        (1, {"start_from": "third"}, ("start_from", "'third'", "allowed: first")),
        (0, {"start_from": "first"}, ("start_from", "no earlier study")),
        (0, {"losses": ["cross_entropy", "relaxed"]}, ("first has several losses or propagations",)),
        (1, {"backbones": ["resnet34"]}, ("backbones", "'resnet34'", "allowed: resnet18")),
        (1, {"padding_modes": ["reflect"]}, ("padding_modes", "'reflect'", "allowed: partial, zeros")),
        (1, {"seeds": [5]}, ("seeds: got [5]", "[0, 1]")),
        (
            0,
            {"backbones": [{"name": "resnet18", "weights": weights} for weights in ("timm", "random")]},
            ("start_from: first has resnet18 with several weights",),
        ),
        (1, {"dataset": "digits", "recipe": "images"}, ("start_from: first is of another task",)),
        (0, {"backbones": ["vgg16_bn"]}, ("'vgg16_bn' with output_stride 16 of recipe 'small'", "it can do 32")),
        (0, {"backbones": ["vit_tiny_patch16_224"]}, ("it cannot segment here",)),
        (0, {"backbones": [{"name": "wide_resnet38", "weights": "timm"}]}, ("'timm' for wide_resnet38",)),
        (2, {"losses": [{"name": "relaxed", "strict_classes": ["lamp"]}]}, ("strict_classes: got 'lamp'", "allowed: ")),
        (
            0,
            {"losses": [{"name": "relaxed", "reference": True}], "resources": {"gpus": 2}},
            ("losses[0].reference: cannot be shared by 2 processes",),
        ),
        (0, {"losses": [{"name": "cross_entropy", "boundary_weight": 2}]}, ("which cross_entropy does not use",)),
        (0, {"losses": [{"name": "cross_entropy", "reference": True}]}, ("losses[0].reference: got True",)),
        (
            0,
            {"losses": [{"name": "relaxed", "reference": True, "boundary_weight": 5}]},
            ("losses[0].boundary_weight: got 5; `reference` has its own",),
        ),
        (0, {"losses": [{"name": "relaxed", "boundary_weight": 2}]}, ("used after relax_until, the end of training",)),
        (0, {"padding_modes": ["zeros", "partial", "zeros"]}, ("padding_modes: got ['zeros', ", "name each once")),
        (0, {"eval_split": "train"}, ("eval_split: got 'train', which the study trains on",)),
        (0, {"recipe": "long"}, ("'long'.augment.aspect: got [0.5, 2.0], but segmentation (others)",)),
        (0, {"recipe": "images"}, ("'images'.evaluation.resize: got 32, but segmentation (others)", "whole images")),
        (0, {"dataset": "digits", "recipe": "large"}, ("'large'.augment.scale: got [1.5, 2]", "up to 1")),
        (0, {"recipe": "blurred"}, ("'blurred'.augment.blur_sigma: got [1.3, 0.15]", "the smaller one first")),
        (
            0,
            {"dataset": "digits", "recipe": "windows"},
            ("'windows'.evaluation.scales: got [0.5, 1.0], but", "resize and crop"),
        ),
        (0, {"recipe": "resident"}, ("'resident' has resident; others is no classification set",)),
        (0, {"dataset": "digits", "recipe": "uniform_digits"}, ("class_uniform; classification (digits)",)),
    ],
)
def test_fault_is_one_line(study: int, keys: dict[str, Any], parts: tuple[str, ...]):
    with pytest.raises(ConfigError) as caught:
        check_config(changed(study, **keys), "chain.yaml")
    line = str(caught.value)
    assert "\n" not in line
    assert all(part in line for part in parts), line


@pytest.mark.parametrize(
    ("uniform", "parts"),
    [
        ({"extra_split": "test"}, ("extra_split and extra_classes go together",)),
        ({"extra_split": "night", "extra_classes": ["car"]}, ("extra_split: got 'night'", "allowed: ")),
        ({"extra_split": "val", "extra_classes": ["lamp"]}, ("extra_classes: got 'lamp'", "allowed: ")),
        ({"extra_split": "train", "extra_classes": ["car"]}, ("got 'train', which the study trains or evaluates on",)),
        ({"extra_split": "val", "extra_classes": ["car"]}, ("got 'val', which the study trains or evaluates on",)),
    ],
)
def test_fault_of_class_uniform_sampling(uniform: dict[str, Any], parts: tuple[str, ...]):
    values = changed(0, recipe="uniform")
    values["recipes"]["uniform"]["class_uniform"] = uniform
    with pytest.raises(ConfigError) as caught:
        check_config(values, "chain.yaml")
    assert all(part in str(caught.value) for part in parts), str(caught.value)


def test_restart_after_the_end_is_a_fault():
    values = copy.deepcopy(CHAIN)
    values["recipes"]["small"]["schedule"] = {"name": "restarted_poly", "restart_epoch": 3}
    with pytest.raises(ConfigError, match=r"schedule\.restart_epoch 3 must be below epochs"):
        check_config(values, "chain.yaml")


@pytest.mark.parametrize(
    ("dataset", "keys", "part"),
    [
        ("streets", {"optimiser": "adamw", "nesterov": True}, "'small'.nesterov: got True, which adamw does not use"),
        ("streets", {"optimiser": "adamw", "momentum": 0.5}, "'small'.momentum: got 0.5, which adamw does not use"),
        (
            "streets",
            {"schedule": {"name": "cosine", "step_epochs": 2}},
            "'small'.schedule.step_epochs: got 2, which cosine does not use",
        ),
        (
            "streets",
            {"schedule": {"restart_factor": 0.5}},
            "'small'.schedule.restart_factor: got 0.5, which poly does not use",
        ),
        (
            "streets",
            {"evaluation": {"overlap": 0.5}},
            "'small'.evaluation.overlap: got 0.5, which belongs to a window",
        ),
        ("digits", {"evaluation": {"crop": [32, 32], "flip": True}}, "'small'.evaluation.flip: got True, but"),
        ("digits", {"decoder_channels": 64}, "'small'.decoder_channels: got 64, but classification (digits)"),
        ("digits", {"aspp_rates": [1, 2]}, "'small'.aspp_rates: got [1, 2], but classification (digits)"),
        ("digits", {"output_stride": 32}, "'small'.output_stride: got 32, but classification (digits)"),
    ],
)
def test_an_option_without_effect_is_a_fault(dataset: str, keys: dict[str, Any], part: str):
    values = changed(0, dataset=dataset)
    values["studies"] = values["studies"][:1]
    if dataset == "digits":
        keys = {"evaluation": {"crop": [32, 32]}, **keys}
    values["recipes"]["small"] |= keys
    with pytest.raises(ConfigError) as caught:
        check_config(values, "chain.yaml")
    assert f"recipe: {part}" in str(caught.value)
    assert str(caught.value).endswith("; remove it")


def test_a_recipe_of_both_tasks_may_have_the_options_of_both():
    values = changed(0, dataset="streets")
    values["recipes"]["small"] |= {"decoder_channels": 64, "evaluation": {"crop": [32, 32], "scales": [0.5, 1.0]}}
    values["studies"] = [values["studies"][0], {"name": "images", **STUDY, "dataset": "digits"}]
    check_config(values, "chain.yaml")
    values["studies"][0]["recipe"] = "windows"
    with pytest.raises(ConfigError, match=r"'windows'\.evaluation\.crop: got \[32, 32\], but segmentation"):
        check_config(values, "chain.yaml")


def test_every_schedule_has_its_options_and_no_other():
    """Options that are used pass, for each schedule that there is."""
    options = {
        "constant": {},
        "poly": {"poly_power": 2.0},
        "restarted_poly": {"poly_power": 2.0, "restart_epoch": 1, "restart_factor": 0.5, "restart_power": 1.0},
        "step": {"step_epochs": 1, "step_factor": 0.5},
        "cosine": {},
    }
    assert set(options) == set(get_args(ScheduleSpec.model_fields["name"].annotation))
    for name, own in options.items():
        values = copy.deepcopy(CHAIN)
        values["recipes"]["small"]["schedule"] = {"name": name, "warmup_epochs": 0.5, **own}
        check_config(values, "chain.yaml")
