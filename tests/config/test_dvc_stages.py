"""dvc.yaml: every experiment can be made, shared and compared in the same way."""

import json
from pathlib import Path

import yaml


def test_every_configuration_has_a_stage_and_plots_like_the_first(repository: Path) -> None:
    pipeline = yaml.safe_load((repository / "dvc.yaml").read_text())
    names = {path.stem for path in (repository / "config").glob("*.yaml")}
    assert pipeline["stages"].keys() == names

    def shape(name: str) -> str:
        stage = {key: entry for key, entry in pipeline["stages"][name].items() if key != "desc"}
        plots = [plot for plot in pipeline["plots"] if next(iter(plot)) in (f"{name}_runs", f"{name}_curves")]
        return json.dumps([stage, plots])

    for name in names:
        assert shape(name) == shape("smoke").replace("smoke", name)
    assert len(pipeline["plots"]) == 2 * len(names)
