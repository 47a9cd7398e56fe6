"""Trained motion models in the report: the section, its table, labels without hashes, and an experiment without any."""

from pathlib import Path

import pytest

from borderlab.errors import RunError
from borderlab.report.motion_section import motion_table
from borderlab.report.tabulate import tabulate

TITLE = "Trained motion models"


def test_the_page_shows_trained_models_where_there_are_some(full_report) -> None:
    text = full_report.page.read_text()
    assert TITLE in text
    assert 'id="table-motion-models"' in text
    assert text.count('id="figure-motion-') == 1


@pytest.mark.slow
def test_the_page_of_an_experiment_without_them_has_no_such_section(
    make_experiment, make_spec, build_report, tmp_path: Path
) -> None:
    experiment = make_experiment(pictures=False)
    experiment.add_run(make_spec(), 50.0)
    assert TITLE not in build_report(experiment, tmp_path).page.read_text()


@pytest.mark.slow
def test_an_experiment_of_motion_models_alone_has_a_whole_page(make_experiment, build_report, tmp_path: Path) -> None:
    experiment = make_experiment()
    experiment.add_motion_model("predict", "prediction")
    experiment.add_score("streets", "copy")
    text = build_report(experiment, tmp_path).page.read_text()
    assert TITLE in text
    assert 'id="figure-distance-streets-val"' in text


def test_gains_are_over_the_flow_that_the_network_was_shown(full_report) -> None:
    rows = [[cell.text for cell in row] for row in motion_table(full_report.tables, "").rows]
    predict = [row for row in rows if row[0] == "predict"]
    assert [row[1] for row in predict] == ["copy", "flow shown", "network"]
    assert [row[2] for row in predict] == ["20.00", "26.00", "27.25"]
    assert [row[3] for row in predict] == ["−6.00", "–", "+1.25"]
    assert [row[5] for row in predict] == ["0", "–", "98"]


def test_a_learned_model_is_called_by_its_own_name(full_report) -> None:
    assert "rebuild" in set(full_report.tables["propagation"]["motion"])
    assert "rebuild-0123abcd" not in full_report.page.read_text()


def test_curves_keep_epochs_that_were_not_measured(full_report) -> None:
    curves = full_report.tables["motion_curves"]
    own = curves[curves["model"] == "predict"]
    assert own["epoch"].tolist() == [1, 2, 3, 4]
    assert own["psnr_db"].isna().tolist() == [True, False, True, False]


def test_a_missing_curve_is_named(make_experiment) -> None:
    experiment = make_experiment(pictures=False)
    artifacts = experiment.add_motion_model("predict", "prediction")
    (artifacts.folder / "curve.csv").unlink()
    with pytest.raises(RunError, match=r"curve.csv: is missing; "):
        tabulate(experiment.inputs)
