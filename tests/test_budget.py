"""Budgets: arithmetic that can be followed by hand, and a page that is in step with the configuration."""

from dataclasses import replace
from pathlib import Path

import pytest

from borderlab.budget import estimate
from borderlab.budget.assumptions import Speed
from borderlab.budget.operations import cost_of, count, key_of
from borderlab.budget.page import BEGIN, END, budget_page, update_page
from borderlab.errors import ConfigError
from borderlab.workflow import Workflow


@pytest.fixture(scope="module")
def paper(request: pytest.FixtureRequest) -> Workflow:
    root = Path(__file__).resolve().parents[1]
    return Workflow.from_file(root / "config" / "paper.yaml")


def test_page_is_in_step_with_the_configuration(paper: Workflow, repository: Path) -> None:
    page = (repository / "docs" / "paper_scale.md").read_text()
    assert page.split(BEGIN)[1].split(END)[0].strip() == budget_page(paper.plan, Speed()).strip()


def test_hours_of_one_training_by_hand(paper: Workflow) -> None:
    run = next(run for run in paper.plan.runs.values() if run.spec.backbone == "resnet50" and run.spec.seed == 0)
    # 8.18 GFLOP forward, three passes' worth, 100 epochs of 1,281,167 images, 10 TFLOP/s.
    expected = 8.18e9 * 3 * 100 * 1_281_167 / 10e12 / 3600
    assert estimate.gpu_hours(run.spec, Speed(10.0)) == pytest.approx(expected)
    assert estimate.gpu_hours(run.spec, Speed(20.0)) == pytest.approx(expected / 2)


def test_flows_of_cityscapes_by_hand(paper: Workflow) -> None:
    (motion,) = [
        video for video in estimate.video_budgets(paper.plan) if (video.kind, video.dataset)[1] == "cityscapes"
    ][:1]
    models = {spec.model for spec in paper.plan.motions.values() if spec.dataset.key == "cityscapes"}
    # Five steps on both sides of 2,975 key frames, in two directions; two float16 numbers for each pixel.
    assert (motion.kind, motion.n_frames) == ("motion", 2975 * 5 * 2 * 2 * len(models))
    assert motion.gb == pytest.approx(motion.n_frames * 1024 * 2048 * 4 / 1e9)


def test_studies_add_up_to_all_runs(paper: Workflow) -> None:
    budgets = estimate.study_budgets(paper.plan, Speed())
    assert sum(budget.n_runs for budget in budgets) == len(paper.plan.runs)
    # No job of the shipped configuration needs its walltime twice.
    assert max(budget.walltimes for budget in budgets) < 1


def test_longest_chain_goes_through_the_longest_training(paper: Workflow) -> None:
    path = estimate.critical_path_hours(paper.plan, Speed())
    assert "vgg19_bn" in path[-1][0]
    run = next(run for run in paper.plan.runs if "joint3" in run)
    chain = estimate._chain(paper.plan, run, Speed())
    # The training on Mapillary that it starts from takes longer than motion and synthesis.
    assert [step.split()[0] for step, _ in chain] == ["train_network"] * 2
    planned = paper.plan.runs[run]
    alone = replace(planned, spec=planned.spec.model_copy(update={"start_from": None}))
    chain = estimate._chain(replace(paper.plan, runs={run: alone}), run, Speed())
    assert [step.split()[0] for step, _ in chain] == ["estimate_motion", *["synthesise_samples"] * 3, "train_network"]


def test_kept_operations_are_those_of_the_network(paper: Workflow) -> None:
    spec = next(run.spec for run in paper.plan.runs.values() if run.spec.backbone == "resnet50")
    assert count([(spec, 1000)]) == {key_of(spec): cost_of(spec)}


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
