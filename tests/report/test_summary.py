"""The Markdown summary and the nested metrics."""

import json
from pathlib import Path

import pytest

from borderlab.report.page import SCALE_TEXTS
from borderlab.report.summary import metrics, summary_text, write_metrics, write_summary
from borderlab.report.tabulate import tabulate


def test_summary_has_both_tables_and_the_scale(full_report, tmp_path: Path) -> None:
    write_summary(full_report.tables, full_report.inputs, tmp_path / "summary.md")
    text = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert SCALE_TEXTS["smoke"] in text
    sections = {section.split("\n")[0]: section.split("\n") for section in text.split("\n## ")[1:]}
    rows = {name: [line for line in lines if line.startswith("|")] for name, lines in sections.items()}
    n_claims = full_report.tables["claims"]["claim"].nunique()
    assert {name: len(lines) - 2 for name, lines in rows.items()} == {
        "The papers' claims": n_claims,
        "Padding": 9,
        "Propagation in training": 8,
        "Trained motion models": 6,
        "Moved labels against true ones": 50,
        "Weights under other paddings": 24,
    }
    assert all(len({line.count(" | ") for line in lines}) == 1 for lines in rows.values())
    [gains] = [line for line in rows["The papers' claims"] if "on each of five ImageNet networks" in line]
    assert "4 of 5 supported, 1 of 5 inconclusive" in gains


def test_summary_of_an_empty_experiment_says_so(make_experiment) -> None:
    inputs = make_experiment().inputs
    text = summary_text(tabulate(inputs), inputs)
    assert "No setting was trained with more than one padding mode." in text


def test_texts_from_data_are_no_markdown(make_experiment, make_spec) -> None:
    experiment = make_experiment(title="<b>|*x*", pictures=False)
    for mode in ("zeros", "a|b"):
        experiment.add_run(make_spec(padding_mode=mode), 50.0)
    text = summary_text(tabulate(experiment.inputs), experiment.inputs)
    assert text.startswith(r"# \<b\>\|\*x\*")
    assert r"| a\|b |" in text


def test_metrics_are_means_by_data_set_and_setting(make_experiment, make_spec, tmp_path: Path) -> None:
    experiment = make_experiment(pictures=False)
    for seed, value in ((0, 50.0), (1, 51.0)):
        experiment.add_run(make_spec(padding_mode="zeros", seed=seed), value)
        experiment.add_run(make_spec(padding_mode="partial", seed=seed), value + 2)
    experiment.add_run(make_spec("digits"), 90.0)
    tables = tabulate(experiment.inputs)
    write_metrics(tables, tmp_path / "metrics.json")
    assert json.loads((tmp_path / "metrics.json").read_text()) == {
        "digits": {"resnet18": {"top1_pct": 90.0, "n_seeds": 1}},
        "streets": {
            "partial": {"miou_pct": 52.5, "n_seeds": 2},
            "zeros": {"miou_pct": 50.5, "n_seeds": 2},
        },
    }


def test_no_two_settings_share_a_name_in_metrics(full_report) -> None:
    found = metrics(full_report.tables)
    n_settings = (full_report.tables["summary"]["measure"] == "evaluation").sum()
    assert sum(len(settings) for settings in found.values()) == n_settings


@pytest.mark.parametrize("dataset", ["digits", "streets"])
def test_metrics_of_the_full_experiment_are_in_percent(full_report, dataset: str) -> None:
    for values in metrics(full_report.tables)[dataset].values():
        [metric] = values.keys() - {"n_seeds"}
        assert 0 < values[metric] <= 100
