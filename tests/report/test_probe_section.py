"""Probes in the report: the section, its table, and an experiment without any."""

from pathlib import Path

import pytest
from tests.report.conftest import probed

from borderlab.errors import RunError
from borderlab.report.figures.cross_test import cross_matrices
from borderlab.report.figures.probes import own_padding
from borderlab.report.probe_section import cross_table
from borderlab.report.tabulate import tabulate

TITLE = "What padding does at the border"


def test_the_page_shows_probes_where_there_are_some(full_report) -> None:
    text = full_report.page.read_text()
    assert TITLE in text
    assert 'id="table-cross-test"' in text
    assert text.count('id="figure-cross-test-') == 2
    assert text.count('id="maps-') == 2
    assert "(ImageNet weights), activation maps" in text


@pytest.mark.slow
def test_the_page_of_an_experiment_without_probes_has_no_such_section(
    make_experiment, make_spec, build_report, tmp_path: Path
) -> None:
    experiment = make_experiment(pictures=False)
    experiment.add_run(make_spec(), 50.0)
    assert TITLE not in build_report(experiment, tmp_path).page.read_text()


def test_changes_are_averaged_over_seeds(full_report) -> None:
    rows = full_report.tables["cross_test"]
    value, change = cross_matrices(rows[rows["probe"] == "trained"], "top1_pct")
    assert list(value.index) == list(value.columns) == ["zeros", "reflect", "partial"]
    assert value.loc["zeros", "partial"] == 45
    assert change.loc["zeros", "partial"] == -15
    assert [change.loc[mode, mode] for mode in change.index] == [0, 0, 0]


def test_runs_are_profiled_with_their_own_padding_and_other_weights_with_all(full_report) -> None:
    shown = own_padding(full_report.tables["border_profile"])
    runs, others = shown[shown["seed"].notna()], shown[shown["seed"].isna()]
    assert (runs["trained_mode"] == runs["tested_mode"]).all()
    assert set(others["tested_mode"]) == {"zeros", "reflect", "partial"}


def test_the_table_names_the_padding_of_training(full_report) -> None:
    table = cross_table(full_report.tables, "")
    assert table is not None
    assert len(table.rows) == 2 * (3 * 3 + 3)
    texts = [[cell.text for cell in row[:-1]] for row in table.rows]
    assert ["resnet18", "partial", "partial", "Top-1", "60.00 ± 0.00", "as trained", "2", "8"] in texts


def test_a_missing_table_of_a_probe_is_named(make_experiment) -> None:
    experiment = make_experiment(pictures=False)
    artifacts = experiment.add_probe("one", [probed("resnet18", "none", None)])
    (artifacts.folder / "cross_test.csv").unlink()
    with pytest.raises(RunError, match=r"cross_test\.csv: is missing"):
        tabulate(experiment.inputs)
