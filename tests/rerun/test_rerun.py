"""From a number to its runs, and what differs between two makings of one."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tests.workflow.running import TINY
from typer.testing import CliRunner

from borderlab.cli import app
from borderlab.errors import RunError
from borderlab.rerun.cells import runs_of_cell
from borderlab.rerun.making import disagreements, target_of
from borderlab.workflow import Workflow

MODES = ("zeros", "partial")
TABLES = {
    "summary": "measure,runs\nbest,{0}; {1}\nlast,\n",
    "effects": "runs,baseline_runs\n{0},{1}\n",
    "runs": "run\n{0}\nsomething/else-seed0-01234567\n",
    "paper_cells": "cell,runs\nthird/main/joint/partial,{0}\n",
    "claims": "paper,claim,left_runs,right_runs\nthird,gains,{0},{1}\nthird,collapse,{0},{0}\nthird,gone,{0},{1}\n",
    "cross_test": "probe,network\nborders,{0}\n",
    "propagation": "dataset,split,motion,void_occluded,distance\nstreets,val,rebuild,True,-1\nstreets,val,dis,True,1\n",
    "motion_models": "model,dataset,method\nrebuild,streets,copy\n",
}
PAPER = {
    "paper.yaml": "{title: Made up, authors: Nobody, year: 2030}",
    "main.csv": "row,column,metric,published,spread,n,runs,verified,source,note\n"
    + "".join(f"{row},{mode},miou_pct,,,,,no,,\n" for row in ("none", "joint", "any", "far", "gone") for mode in MODES),
    "main.yaml": """
title: Made up
place: Table 1
config: config/paper.yaml
select: {dataset: streets}
rows:
  none: {propagation_kind: none}
  joint: {propagation_kind: joint}
  any: {}
  far: {max_distance: 9}
  gone: null
columns: {zeros: {padding_mode: zeros}, partial: {padding_mode: partial}}
""",
    "change.csv": "row,column,metric,published,spread,n,runs,verified,source,note\nnone,partial,miou_pct,,,,,no,,\n",
    "change.yaml": """
title: Made up
place: Table 2
results: cross_test
config: config/paper.yaml
select: {dataset: streets, trained_mode: zeros}
rows: {none: {}}
columns: {partial: {tested_mode: partial}}
""",
    "claims.yaml": """
- {id: gains, text: a, place: b, verified: "no", kind: gain, margin_points: 1, left: {padding_mode: partial},
   right: {padding_mode: zeros}, paper_setting: {}}
- {id: collapse, text: a, place: b, verified: "no", kind: gain, margin_points: 1, results: cross_test,
   left: {tested_mode: zeros}, right: {tested_mode: partial}, paper_setting: {}}
""",
}


@pytest.fixture
def make_workflow(tmp_path: Path):
    """A maker of the tiny experiment's workflow with folders of its own."""

    def make(name: str) -> Workflow:
        folders = {key: str(tmp_path / name / key) for key in ("artifacts", "results", "papers")}
        for file, text in PAPER.items():
            (tmp_path / name / "papers" / "third").mkdir(parents=True, exist_ok=True)
            (tmp_path / name / "papers" / "third" / file).write_text(text)
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump({**TINY, "folders": folders}))
        return Workflow.from_file(path)

    return make


@pytest.fixture
def workflow(make_workflow) -> Workflow:
    """The experiment with published tables."""
    made = make_workflow("one")
    folder = Path(made.paths.results) / "tables"
    folder.mkdir(parents=True)
    for name, text in TABLES.items():
        (folder / f"{name}.csv").write_text(text.format(*made.plan.runs))
    return made


@pytest.mark.parametrize(
    ("cell", "places"),
    [("summary:2", [0, 1]), ("effects:2", [0, 1]), ("runs:2", [0]), ("claims:2", [0, 1])],
)
def test_cells_name_their_runs(workflow: Workflow, cell: str, places: list[int]) -> None:
    assert runs_of_cell(cell, workflow) == [list(workflow.plan.runs)[place] for place in places]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["none", "joint"])
def test_a_published_cell_needs_no_tables(make_workflow, kind: str, mode: str) -> None:
    made = make_workflow("empty")
    (name,) = runs_of_cell(f"third/main/{kind}/{mode}", made)
    spec = made.plan.runs[name].spec
    assert (spec.padding_mode, spec.propagation.kind if spec.propagation else "none") == (mode, kind)


def test_a_line_of_published_cells_is_its_cell(workflow: Workflow) -> None:
    assert runs_of_cell("paper_cells:2", workflow) == runs_of_cell("third/main/joint/partial", workflow)


@pytest.mark.parametrize("cell", ["cross_test:2", "claims:3", "third/change/none/partial"])
def test_numbers_of_probes_come_from_probes(workflow: Workflow, cell: str) -> None:
    assert runs_of_cell(cell, workflow) == list(workflow.plan.probes)


def test_lines_of_moved_labels_and_motion_models_name_them(workflow: Workflow) -> None:
    assert runs_of_cell("propagation:2", workflow) == list(workflow.plan.scores)
    assert runs_of_cell("motion_models:2", workflow) == list(workflow.plan.motion_models)


def test_scores_probes_and_motion_models_are_cells(workflow: Workflow) -> None:
    plan = workflow.plan
    for results, last in (
        (plan.scores, "score.json"),
        (plan.probes, "probe.json"),
        (plan.motion_models, ".safetensors"),
    ):
        name = next(iter(results))
        assert runs_of_cell(name, workflow) == [name]
        assert target_of(name, workflow).endswith(last)


def test_a_number_of_a_score_that_came_out_otherwise_is_named(make_workflow) -> None:
    one, other = make_workflow("one"), make_workflow("other")
    (name,) = one.plan.scores
    for made, value in ((one, 50.0), (other, 50.25)):
        path = Path(target_of(name, made))
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"rows": [{"miou_pct": value}], "wall_time_s": value}))
    assert list(disagreements([name], one, one)) == []
    (found,) = disagreements([name], one, other)
    assert found.place == "score.json: rows.1.miou_pct"
    assert (found.was, found.made) == ("50.0", "50.25")


def test_a_run_is_its_own_cell(workflow: Workflow) -> None:
    run = next(iter(workflow.plan.runs))
    assert runs_of_cell(run, workflow) == [run]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("summary:1", "summary.csv has lines 2 to 3"),
        ("summary:x", "summary.csv has lines 2 to 3"),
        ("summary:3", "its table names no runs; an older version published it"),
        ("runs:3", "is no run of this experiment as code and configuration are now"),
        ("propagation:3", "its table names no runs"),
        ("claims:4", "third/gone: no such claim any more"),
        ("third/main/far/zeros", "no runs of this experiment stand behind it; --config config/paper.yaml has them"),
        ("third/main/gone/zeros", "nothing in this project makes it"),
        ("third/main/any/zeros", "several settings of this experiment fit"),
        ("nonsense", "no TABLE:LINE, and no published cell; `borderlab plan --config FILE` lists names"),
    ],
)
def test_what_has_no_runs_is_one_line(workflow: Workflow, cell: str, message: str) -> None:
    with pytest.raises(RunError, match=message.replace("(", r"\(")):
        runs_of_cell(cell, workflow)


def test_without_tables_it_says_what_to_do(make_workflow) -> None:
    with pytest.raises(RunError, match="no tables yet; run the experiment to its end first"):
        runs_of_cell("summary:2", make_workflow("empty"))


def write_run(workflow: Workflow, run: str, value: float = 50.0, loss: str = "0.25", weights: bytes = b"w") -> None:
    folder = Path(workflow.paths.run_folder(run))
    evaluation = Path(workflow.paths.evaluation(run, workflow.plan.evaluation_name(run)))
    evaluation.parent.mkdir(parents=True)
    evaluation.write_text(json.dumps({"value": value, "seconds": len(workflow.snapshot), "classes": {"road": value}}))
    (folder / "training.json").write_text(json.dumps({"last": 50.0}))
    seconds = len(workflow.snapshot) / 10
    pd.DataFrame({"epoch": [1], "train_loss": [loss], "seconds": [seconds]}).to_csv(folder / "curve.csv", index=False)
    (folder / "model.safetensors").write_bytes(weights)


def test_equal_runs_agree_whatever_they_took(make_workflow) -> None:
    one, other = make_workflow("one"), make_workflow("longer_name")
    run = next(iter(one.plan.runs))
    write_run(one, run)
    write_run(other, run)
    assert list(disagreements([run], one, other)) == []


def test_every_value_that_differs_is_named(make_workflow) -> None:
    one, other = make_workflow("one"), make_workflow("other")
    run = next(iter(one.plan.runs))
    write_run(one, run)
    write_run(other, run, value=50.1, loss="0.26", weights=b"v")
    found = {each.place: (each.was, each.made) for each in disagreements([run], one, other)}
    assert found.pop("model.safetensors")
    assert found == {
        "metrics.json: value": ("50.0", "50.1"),
        "metrics.json: classes.road": ("50.0", "50.1"),
        "curve.csv: train_loss, epoch 1": ("0.25", "0.26"),
    }


def test_verify_looks_for_a_run_before_it_makes_it_again(make_workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    workflow = make_workflow("one")
    monkeypatch.setattr("borderlab.rerun.making.make_again", lambda *_: pytest.fail("hours of training"))
    run = next(iter(workflow.plan.runs))
    done = CliRunner().invoke(app, ["verify", run, "--config", workflow.snapshot])
    assert isinstance(done.exception, RunError)
    assert "training.json: is missing; run the experiment to its end" in str(done.exception)


def test_a_run_that_is_not_there_cannot_be_verified(make_workflow) -> None:
    one, other = make_workflow("one"), make_workflow("other")
    run = next(iter(one.plan.runs))
    write_run(other, run)
    with pytest.raises(RunError, match=r"training\.json: is missing; run the experiment to its end"):
        list(disagreements([run], one, other))
