"""Paired effects in whole tables: which runs are paired, and with what result."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from borderlab.errors import RunError
from borderlab.evaluation.image_counts import IMAGES_FILE, read_image_counts, write_image_counts
from borderlab.report.tabulate import tabulate
from borderlab.spec import KeyframesSpec, LossSpec, PropagationSpec
from borderlab.statistics.bootstrap import image_bootstrap, miou_pct


def final(table: pd.DataFrame, **wanted: Any) -> "pd.Series[Any]":
    """The one row for the final evaluation that has the wanted values."""
    rows = table[table["measure"] == "evaluation"]
    for name, value in wanted.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.fixture
def add_seeds(make_experiment, make_spec):
    """An experiment with results of each padding mode by seed."""

    def add(results: dict[str, dict[int, float]], **changes: Any):
        experiment = make_experiment(pictures=False)
        for mode, by_seed in results.items():
            for seed, value in by_seed.items():
                experiment.add_run(make_spec(padding_mode=mode, seed=seed, **changes), value)
        return experiment

    return add


def test_difference_to_zeros_equals_scipys_paired_test(add_seeds) -> None:
    zeros, partial = {0: 50.0, 1: 52.5, 2: 51.0}, {0: 50.4, 1: 53.3, 2: 51.1}
    tables = tabulate(add_seeds({"zeros": zeros, "partial": partial}).inputs)
    expected = stats.ttest_rel(list(partial.values()), list(zeros.values())).confidence_interval(0.95)
    for table in (tables["summary"], tables["effects"]):
        row = final(table, padding_mode="partial")
        assert row["n_pairs"] == 3
        assert row["difference_pct"] == pytest.approx(1.3 / 3)
        assert row["difference_low_pct"] == pytest.approx(expected.low)
        assert row["difference_high_pct"] == pytest.approx(expected.high)
        size = TTestPower().solve_power(nobs=3, alpha=0.05, power=0.8)
        assert row["detectable_pct"] == pytest.approx(size * np.std([0.4, 0.8, 0.1], ddof=1), rel=1e-4)


def test_p_values_are_scipys_and_corrected_over_the_modes_of_a_setting(add_seeds) -> None:
    results = {
        "zeros": {0: 50.0, 1: 52.5, 2: 51.0},
        "partial": {0: 50.4, 1: 53.3, 2: 51.1},
        "reflect": {0: 48.0, 1: 51.0, 2: 49.2},
        "circular": {0: 51.0, 1: 53.5, 2: 52.0},
    }
    effects = tabulate(add_seeds(results).inputs)["effects"]
    own = effects[(effects["factor"] == "padding_mode") & (effects["measure"] == "last")].set_index("padding_mode")
    zeros = list(results["zeros"].values())
    expected = {mode: stats.ttest_rel(list(results[mode].values()), zeros).pvalue for mode in ("partial", "reflect")}
    for mode, found in expected.items():
        assert own.loc[mode, "p_value"] == pytest.approx(found)
    corrected = multipletests([expected["partial"], expected["reflect"]], method="holm")[1]
    assert own.loc[["partial", "reflect"], "p_holm"].tolist() == pytest.approx(corrected.tolist())
    # The same difference in each pair: nothing to judge by, and no test that others are corrected for.
    assert own.loc["circular", ["p_value", "p_holm"]].isna().all()


def test_rings_have_paired_differences_of_their_own(add_seeds) -> None:
    zeros, partial = {0: 50.0, 1: 52.5, 2: 51.0}, {0: 50.4, 1: 53.3, 2: 51.1}
    tables = tabulate(add_seeds({"zeros": zeros, "partial": partial}).inputs)
    rings, effects = tables["rings"], tables["ring_effects"].set_index("from_px")
    assert effects["padding_mode"].tolist() == ["partial"] * rings["from_px"].nunique()
    p_values = []
    for start, ring in rings.groupby("from_px"):
        sides = [ring[ring["padding_mode"] == mode].sort_values("seed")["value_pct"] for mode in ("partial", "zeros")]
        expected = stats.ttest_rel(*map(np.array, sides))
        row = effects.loc[start]
        assert row["difference_pct"] == pytest.approx(np.mean(np.array(sides[0]) - np.array(sides[1])))
        ends = expected.confidence_interval(0.95)
        assert (row["difference_low_pct"], row["difference_high_pct"]) == pytest.approx((ends.low, ends.high))
        assert row["p_value"] == pytest.approx(expected.pvalue)
        p_values.append(expected.pvalue)
    assert effects["p_holm"].tolist() == pytest.approx(multipletests(p_values, method="holm")[1].tolist())


def test_only_seeds_that_both_sides_have_are_paired(add_seeds) -> None:
    tables = tabulate(add_seeds({"zeros": {0: 50.0, 1: 60.0, 5: 90.0}, "reflect": {1: 61.0, 0: 52.0, 7: 1.0}}).inputs)
    row = final(tables["summary"], padding_mode="reflect")
    assert (row["n_seeds"], row["n_pairs"]) == (3, 2)
    assert row["difference_pct"] == pytest.approx(1.5)


def test_without_common_seeds_there_is_no_difference(add_seeds) -> None:
    row = final(
        tabulate(add_seeds({"zeros": {0: 50.0}, "reflect": {1: 61.0}}).inputs)["summary"], padding_mode="reflect"
    )
    assert row["n_pairs"] == 0
    assert math.isnan(row["difference_pct"])


def test_one_seed_has_a_difference_and_neither_spread_nor_interval(add_seeds) -> None:
    row = final(
        tabulate(add_seeds({"zeros": {0: 50.0}, "partial": {0: 50.5}}).inputs)["summary"], padding_mode="partial"
    )
    assert row["difference_pct"] == pytest.approx(0.5)
    assert math.isnan(row["sd_pct"])
    assert math.isnan(row["difference_low_pct"])


def test_zeros_and_settings_without_zeros_have_no_difference(add_seeds) -> None:
    tables = tabulate(add_seeds({"reflect": {0: 50.0}, "partial": {0: 50.5}}).inputs)
    assert tables["summary"]["difference_pct"].isna().all()
    assert tables["effects"].empty


def test_runs_of_different_recipes_are_never_paired(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    other = make_spec().recipe.model_copy(update={"weight_decay": 0.5})
    experiment.add_run(make_spec(padding_mode="zeros"), 50.0)
    experiment.add_run(make_spec(padding_mode="partial", recipe=other), 51.0)
    tables = tabulate(experiment.inputs)
    assert tables["effects"].empty
    assert len(set(tables["runs"]["recipe"])) == 2


def test_propagation_is_paired_at_equal_loss_and_loss_at_equal_samples(make_experiment, make_spec) -> None:
    experiment = make_experiment(pictures=False)
    keyframes, label = KeyframesSpec(), PropagationSpec(kind="label", max_distance=3)
    relaxed = LossSpec(name="relaxed")
    for seed in (0, 1):
        for propagation, loss, value in (
            (None, LossSpec(), 50.0),
            (None, relaxed, 53.0),
            (label, LossSpec(), 57.0),
            (label, relaxed, 64.0),
        ):
            spec = make_spec(keyframes=keyframes, propagation=propagation, loss=loss, seed=seed)
            experiment.add_run(spec, value + seed)
    effects = tabulate(experiment.inputs)["effects"]
    found = {
        (factor, loss, moved): final(effects, factor=factor, loss=loss, propagation=moved)["difference_pct"]
        for factor, loss, moved in (
            ("propagation", "cross_entropy", "label ±3 dis_medium"),
            ("propagation", "relaxed 1 px", "label ±3 dis_medium"),
            ("loss", "relaxed 1 px", "none"),
            ("loss", "relaxed 1 px", "label ±3 dis_medium"),
        )
    }
    assert list(found.values()) == pytest.approx([7.0, 11.0, 3.0, 7.0])
    assert (effects["measure"] == "evaluation").sum() == len(found)


def test_intervals_over_images_pair_the_counts_of_the_same_seeds(add_seeds) -> None:
    experiment = add_seeds({"zeros": {0: 50.0, 1: 52.5, 5: 10.0}, "partial": {1: 53.3, 0: 50.4}})
    counts = {
        (run.name.split("-")[1], run.name.split("-")[2]): read_image_counts(run.evaluation_folder / IMAGES_FILE)[0]
        for run in experiment.runs
    }
    left, right = (np.stack([counts[mode, seed] for seed in ("seed0", "seed1")]) for mode in ("partial", "zeros"))
    expected = image_bootstrap(left, right, miou_pct)
    assert expected[0] < expected[1]
    tables = tabulate(experiment.inputs)
    for table in (tables["summary"], tables["effects"]):
        row = final(table, padding_mode="partial")
        assert (row["images_low_pct"], row["images_high_pct"]) == pytest.approx(expected)
    others = tables["effects"][tables["effects"]["measure"] != "evaluation"]
    assert others["images_low_pct"].isna().all()


def test_counts_of_other_images_are_no_pair(add_seeds) -> None:
    experiment = add_seeds({"zeros": {0: 50.0}, "partial": {0: 50.4}})
    path = experiment.runs[1].evaluation_folder / IMAGES_FILE
    counts, recordings = read_image_counts(path)
    write_image_counts(path, counts[:-1], recordings[:-1])
    with pytest.raises(RunError, match="other images"):
        tabulate(experiment.inputs)


def test_frames_of_one_recording_are_drawn_together(add_seeds) -> None:
    """Copies of the same frames bring no certainty; fewer than five recordings bring no interval."""
    ends = {}
    for name, n_copies, n_recordings in (("frames", 1, 33), ("copies", 10, 33), ("clips", 1, 5), ("few", 1, 4)):
        experiment = add_seeds({"zeros": {0: 50.0}, "partial": {0: 50.4}})
        for run in experiment.runs:
            path = run.evaluation_folder / IMAGES_FILE
            counts, recordings = read_image_counts(path)
            write_image_counts(path, counts.repeat(n_copies, axis=0), recordings.repeat(n_copies) % n_recordings)
        row = final(tabulate(experiment.inputs)["effects"], padding_mode="partial")
        ends[name] = row["images_low_pct"], row["images_high_pct"]
    assert ends["copies"] == pytest.approx(ends["frames"])
    assert ends["clips"][0] < ends["clips"][1]
    assert all(math.isnan(end) for end in ends["few"])
