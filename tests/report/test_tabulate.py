"""Tables from artifacts: content, schemas, files, and faults of the artifacts."""

import json
from pathlib import Path

import pandas as pd
import pandera.errors
import pytest

from borderlab.copies import keep_copies
from borderlab.errors import DataError, RunError
from borderlab.explanation import write_identity
from borderlab.identity import Identity
from borderlab.report.names import TABLES
from borderlab.report.schemas import SCHEMAS, dictionary_text
from borderlab.report.tabulate import read_tables, tabulate, write_tables
from borderlab.spec import KeyframesSpec, LossSpec, PropagationSpec


@pytest.mark.slow
def test_every_table_of_the_full_experiment_has_rows_and_passes_its_schema(full_report) -> None:
    assert tuple(full_report.tables) == TABLES
    for name, table in full_report.tables.items():
        assert len(SCHEMAS[name].validate(table)) > 0, name


def test_row_counts_follow_from_the_artifacts(full_report) -> None:
    counts = {name: len(table) for name, table in full_report.tables.items()}
    runs, segmentation = 3 * 9 + 16, 2 * 9 + 16
    assert counts["runs"] == runs
    assert counts["curves"] == runs * 10
    assert counts["classes"] == runs * 6
    assert counts["rings"] == segmentation * 6
    assert counts["summary"] == (3 * 3 + 8) * 3
    assert counts["propagation"] == 5 * 10
    assert counts["propagation_classes"] == 5 * 10 * 6
    assert counts["motion_models"] == 2 * 3
    assert counts["motion_curves"] == 2 * 4


@pytest.mark.slow
def test_an_experiment_without_anything_has_empty_tables_that_pass(make_experiment, tmp_path: Path) -> None:
    tables = tabulate(make_experiment().inputs)
    assert all(table.empty for table in tables.values())
    write_tables(tables, tmp_path)
    pd.testing.assert_frame_equal(read_tables(tmp_path)["runs"], tables["runs"], check_index_type=False)


def test_a_run_is_one_row_with_its_factors_and_results(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    spec = make_spec(
        padding_mode="partial",
        seed=7,
        keyframes=KeyframesSpec(stride=11, offset=5),
        propagation=PropagationSpec(kind="joint", motion="dis_fast", max_distance=3, void_occluded=False),
        loss=LossSpec(name="relaxed", relax_radius_px=2, relax_until=0.6),
    )
    artifacts = experiment.add_run(spec, 61.25)
    [row] = tabulate(experiment.inputs)["runs"].to_dict("records")
    expected = {
        "run": artifacts.name,
        "studies": "propagation",
        "dataset": "streets",
        "task": "segmentation",
        "padding_mode": "partial",
        "keyframes": "every 11 frames from 5",
        "propagation": "joint ±3 dis_fast, occluded kept",
        "propagation_kind": "joint",
        "motion": "dis_fast",
        "max_distance": 3,
        "void_occluded": False,
        "loss": "relaxed 2 px until 60%",
        "relax_radius_px": 2,
        "seed": 7,
        "metric": "miou_pct",
        "last_pct": 61.25,
        "best_pct": 61.45,
        "best_epoch": 8,
        "evaluation_pct": 61.25,
        "git_dirty": False,
        "left_padding": "maxpool; pool",
        "versions": "python 3.11.2; borderlab 0.1.0; torch 2.13.0",
        "rerun_command": artifacts.rerun_command,
    }
    assert {name: row[name] for name in expected} == expected


def test_seeds_of_a_chain_are_one_setting(make_experiment, make_spec) -> None:
    """Each seed starts from a run of its own; only what that was trained on is a factor."""
    experiment = make_experiment(pictures=False)
    for seed in range(3):
        start = f"mapillary/resnet18-zeros-seed{seed}-0123abc{seed}"
        experiment.add_run(make_spec(start_from=start, seed=seed), 60.0 + seed)
    tables = tabulate(experiment.inputs)
    assert set(tables["runs"]["weights"]) == {"trained on mapillary"}
    assert set(tables["summary"]["n_seeds"]) == {3}


def test_two_runs_that_the_tables_cannot_tell_apart_are_refused(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    for start in ("mapillary/resnet18-zeros-seed0-aaaaaaaa", "mapillary/resnet18-zeros-seed0-bbbbbbbb"):
        experiment.add_run(make_spec(start_from=start), 60.0)
    with pytest.raises(RunError, match="agree in every factor of the tables and in the seed"):
        tabulate(experiment.inputs)


def test_true_labels_follow_no_motion(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    true = PropagationSpec(kind="true", max_distance=2)
    experiment.add_run(make_spec(keyframes=KeyframesSpec(), propagation=true), 60.0)
    row = tabulate(experiment.inputs)["runs"].iloc[0]
    assert (row["propagation"], row["motion"]) == ("true ±2", "")
    assert pd.isna(row["void_occluded"])


def test_unvalidated_epochs_and_absent_classes_stay_empty(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    experiment.add_run(make_spec(), 60.0, classes={"road": 60.0, "NA": None, "null": 12.5})
    tables = tabulate(experiment.inputs)
    assert tables["curves"]["metric_pct"].isna().tolist() == [epoch % 2 == 1 for epoch in range(1, 11)]
    classes = tables["classes"].set_index("class_name")["value_pct"]
    assert classes.isna().to_dict() == {"NA": True, "null": False, "road": False}


@pytest.mark.slow
def test_tables_survive_their_files(make_experiment, make_spec, tmp_path: Path) -> None:
    experiment = make_experiment(pictures=False)
    experiment.add_run(make_spec(), 60.0, classes={"NA": None, "null": 12.5, 'a "b", c': 1 / 3})
    experiment.add_run(make_spec("digits"), 90.0)
    experiment.add_score("streets", "truth", void_occluded=False)
    tables = tabulate(experiment.inputs)
    write_tables(tables, tmp_path)
    for name, table in read_tables(tmp_path).items():
        pd.testing.assert_frame_equal(table, tables[name], rtol=1e-9)


@pytest.mark.slow
def test_equal_artifacts_give_equal_bytes_in_any_order(full_experiment, tmp_path: Path) -> None:
    inputs = full_experiment.inputs
    turned = inputs.model_copy(update={"runs": inputs.runs[::-1], "scores": inputs.scores[::-1]})
    first = write_tables(tabulate(inputs), tmp_path / "first")
    second = write_tables(tabulate(turned), tmp_path / "second")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert b"\r" not in first[0].read_bytes()


def test_a_missing_artifact_is_named(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    artifacts = experiment.add_run(make_spec(), 60.0)
    (artifacts.evaluation_folder / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"metrics\.json: is missing; run the experiment's workflow"):
        tabulate(experiment.inputs)


def test_a_wrong_artifact_is_named_with_its_key(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    artifacts = experiment.add_run(make_spec(), 60.0)
    path = artifacts.folder / "training.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "best_epoch": "soon"}))
    with pytest.raises(RunError, match=r"training\.json: best_epoch: .*make it again") as caught:
        tabulate(experiment.inputs)
    assert "\n" not in str(caught.value)


def test_a_curve_without_a_column_is_named(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    artifacts = experiment.add_run(make_spec(), 60.0)
    (artifacts.folder / "curve.csv").write_text("epoch,step\n1,2\n")
    with pytest.raises(RunError, match=r"curve\.csv: has no column 'lr'"):
        tabulate(experiment.inputs)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"runs\.csv: is missing; tabulate"):
        read_tables(tmp_path)


def test_one_run_twice_is_refused(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    experiment.runs.append(experiment.add_run(make_spec(), 60.0))
    with pytest.raises(pandera.errors.SchemaError, match="run"):
        tabulate(experiment.inputs)


def test_impossible_percentages_are_refused(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    experiment.add_run(make_spec(), 100.5, classes={"road": 50.0})
    with pytest.raises(pandera.errors.SchemaError, match="in_range"):
        tabulate(experiment.inputs)


def test_the_data_dictionary_is_in_step_and_complete(repository: Path) -> None:
    text = (repository / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    assert text == dictionary_text(), "run `python -m borderlab.report.dictionary docs/data_dictionary.md`"
    assert all(column.description for schema in SCHEMAS.values() for column in schema.columns.values())


def test_trainings_on_different_copies_of_a_data_set_make_no_table(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    runs = [experiment.add_run(make_spec(seed=seed), 60.0) for seed in range(3)]
    made = Identity({}, {}, {})
    # A run from before copies were told does not say.
    write_identity(made, runs[1].folder, {"streets.train": "a" * 64, "streets.val": "b" * 64})
    write_identity(made, runs[2].folder, {"streets.train": "a" * 64})
    assert len(tabulate(experiment.inputs)["runs"]) == 3
    write_identity(made, runs[2].folder, {"streets.train": "c" * 64})
    with pytest.raises(RunError, match=r"run2: was made from another copy of streets\.train than [^\n]*run1"):
        tabulate(experiment.inputs)


def test_an_evaluation_or_a_score_of_another_copy_makes_no_table(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    run = experiment.add_run(make_spec(), 60.0)
    experiment.add_score("streets", "dis_fast")
    [score] = experiment.inputs.scores
    write_identity(Identity({}, {}, {}), run.folder, {"streets.val": "a" * 64})
    keep_copies(run.evaluation_folder, {"streets.val": "a" * 64})
    keep_copies(score.folder, {})
    assert not (score.folder / "data.json").exists()
    tabulate(experiment.inputs)
    keep_copies(score.folder, {"streets.val": "c" * 64})
    with pytest.raises(RunError, match=r"was made from another copy of streets\.val than"):
        tabulate(experiment.inputs)
    (score.folder / "data.json").write_text("[1")
    with pytest.raises(DataError, match=r"data\.json: cannot be read .*; delete .* and run again"):
        tabulate(experiment.inputs)
