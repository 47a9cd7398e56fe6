"""Two trees of results: the same, other seeds, a falsified number."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from tests.report.conftest import FakeExperiment, run_spec
from typer.testing import CliRunner

from borderlab.cli import app
from borderlab.comparison.agreement import Level, compare_trees, failures
from borderlab.comparison.trees import read_tree
from borderlab.errors import RunError
from borderlab.files import sha256_of_file, write_json
from borderlab.report.tabulate import tabulate, write_tables

LEVELS = {"zeros": 50.0, "partial": 51.0}


def write_results(folder: Path, seeds: tuple[int, ...], gain: float = 0.0) -> Path:
    """Tables of two paddings; results wiggle with the seed."""
    experiment = FakeExperiment(folder / "artifacts", pictures=False)
    for seed in seeds:
        for mode, level in LEVELS.items():
            wiggle = 0.4 * ((7 * seed) % 5) + 0.1 * ((3 * seed + len(mode)) % 4)
            experiment.add_run(run_spec("digits", padding_mode=mode, seed=seed), level + wiggle + gain)
    write_tables(tabulate(experiment.inputs), folder / "results" / "tables")
    return folder / "results"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("one"), (0, 1, 2, 3))


def levels(one: Path, other: Path, tolerance: float = 1e-6) -> set[Level]:
    return {cell.level for cell in compare_trees(read_tree(one), read_tree(other), tolerance)}


def test_the_same_twice_is_identical(results: Path, tmp_path: Path) -> None:
    again = write_results(tmp_path, (0, 1, 2, 3))
    assert levels(results, again) == {Level.IDENTICAL}
    assert CliRunner().invoke(app, ["compare", str(results), str(again), "--need", "identical"]).exit_code == 0


def test_what_two_trees_share_is_told_first(results: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["compare", str(results), str(results)])
    assert done.output.splitlines()[0] == f"runs: 8 in both, 0 in {results} alone, 0 in {results} alone"
    other = write_results(tmp_path, (4, 5))
    done = CliRunner().invoke(app, ["compare", str(results), str(other)])
    told = f"runs: 0 in both, 8 in {results} alone, 4 in {other} alone: are these of the same experiment?"
    assert (done.output.splitlines()[0], done.exit_code) == (told, 1)


def test_another_seed_set_agrees_within_intervals_and_no_closer(results: Path, tmp_path: Path) -> None:
    other = write_results(tmp_path, (4, 5, 6, 7))
    cells = compare_trees(read_tree(results), read_tree(other), 1e-6)
    means = [cell for cell in cells if (cell.table, cell.column) == ("summary", "mean_pct")]
    assert means
    assert {cell.level for cell in means} <= {Level.IDENTICAL, Level.INTERVALS}
    assert failures(cells, Level.INTERVALS) == []
    assert {cell.level for cell in failures(cells, Level.TOLERANCE)} == {
        Level.INTERVALS,
        Level.DIFFERENT,
        Level.MISSING,
    }


def test_a_true_change_is_outside_the_intervals(results: Path, tmp_path: Path) -> None:
    other = write_results(tmp_path, (4, 5, 6, 7), gain=5.0)
    failed = failures(compare_trees(read_tree(results), read_tree(other), 1e-6), Level.INTERVALS)
    # Both paddings gain alike: means differ, paired differences do not.
    assert {(cell.table, cell.column) for cell in failed} == {("summary", "mean_pct")}


@pytest.mark.slow
def test_small_differences_are_within_a_tolerance(results: Path, tmp_path: Path) -> None:
    other = write_results(tmp_path, (0, 1, 2, 3), gain=1e-4)
    assert Level.TOLERANCE in levels(results, other, tolerance=2e-3)
    assert levels(results, other, tolerance=2e-3) <= {Level.IDENTICAL, Level.TOLERANCE}
    assert Level.DIFFERENT in levels(results, other, tolerance=1e-5)


def test_a_falsified_number_is_found_and_named(results: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(results, copy)
    path = copy / "tables" / "runs.csv"
    write_json(copy / "published-made_up.json", {"sha256": {"tables/runs.csv": sha256_of_file(path)}})
    text = path.read_text()
    assert text.count(",50.1,50.3,8,50.1,") == 1
    path.write_text(text.replace(",50.1,50.3,8,50.1,", ",50.1,50.3,8,57.1,"))
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["compare", str(results), str(copy), "--page", str(page)])
    assert done.exit_code == 1
    named = [line for line in done.output.splitlines() if line.startswith("different: runs: ")]
    assert len(named) == 1
    assert "runs: digits, resnet18, random, zeros, train, val, seed 0 (" in named[0]
    assert named[0].endswith("evaluation_pct: 50.1 -> 57.1")
    assert f"{path}: changed after publication" in done.output
    assert "1 number below the level asked for: within tolerance." in page.read_text()


def test_a_column_of_another_version_is_named_and_not_compared(results: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(results, copy)
    path = copy / "tables" / "summary.csv"
    pd.read_csv(path, dtype=str).drop(columns="detectable_pct").to_csv(path, index=False)
    page = tmp_path / "page.html"
    command = ["compare", str(results), str(copy), "--need", "identical", "--page", str(page)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert f"not compared: summary: detectable_pct: in {results} alone" in done.output
    assert "on one side only: 0" in done.output
    assert "summary: detectable_pct: in " in page.read_text()


def test_a_key_of_another_version_is_named_and_rows_are_found_without_it(results: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(results, copy)
    path = copy / "tables" / "summary.csv"
    whole = pd.read_csv(path, dtype=str, keep_default_na=False)
    whole.drop(columns="class_uniform").to_csv(path, index=False)
    for one, other in ((results, copy), (copy, results)):
        done = CliRunner().invoke(app, ["compare", str(one), str(other), "--need", "identical"])
        assert done.exit_code == 0, done.output
        assert f"not compared: summary: class_uniform: in {results} alone" in done.output
    partial = whole[whole["padding_mode"] == "partial"]
    partial.drop(columns="padding_mode").to_csv(path, index=False)
    with pytest.raises(RunError, match="summary: rows of one tree differ in padding_mode alone, which the other lacks"):
        compare_trees(read_tree(results), read_tree(copy), 0.0)


def test_a_table_that_is_missing_is_a_failure(results: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(results, copy)
    (copy / "tables" / "summary.csv").unlink()
    failed = failures(compare_trees(read_tree(results), read_tree(copy), 1e-6), Level.TOLERANCE)
    assert {(cell.table, cell.level) for cell in failed} == {("summary", Level.MISSING)}


@pytest.mark.slow
def test_a_missing_run_is_said_to_be_missing(results: Path, tmp_path: Path) -> None:
    fewer = write_results(tmp_path, (0, 1, 2))
    cells = failures(compare_trees(read_tree(results), read_tree(fewer), 1e-6), Level.TOLERANCE)
    missing = [cell for cell in cells if cell.table == "runs" and cell.level is Level.MISSING]
    # Once each, not once for each of its columns.
    assert [(cell.row.split(" (")[0], cell.column, cell.one, cell.other) for cell in missing] == [
        ("digits, resnet18, random, partial, train, val, seed 3", "whole row", "present", "absent"),
        ("digits, resnet18, random, zeros, train, val, seed 3", "whole row", "present", "absent"),
    ]


def test_a_missing_setting_is_no_agreement_within_intervals(results: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(results, copy)
    path = copy / "tables" / "summary.csv"
    frame = pd.read_csv(path, dtype=str)
    frame[frame["padding_mode"] != "partial"].to_csv(path, index=False)
    failed = failures(compare_trees(read_tree(results), read_tree(copy), 1e-6), Level.INTERVALS)
    assert [(cell.table, cell.column) for cell in failed] == [("summary", "whole row")] * 3


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("published-x.json", "{}", "published-x.json: is no stamp of `borderlab publish`"),
        ("published-x.json", "[", "published-x.json: is no stamp of `borderlab publish`"),
        ("tables/effects.csv", "", "effects.csv: cannot be read as a table (No columns to parse from file)"),
        ("tables/runs.csv", "run,seed\n", "runs.csv: has no column 'recipe'"),
    ],
)
def test_a_damaged_tree_is_one_line(results: Path, tmp_path: Path, name: str, text: str, message: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(results, copy)
    (copy / name).write_text(text)
    with pytest.raises(RunError) as fault:
        read_tree(copy)
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)


def test_numbers_that_differ_are_told_before_rows_that_are_missing(results: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(results, copy)
    (copy / "tables" / "effects.csv").unlink()
    summary = pd.read_csv(copy / "tables" / "summary.csv", dtype=str, keep_default_na=False)
    summary.loc[0, "mean_pct"] = "12.5"
    summary.to_csv(copy / "tables" / "summary.csv", index=False)
    lines = CliRunner().invoke(app, ["compare", str(results), str(copy)]).output.splitlines()
    told = [line for line in lines if " -> " in line]
    assert told[0].startswith("different: summary: ")
    assert told[1].startswith("on one side only: effects: ")


def test_a_folder_without_results_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"holds no tables/runs.csv; name a folder such as"):
        read_tree(tmp_path)
