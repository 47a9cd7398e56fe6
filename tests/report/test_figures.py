"""Figures: which are drawn, that they are deterministic, and that their texts and colours are safe to embed."""

import re
import xml.etree.ElementTree as ElementTree
from importlib.resources import files
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest

from borderlab.report.figures import write_figures
from borderlab.report.figures.rings import ring_differences, ring_label
from borderlab.report.settings import slug, unique_slugs
from borderlab.report.style import CSS_NAMES, PADDING_COLOURS, PADDING_MARKERS, figure_style
from borderlab.report.svg import inline_svg
from borderlab.report.tabulate import tabulate

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def small_experiment(make_experiment, make_spec):
    """Two padding modes, two seeds, one motion model."""
    experiment = make_experiment(pictures=False)
    for seed in (0, 1):
        for mode, value in (("zeros", 50.0), ("partial", 51.0)):
            experiment.add_run(make_spec("streets", padding_mode=mode, seed=seed), value + seed)
    experiment.add_score("streets", "copy")
    return experiment


def texts(path: Path) -> set[str]:
    return {element.text or "" for element in ElementTree.parse(path).iter(f"{SVG}text")}


def test_each_question_has_a_figure_for_each_data_set_that_can_answer_it(full_report) -> None:
    names = {path.name for path in full_report.figures.glob("*.svg")}
    both = {f"{kind}-{dataset}.svg" for kind in ("padding", "padding-difference", "curves", "cost")
            for dataset in ("digits", "streets")}  # fmt: skip
    probes = {f"{kind}-{probe}.svg" for kind in ("cross-test", "ring-profile", "position-leak", "shift")
              for probe in ("trained-resnet18-random", "pretrained-tf-efficientnet-lite0-wheel")}  # fmt: skip
    single = {"training-streets.svg", "rings-streets.svg", "distance-streets-val.svg", "motion-streets.svg"}
    assert names == both | probes | single


@pytest.mark.slow
def test_equal_tables_give_equal_bytes_whatever_the_users_style(small_experiment, tmp_path: Path) -> None:
    tables = tabulate(small_experiment.inputs)
    first = write_figures(tables, tmp_path / "first")
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.grid": False}):
        second = write_figures(tables, tmp_path / "second")
        assert mpl.rcParams["font.size"] == 30
    assert len(first) == 6
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert not any(b"<dc:date>" in path.read_bytes() for path in first)


def test_an_empty_experiment_has_no_figures(make_experiment, tmp_path: Path) -> None:
    assert write_figures(tabulate(make_experiment().inputs), tmp_path) == []


@pytest.mark.slow
def test_names_are_texts_and_no_formulas(make_experiment, make_spec, tmp_path: Path) -> None:
    experiment = make_experiment(pictures=False)
    name = r"<script>alert('$x^2$')</script>"
    experiment.add_run(make_spec("digits", backbone=name, padding_mode="zeros"), 50.0)
    experiment.add_run(make_spec("digits", backbone=name, padding_mode="<b>"), 51.0)
    paths = write_figures(tabulate(experiment.inputs), tmp_path)
    [values] = [path for path in paths if path.name == "padding-digits.svg"]
    assert {name, "<b>"} <= texts(values)
    assert "<script" not in inline_svg(values, "x", "label")


def test_padding_modes_differ_in_colour_and_in_marker() -> None:
    assert len(set(PADDING_COLOURS.values())) == len(PADDING_COLOURS)
    assert len(set(PADDING_MARKERS.values())) == len(PADDING_COLOURS)
    assert PADDING_COLOURS.keys() == PADDING_MARKERS.keys()


def test_every_colour_of_a_figure_is_a_variable_that_the_page_defines(full_report) -> None:
    css = files("borderlab.report").joinpath("templates/report.css").read_text()
    for path in full_report.figures.glob("*.svg"):
        inlined = inline_svg(path, "x", "label")
        assert set(re.findall(r"#[0-9a-f]{6}\b", inlined)) == set()
        assert all(f"{name}:" in css for name in re.findall(r"var\((--[\w-]+)\)", inlined))
    assert all(f"{name}:" in css for name in CSS_NAMES.values())


def test_inlined_figures_share_no_ids_and_bring_no_style_sheet(full_report) -> None:
    path = full_report.figures / "rings-streets.svg"
    one, other = (inline_svg(path, prefix, 'a "label" & more') for prefix in ("one", "other"))
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (one, other)]
    assert ids[0]
    assert ids[0].isdisjoint(ids[1])
    used = set(re.findall(r'href="#([^"]+)"', one)) | set(re.findall(r"url\(#([^)]+)\)", one))
    assert used
    assert used <= ids[0]
    assert "<style" not in one
    assert "<metadata" not in one
    assert 'aria-label="a &quot;label&quot; &amp; more"' in one


def test_differences_in_rings_pair_seeds() -> None:
    rows = [(0, 4, "zeros", 0, 10.0), (0, 4, "zeros", 1, 20.0), (0, 4, "partial", 1, 23.0), (0, 4, "partial", 2, 99.0)]
    rows += [(4, None, "zeros", 1, 30.0), (4, None, "partial", 1, 30.5)]
    table = pd.DataFrame(rows, columns=["from_px", "to_px", "padding_mode", "seed", "value_pct"]).astype(
        {"to_px": "Int64"}
    )
    found = ring_differences(table)
    assert found[["from_px", "seed", "difference_pct"]].to_numpy().tolist() == [[0, 1, 3.0], [4, 1, 0.5]]


def test_ring_labels() -> None:
    assert (ring_label(0, 4), ring_label(32, None), ring_label(32, pd.NA)) == ("0–4", "32+", "32+")


def test_the_style_leaves_no_trace() -> None:
    before = dict(mpl.rcParams)
    with figure_style():
        assert mpl.rcParams["svg.hashsalt"] == "borderlab"
    assert dict(mpl.rcParams) == before


def test_slugs_are_safe_and_unique() -> None:
    assert slug("Kitti Fold/0", "val") == "kitti-fold-0-val"
    assert slug("../..") == "x"
    assert unique_slugs(["a b", "a/b", "c"]) == {"a b": "a-b", "a/b": "a-b_2", "c": "c"}


def test_rows_beside_a_figure_are_those_that_it_shows(full_report) -> None:
    effects = full_report.tables["effects"]
    own = effects[(effects["factor"] == "padding_mode") & (effects["measure"] == "evaluation")]
    own = own[own["dataset"] == "streets"]
    rows = pd.read_csv(full_report.figures / "padding-difference-streets.csv")
    assert sorted(rows["difference_pct"]) == pytest.approx(sorted(own["difference_pct"]))
    rings = pd.read_csv(full_report.figures / "rings-streets.csv")
    zeros = rings[rings["padding_mode"] == "zeros"]
    assert zeros["difference_pct"].isna().all()
    assert rings[rings["padding_mode"] == "partial"]["difference_pct"].notna().any()
