"""Claims and published cells against whole experiments: which runs count, what is said of them, and at what scale."""

from pathlib import Path
from typing import Any

import pytest
from tests.papers.conftest import CELLS, CLAIM, INFO, TABLE

from borderlab.report.paper_section import paper_section
from borderlab.report.tabulate import read_tables, tabulate, write_tables

ZEROS = {0: 50.0, 1: 51.0, 2: 49.5, 3: 50.5}


@pytest.fixture
def third_paper(tmp_path: Path) -> Path:
    """A third paper: a folder, and no code."""
    folder = tmp_path / "papers" / "third"
    folder.mkdir(parents=True)
    for name, text in {"main.csv": CELLS, "main.yaml": TABLE, "claims.yaml": CLAIM, "paper.yaml": INFO}.items():
        (folder / name).write_text(text)
    return folder.parent


@pytest.fixture
def experiment(make_experiment, make_spec, third_paper):
    """Digits with zeros and partial, the latter better by 2 to 2.3 points; the best epoch is 0.2 above the last."""
    made = make_experiment(pictures=False, papers=third_paper)
    for seed, value in ZEROS.items():
        made.add_run(make_spec("digits", padding_mode="zeros", seed=seed), value)
        made.add_run(make_spec("digits", padding_mode="partial", seed=seed), value + 2 + 0.1 * seed)
    return made


def rows(table: Any, **wanted: Any) -> list[dict[str, Any]]:
    found = table
    for name, value in wanted.items():
        found = found[found[name] == value]
    return found.to_dict("records")


def test_a_claim_is_judged_by_pairs_of_seeds(experiment) -> None:
    claims = tabulate(experiment.inputs)["claims"]
    (row,) = rows(claims, evidence="experiment", measure="evaluation")
    assert row["verdict"] == "reproduced"
    assert (row["n"], row["scale"], row["paper_setting"], row["decides"]) == (4, "smoke", False, True)
    assert row["effect_points"] == pytest.approx(2.15)
    assert row["low_points"] < 2.15 < row["high_points"]
    assert row["p_exact"] == pytest.approx(2 / 16)
    names = {run.name: run for run in experiment.runs}
    assert all("partial" in name for name in row["left_runs"].split("; "))
    assert {*row["left_runs"].split("; "), *row["right_runs"].split("; ")} == set(names)
    (best,) = rows(claims, evidence="experiment", measure="best")
    assert not best["decides"]


@pytest.mark.slow
def test_a_smaller_experiment_is_never_the_papers_setting(experiment) -> None:
    experiment.scale = "paper"
    (row,) = rows(tabulate(experiment.inputs)["claims"], evidence="experiment", measure="evaluation")
    assert row["paper_setting"]
    for scale in ("smoke", "single machine"):
        experiment.scale = scale
        tables = tabulate(experiment.inputs)
        assert not tables["claims"][tables["claims"]["evidence"] == "experiment"]["paper_setting"].any()
        notes = [part.text for part in paper_section(tables, experiment.inputs).parts if part.kind == "note"]
        assert f"“{scale}”" in notes[1]
        assert "no verdict here is about a paper's own number" in notes[1]


def test_cells_hold_what_their_runs_measured(experiment) -> None:
    cells = tabulate(experiment.inputs)["paper_cells"]
    (cell,) = rows(cells, cell="third/main/small/zero")
    assert (cell["status"], cell["n_measured"]) == ("measured", 4)
    assert cell["measured"] == pytest.approx(50.25)
    assert cell["difference"] == pytest.approx(0.25)
    assert cell["difference_low"] < 0.25 < cell["difference_high"]
    assert (cell["sample_sd"], cell["printed_sd_is"]) == (pytest.approx(1.0), "n")
    assert len(cell["runs"].split("; ")) == 4
    (missing,) = rows(cells, cell="third/main/large/zero")
    assert (missing["status"], missing["runs"]) == ("not run", "")
    assert missing["published"] != missing["published"]


def test_cells_take_no_runs_of_a_second_setting(experiment, make_spec) -> None:
    other = make_spec().recipe.model_copy(update={"weight_decay": 0.5})
    experiment.add_run(make_spec("digits", recipe=other), 60.0)
    (cell,) = rows(tabulate(experiment.inputs)["paper_cells"], cell="third/main/small/zero")
    assert cell["status"] == "several settings"
    assert cell["measured"] != cell["measured"]


@pytest.mark.slow
def test_settings_that_differ_beside_the_claim_are_cases_of_their_own(experiment, make_spec) -> None:
    for seed in (0, 1):
        for mode, value in (("zeros", 70.0), ("partial", 69.0 + 0.1 * seed)):
            experiment.add_run(make_spec("digits", "resnet34", padding_mode=mode, seed=seed), value)
    found = rows(tabulate(experiment.inputs)["claims"], evidence="experiment", measure="evaluation")
    verdicts = {row["case"]: row["verdict"] for row in found}
    assert verdicts == {"digits, resnet18": "reproduced", "digits, resnet34": "not reproduced"}


def test_differences_are_cells_too(experiment, third_paper: Path) -> None:
    (third_paper / "third" / "main.yaml").write_text(f"{TABLE}against: {{padding_mode: zeros}}\n")
    (cell,) = rows(tabulate(experiment.inputs)["paper_cells"], cell="third/main/small/other")
    assert cell["measured"] == pytest.approx(2.15)
    assert len(cell["runs"].split("; ")) == 8


def test_weights_of_zeros_under_partial(full_report) -> None:
    found = rows(full_report.tables["claims"], claim="zeros_weights_collapse", evidence="experiment")
    by_case = {row["case"]: row for row in found}
    (trained,) = [row for case, row in by_case.items() if "probe trained" in case]
    assert trained["n"] == 2
    assert trained["effect_points"] == pytest.approx(15.0)
    (single,) = [row for case, row in by_case.items() if "pretrained" in case]
    assert (single["n"], single["verdict"]) == (1, "inconclusive")


@pytest.mark.slow
def test_tables_come_back_as_they_were(experiment, tmp_path: Path) -> None:
    tables = tabulate(experiment.inputs)
    write_tables(tables, tmp_path / "tables")
    again = read_tables(tmp_path / "tables")
    for name, column in (("claims", "verdict"), ("paper_cells", "status")):
        assert list(again[name].columns) == list(tables[name].columns)
        assert again[name][column].tolist() == tables[name][column].tolist()


@pytest.mark.slow
def test_the_page_shows_verdicts_and_escapes(build_report, experiment, third_paper: Path, tmp_path: Path) -> None:
    claims = third_paper / "third" / "claims.yaml"
    claims.write_text(CLAIM.replace("The other one is better.", "<b>Better</b> & more"))
    text = build_report(experiment, tmp_path / "built").page.read_text()
    assert "&lt;b&gt;Better&lt;/b&gt; &amp; more" in text
    assert "<strong>reproduced</strong>" in text
    assert "not seen" in text


def test_the_page_says_who_the_papers_are_and_what_of_them_is_here(full_report) -> None:
    section = paper_section(full_report.tables, full_report.inputs)
    notes = [part.text for part in section.parts if part.kind == "note"]
    assert notes[0].startswith("liu2018: Liu et al. 2018, “Partial Convolution based Padding”, arXiv:1811.11718. The")
    mixed = "liu2018/imagenet_top1 mixes them: n + 1 in partial, zero; n − 1 in reflect, replicate."
    assert mixed in notes[-1].replace("\u00a0", " ")
    [table] = [part for part in section.parts if part.kind == "table" and part.id == "table-published"]
    counts = {row[0].text: [cell.text for cell in row[2:]] for row in table.rows}
    assert counts["imagenet_top1"] == ["25", "25", "0"]
    assert counts["per_class"] == ["4", "0", "0"]


def test_without_papers_the_page_says_so(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    experiment.add_run(make_spec(), 50.0)
    assert "no folder of papers was named" in paper_section(tabulate(experiment.inputs), experiment.inputs).empty
