"""Budgets: arithmetic that can be followed by hand, and a page that is in step with the configuration."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.workflow.running import TINY, write_config
from typer.testing import CliRunner

from borderlab.budget import estimate
from borderlab.budget.assumptions import ONE_GPU, Speed
from borderlab.budget.calibration import slowest_speed, step_times
from borderlab.budget.certainty import seed_options
from borderlab.budget.operations import cost_of, count
from borderlab.budget.page import BEGIN, END, budget_page, update_page
from borderlab.budget.sizes import Video, n_samples, video
from borderlab.budget.tables import table_budgets
from borderlab.cli import app
from borderlab.data import create_dataset
from borderlab.data.base import ClassificationDataset, FetchSettings
from borderlab.errors import ConfigError
from borderlab.spec import KeyframesSpec
from borderlab.statistics.power import power
from borderlab.workflow import Workflow


@pytest.fixture(scope="module")
def paper(request: pytest.FixtureRequest) -> Workflow:
    root = Path(__file__).resolve().parents[1]
    return Workflow.from_file(root / "config" / "paper.yaml")


def test_page_is_in_step_with_the_configuration(paper: Workflow, repository: Path) -> None:
    page = (repository / "docs" / "paper_scale.md").read_text()
    assert page.split(BEGIN)[1].split(END)[0].strip() == budget_page(paper.plan, ONE_GPU).strip()


def test_hours_of_one_training_by_hand(paper: Workflow) -> None:
    run = next(run for run in paper.plan.runs.values() if run.spec.backbone == "resnet50" and run.spec.seed == 0)
    # 8.18 GFLOP forward, three passes' worth, 100 epochs of 1,281,167 images, 10 TFLOP/s.
    expected = 8.18e9 * 3 * 100 * 1_281_167 / 10e12 / 3600
    assert estimate.device_hours(paper.plan, run.spec, Speed(10.0)) == pytest.approx(expected)
    assert estimate.device_hours(paper.plan, run.spec, Speed(20.0)) == pytest.approx(expected / 2)


def test_flows_of_cityscapes_by_hand(paper: Workflow) -> None:
    (motion,) = [
        video for video in estimate.video_budgets(paper.plan) if (video.kind, video.dataset)[1] == "cityscapes"
    ][:1]
    models = {spec.model for spec in paper.plan.motions.values() if spec.dataset.key == "cityscapes"}
    # Five steps on both sides of 2,975 key frames, in two directions; two float16 numbers for each pixel.
    assert (motion.kind, motion.n_frames) == ("motion", 2975 * 5 * 2 * 2 * len(models))
    assert motion.gb == pytest.approx(motion.n_frames * 1024 * 2048 * 4 / 1e9)


def test_studies_add_up_to_all_runs(paper: Workflow) -> None:
    budgets = estimate.study_budgets(paper.plan, ONE_GPU)
    assert sum(budget.n_runs for budget in budgets) == len(paper.plan.runs)
    # No job of the shipped configuration needs its walltime twice.
    assert max(budget.walltimes for budget in budgets) < 1


def test_longest_chain_goes_through_the_longest_training(paper: Workflow) -> None:
    path = estimate.critical_path_hours(paper.plan, ONE_GPU)
    assert "vgg19_bn" in path[-1][0]
    run = next(run for run in paper.plan.runs if "joint3" in run)
    chain = estimate._chain(paper.plan, run, ONE_GPU)
    # The training on Mapillary that it starts from takes longer than motion and synthesis.
    assert [step.split()[0] for step, _ in chain] == ["train_network"] * 2
    planned = paper.plan.runs[run]
    alone = replace(planned, spec=planned.spec.model_copy(update={"start_from": None}))
    chain = estimate._chain(replace(paper.plan, runs={run: alone}), run, ONE_GPU)
    assert [step.split()[0] for step, _ in chain] == ["estimate_motion", *["synthesise_samples"] * 3, "train_network"]


def test_kept_operations_are_those_of_the_network(paper: Workflow) -> None:
    spec = next(run.spec for run in paper.plan.runs.values() if run.spec.backbone == "resnet50")
    (counted,) = count([(spec, 1000)]).values()
    assert round(counted.gflop, 2) == cost_of(spec).gflop
    assert counted.n_parameters == cost_of(spec).n_parameters


def test_network_that_was_not_counted_is_named(paper: Workflow) -> None:
    spec = next(iter(paper.plan.runs.values())).spec.model_copy(update={"backbone": "resnet18"})
    with pytest.raises(ConfigError, match=r"classification resnet18 224 224 .* --count"):
        cost_of(spec)


def test_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(ConfigError, match="has no lines"):
        update_page(page, "text")
    assert page.read_text() == "nothing"


def test_fewer_seeds_save_their_runs_and_find_less(paper: Workflow) -> None:
    options = list(seed_options(paper.plan, ONE_GPU))
    own = {option.n_seeds: option for option in options if option.study == "liu2018_imagenet"}
    assert sorted(own) == [2, 3, 4, 5]
    (hours,) = [
        budget.hours for budget in estimate.study_budgets(paper.plan, ONE_GPU) if budget.study == "liu2018_imagenet"
    ]
    assert own[3].saved_hours == pytest.approx(hours * 2 / 5)
    assert own[5].is_planned
    assert own[5].saved_hours == 0
    for n_seeds, option in own.items():
        assert power(option.detectable_sd, n_seeds) == pytest.approx(0.8)
    # All runs of this one belong to another study as well.
    shared = [option for option in options if option.study == "zhu2019_cityscapes_best"]
    assert [option.saved_hours for option in shared] == [0, 0]


def test_tables_take_the_runs_of_their_cells_and_what_these_start_from(paper: Workflow) -> None:
    by_table = {budget.table: budget for budget in table_budgets(paper.plan, ONE_GPU)}
    found = by_table["imagenet_top1"]
    # Five networks; zeros, partial, reflect, replicate; five seeds. The fifth column is of weights made elsewhere.
    assert (found.n_cells, found.n_filled, found.n_runs) == (25, 20, 100)
    hours = {budget.study: budget.hours for budget in estimate.study_budgets(paper.plan, ONE_GPU)}
    assert found.hours == pytest.approx(hours["liu2018_imagenet"])
    # Three rows of three seeds; two of the rows start from three trainings on Mapillary.
    assert (by_table["cityscapes_baseline"].n_filled, by_table["cityscapes_baseline"].n_runs) == (3, 12)
    assert by_table["cityscapes_baseline"].hours > hours["zhu2019_mapillary"]


@pytest.mark.parametrize("name", ["smoke", "camvid", "propagation", "motion", "imagenette", "imagenette_gpu"])
def test_every_shipped_experiment_has_a_budget(repository: Path, name: str) -> None:
    plan = Workflow.from_file(repository / "config" / f"{name}.yaml").plan
    page = budget_page(plan, estimate.speed_for(plan))
    assert "Artifacts: " in page
    unit = "GPU" if name == "imagenette_gpu" else "CPU"
    assert (f"{unit} hours." in page) == bool(plan.runs)


def test_sizes_are_those_of_the_embedded_sets(tmp_path: Path) -> None:
    digits = create_dataset("digits")
    assert isinstance(digits, ClassificationDataset)
    for split in digits.splits:
        digits.fetch(tmp_path, split, FetchSettings())
        assert n_samples(digits, split) == len(digits.images(tmp_path, split))
    streets = create_dataset("streets", {"clips_val": 3, "frames_per_clip": 7, "height": 48, "width": 64})
    assert n_samples(streets, "val") == 21
    assert video(streets, "val") == Video(3, 7, 48, 64)
    assert Video(1, 101, 360, 480).n_keyframes(KeyframesSpec(stride=10, offset=5)) == 10


def test_split_of_unknown_size_is_named() -> None:
    with pytest.raises(ConfigError, match=r"mapillary train: size unknown; set recipe\.samples_per_epoch"):
        n_samples(create_dataset("mapillary"), "train")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tmp_path / write_config(tmp_path, TINY)


def test_calibration_measures_each_network_once(tiny: Path) -> None:
    (found,) = step_times(Workflow.from_file(tiny).plan, torch.device("cpu"), steps=2)
    assert found.network.startswith("segmentation mobilenetv3_small_050 32 48")
    assert found.batch_size == 2
    assert found.seconds > 0
    assert found.tflop_per_s == pytest.approx(found.cost.gflop * 3 * 2 / found.seconds / 1000)
    assert slowest_speed([found]) == found.tflop_per_s > 0


def test_a_listing_without_a_budget_says_why(tiny: Path) -> None:
    done = CliRunner().invoke(app, ["plan", "--config", str(tiny), "--no-names"])
    assert done.exit_code == 0
    assert "run: 4" in done.stdout
    assert re.search(r"^no budget: .*--count", done.stdout, re.MULTILINE)


def test_a_plan_tells_its_cost(repository: Path) -> None:
    command = ["plan", "--config", str(repository / "config" / "paper.yaml"), "--tflop-per-s", "67"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0
    assert "run: 251" in done.stdout
    # Ten times the stated speed.
    assert "One GPU at 67 TFLOP/s. Trainings: 251, 4,764 GPU hours." in done.stdout
