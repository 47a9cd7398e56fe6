"""Publishing and exporting: nothing is lost where something is missing."""

from pathlib import Path

import pytest
import yaml
from tests.workflow.running import TINY
from typer.testing import CliRunner

from borderlab.cli import app
from borderlab.errors import RunError
from borderlab.report.crate import write_crate
from borderlab.report.publish import publish_experiment
from borderlab.report.run import report_input
from borderlab.workflow import Workflow


@pytest.fixture
def workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(yaml.safe_dump(TINY))
    return Workflow.from_file(Path("tiny.yaml"))


def test_without_a_report_nothing_is_published_and_the_old_stamp_stays(workflow: Workflow) -> None:
    stamp = Path(workflow.paths.results) / "published-tiny-00000000.json"
    stamp.parent.mkdir(parents=True)
    stamp.write_text("{}")
    with pytest.raises(RunError, match=r"report\.html: is missing; run the experiment to its end"):
        publish_experiment(workflow)
    assert stamp.read_text() == "{}"


@pytest.mark.parametrize("name", ["thesis", "thesis/chapter.tex", "."])
def test_a_crate_replaces_nothing_but_a_crate(workflow: Workflow, name: str) -> None:
    Path("thesis").mkdir()
    Path("thesis/chapter.tex").write_text("years of work")
    with pytest.raises(RunError, match=r"is no RO-Crate; name a new folder|is the current folder"):
        write_crate(workflow, Path("Snakefile"), Path(name))
    assert Path("thesis/chapter.tex").read_text() == "years of work"


def test_commands_name_the_published_configuration(workflow: Workflow) -> None:
    config = workflow.paths.published_config
    assert config in workflow.paths.published(workflow.plan.experiment_id)
    inputs = report_input(workflow)
    assert inputs.config == config
    made = [*inputs.runs, *inputs.motion_models]
    names = [*workflow.plan.runs, *workflow.plan.motion_models]
    assert [each.rerun_command for each in made] == [f"borderlab rerun {name} --config {config}" for name in names]


def test_scores_that_follow_flow_in_other_ways_have_other_titles(workflow: Workflow) -> None:
    quality = {"dataset": "streets", "split": "val", "keyframes": {"stride": 11, "offset": 5}, "max_distance": 2}
    ways = {"motions": ["dis_fast"], "methods": ["recursive", "accumulated"]}
    values = {**TINY, "datasets": {**TINY["datasets"], "streets": {}}, "propagation_quality": [{**quality, **ways}]}
    Path("moved.yaml").write_text(yaml.safe_dump(values))
    scores = report_input(Workflow.from_file(Path("moved.yaml"))).scores
    assert sorted(score.motion for score in scores) == ["dis_fast", "dis_fast accumulated"]


def test_whole_experiments_without_a_configuration_go_on_demand_alone(workflow: Workflow) -> None:
    Path("config").mkdir()
    Path("tiny.yaml").rename("config/tiny.yaml")
    gone, others = Path("artifacts/gone/runs/digits/old"), Path("artifacts/photographs/runs.txt")
    for path in (gone / "training.json", others):
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    said = CliRunner().invoke(app, ["prune", "--apply"])
    assert "left alone: artifacts/gone, 0.0 MB: no configuration is about it" in said.output
    assert "photographs" not in said.output
    assert gone.is_dir()
    said = CliRunner().invoke(app, ["prune", "--experiments", "--apply"])
    assert "removed 1 folders" in said.output
    assert not gone.exists()
    assert others.is_file()
