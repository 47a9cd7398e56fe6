"""Budgets: arithmetic that can be followed by hand, and a page that is in step with the configuration."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.workflow.running import TINY, write_config
from typer.testing import CliRunner

from borderlab.budget import estimate
from borderlab.budget.assumptions import Speed
from borderlab.budget.calibration import slowest_speed, step_times
from borderlab.budget.operations import cost_of, count
from borderlab.budget.page import BEGIN, END, budget_page, update_page
from borderlab.budget.parts import Needs, Part, hours_of, parts_of, seed_options
from borderlab.cli import app
from borderlab.errors import ConfigError
from borderlab.papers.loading import load_papers
from borderlab.statistics.power import power
from borderlab.workflow import Workflow


@pytest.fixture(scope="module")
def paper(request: pytest.FixtureRequest) -> Workflow:
    root = Path(__file__).resolve().parents[1]
    return Workflow.from_file(root / "config" / "paper.yaml")


@pytest.mark.slow
def test_page_is_in_step_with_the_configuration(paper: Workflow, repository: Path) -> None:
    page = (repository / "docs" / "paper_scale.md").read_text()
    assert page.split(BEGIN)[1].split(END)[0].strip() == budget_page(paper.plan, Speed()).strip()


def test_hours_of_one_training_by_hand(paper: Workflow) -> None:
    run = next(run for run in paper.plan.runs.values() if run.spec.backbone == "resnet50" and run.spec.seed == 0)
    # 8.18 GFLOP forward, three passes' worth, 100 epochs of 1,281,167 images, 10 TFLOP/s.
    expected = 8.18e9 * 3 * 100 * 1_281_167 / 10e12 / 3600
    assert estimate.training_hours(run, Speed(10.0)) == pytest.approx(expected)
    assert estimate.training_hours(run, Speed(20.0)) == pytest.approx(expected / 2)
    assert estimate.wall_hours(run, Speed(10.0)) == pytest.approx(expected / 8)


def test_hours_of_a_cpu_training_by_hand(repository: Path) -> None:
    plan = Workflow.from_file(repository / "config" / "smoke.yaml").plan
    run = next(run for run in plan.runs.values() if run.spec.backbone == "regnetx_002")
    # 0.02 GFLOP forward, three passes' worth, three epochs of the 1,260 training digits, 0.01 TFLOP/s.
    expected = 0.02e9 * 3 * 3 * 1260 / 0.01e12 / 3600
    assert estimate.training_hours(run, Speed(1e9, 0.01)) == pytest.approx(expected)
    # Key frames and the two samples at each of three distances, where the recipe leaves the number open.
    moved = next(run for run in plan.runs.values() if run.spec.propagation is not None)
    recipe = moved.spec.recipe.model_copy(update={"samples_per_epoch": None})
    assert estimate._samples_per_epoch(moved.spec.model_copy(update={"recipe": recipe})) == 8 * 7


@pytest.mark.parametrize("name", ["smoke", "camvid", "propagation", "motion", "imagenette", "imagenette_gpu"])
def test_every_shipped_experiment_has_a_budget(name: str, repository: Path) -> None:
    plan = Workflow.from_file(repository / "config" / f"{name}.yaml").plan
    trainings = estimate.training_budgets(plan, Speed())
    assert sum(own.n_runs for own in trainings) == len(plan.runs) + len(plan.motion_models)
    assert all(own.longest_hours > 0 for own in trainings)
    assert estimate.video_gb(plan.motions.values()) == pytest.approx(
        sum(own.gb for own in estimate.video_budgets(plan) if own.kind == "motion")
    )


def test_flows_of_cityscapes_by_hand(paper: Workflow) -> None:
    (motion,) = [
        video for video in estimate.video_budgets(paper.plan) if (video.kind, video.dataset)[1] == "cityscapes"
    ][:1]
    models = {spec.model for spec in paper.plan.motions.values() if spec.dataset.key == "cityscapes"}
    # Five steps on both sides of 2,975 key frames, in two directions; two float16 numbers for each pixel.
    assert (motion.kind, motion.n_frames) == ("motion", 2975 * 5 * 2 * 2 * len(models))
    assert motion.gb == pytest.approx(motion.n_frames * 1024 * 2048 * 4 / 1e9)


def test_studies_add_up_to_all_runs(paper: Workflow) -> None:
    budgets = estimate.training_budgets(paper.plan, Speed())
    assert sum(budget.n_runs for budget in budgets) == len(paper.plan.runs) + len(paper.plan.motion_models)
    # No job of the shipped configuration needs its walltime twice.
    assert max(budget.walltimes for budget in budgets) < 1


_SAMPLES = ("train_motion", "estimate_motion", *["synthesise_samples"] * 3)


def test_longest_chain_goes_through_the_longest_training(paper: Workflow) -> None:
    path = estimate.longest_chain(paper.plan, Speed(), paper.plan.runs)
    assert "vgg19_bn" in path[-1][0]
    run = next(run for run in paper.plan.runs if "joint3" in run)
    chain = estimate._chain(paper.plan, run, Speed())
    # The training on Mapillary that it starts from takes longer than motion and synthesis.
    assert [step.split()[0] for step, _ in chain] == ["train_network"] * 2
    planned = paper.plan.runs[run]
    alone = replace(planned, spec=planned.spec.model_copy(update={"start_from": None}))
    chain = estimate._chain(replace(paper.plan, runs={run: alone}), run, Speed())
    assert [step.split()[0] for step, _ in chain] == [*_SAMPLES, "train_network"]


def test_kept_operations_are_those_of_the_network(paper: Workflow) -> None:
    spec = next(run.spec for run in paper.plan.runs.values() if run.spec.backbone == "resnet50")
    model = next(iter(paper.plan.motion_models.values())).spec
    for own, counted in zip((spec, model), count([(spec, 1000), (model, 19)]).values(), strict=True):
        assert round(counted.gflop, 2) == cost_of(own).gflop
        assert counted.n_parameters == cost_of(own).n_parameters


def test_network_that_was_not_counted_is_named(paper: Workflow) -> None:
    spec = next(iter(paper.plan.runs.values())).spec.model_copy(update={"backbone": "resnet18"})
    with pytest.raises(ConfigError, match=r"classification resnet18 224 224: .* --count"):
        cost_of(spec)


def test_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(ConfigError, match="has no lines"):
        update_page(page, "text")
    assert page.read_text() == "nothing"


@pytest.fixture(scope="module")
def parts(paper: Workflow, repository: Path) -> dict[str, Part]:
    return {part.name: part for part in parts_of(paper.plan, load_papers(repository / "papers"))}


IMAGENET = "liu2018/imagenet_top1, imagenet_top1_difference"


@pytest.mark.slow
def test_parts_take_every_run_of_the_plan(paper: Workflow, parts: dict[str, Part]) -> None:
    assert frozenset(paper.plan.runs) == frozenset().union(*(part.needs.runs for part in parts.values()))
    # Both tables are made of the same hundred runs, and each has cells that no run here makes.
    assert (parts[IMAGENET].n_cells, parts[IMAGENET].n_published) == (35, 40)
    assert len(parts[IMAGENET].runs) == 100
    assert parts[IMAGENET].needs.n_jobs == 200
    assert len(parts["liu2018/cross_test"].needs.probes) == 1


@pytest.mark.slow
def test_what_no_other_part_needs_is_what_leaving_out_saves(paper: Workflow, parts: dict[str, Part]) -> None:
    for name, part in parts.items():
        others = [other.needs for other in parts.values() if other.name != name]
        assert not any(part.alone.runs & other.runs or part.alone.syntheses & other.syntheses for other in others)
    # The cross test needs zero and partial padding of one network of five; the rest is the table's alone.
    assert len(parts[IMAGENET].alone.runs) == 90
    hours = hours_of(paper.plan, Needs(runs=parts[IMAGENET].alone.runs), Speed())
    assert hours.gpu == pytest.approx(
        sum(estimate.training_hours(paper.plan.runs[run], Speed()) for run in parts[IMAGENET].alone.runs)
    )
    assert hours.cpu == 0


@pytest.mark.slow
def test_a_part_rests_on_starts_samples_and_motion_models(parts: dict[str, Part]) -> None:
    needs = parts["zhu2019/cityscapes_propagation"].needs
    assert {run.split("/")[0] for run in needs.runs} == {"cityscapes", "mapillary"}
    assert (len(needs.motion_models), len(needs.motions), len(needs.syntheses)) == (2, 2, 20)


@pytest.mark.slow
def test_cases_of_claims_that_are_lost(parts: dict[str, Part]) -> None:
    # ResNet-50 stays, for the cross test.
    assert parts[IMAGENET].lost["liu2018/partial_gains"] == (4, 5)
    assert parts[IMAGENET].lost["liu2018/reflect_no_gain"] == (5, 5)
    assert "zhu2019/relaxation_gains" not in parts[IMAGENET].lost
    assert parts["zhu2019/cityscapes_propagation"].lost["zhu2019/decline_from_four"][0] > 0


@pytest.mark.slow
def test_fewer_seeds_save_their_runs_and_find_less(paper: Workflow, parts: dict[str, Part]) -> None:
    part = parts[IMAGENET]
    own = {option.n_seeds: option for option in seed_options(paper.plan, part, Speed())}
    assert sorted(own) == [2, 3, 4, 5]
    whole = hours_of(paper.plan, Needs(runs=part.alone.runs), Speed())
    assert own[3].saved.gpu == pytest.approx(whole.gpu * 2 / 5)
    assert own[5].is_planned
    assert own[5].saved.gpu == 0
    assert part.run_sd == pytest.approx(0.2, abs=0.05)
    for n_seeds, option in own.items():
        assert power(option.detectable_sd, n_seeds) == pytest.approx(0.8)
        # The difference of two independent runs varies more than one of them.
        assert option.detectable_points == pytest.approx(option.detectable_sd * part.run_sd * 2**0.5)
    # Another table needs every run of this one.
    shared = list(seed_options(paper.plan, parts["zhu2019/cityscapes_summary"], Speed()))
    assert [option.saved.gpu for option in shared] == [0, 0]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tmp_path / write_config(tmp_path, TINY)


def test_calibration_measures_each_network_once(tiny: Path) -> None:
    (found,) = step_times(Workflow.from_file(tiny).plan, torch.device("cpu"), steps=2)
    assert found.network.startswith("segmentation mobilenetv3_small_050 32 48")
    assert found.batch_size == 2
    assert found.seconds > 0
    assert found.threads == 1
    assert found.tflop_per_s == pytest.approx(found.cost.gflop * 3 * 2 / found.seconds / 1000)
    assert replace(found, threads=2).tflop_per_s == pytest.approx(found.tflop_per_s / 2)
    assert slowest_speed([found]) == found.tflop_per_s > 0


def test_a_listing_without_a_budget_says_why(tiny: Path) -> None:
    done = CliRunner().invoke(app, ["plan", "--config", str(tiny), "--no-names"])
    assert done.exit_code == 0
    assert "run: 4" in done.stdout
    assert re.search(r"^no budget: .*--count", done.stdout, re.MULTILINE)


@pytest.mark.slow
def test_a_plan_tells_its_cost(repository: Path) -> None:
    command = ["plan", "--config", str(repository / "config" / "paper.yaml"), "--tflop-per-s", "67"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0
    assert "run: 251" in done.stdout
    # Ten times the stated speed.
    assert "Speed: 67 TFLOP/s for a GPU" in done.stdout
    assert "Trainings: 253, 4,764 GPU hours." in done.stdout
