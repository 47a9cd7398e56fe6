"""The page: self-contained, escaped, navigable, deterministic, and honest about what it does not have."""

import base64
import hashlib
import json
import re
import shlex
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest

from borderlab.errors import RunError
from borderlab.report import page
from borderlab.report.coverage import coverage
from borderlab.report.drawings import Drawings
from borderlab.report.page import SCALE_TEXTS, ReportExtra, content_security_policy
from borderlab.report.page_tables import padding_table, training_table
from borderlab.report.paper_section import cells_table
from borderlab.report.pictures import Album
from borderlab.report.style import CSS_NAMES, PADDING_COLOURS
from borderlab.report.tabulate import tabulate, write_tables

LOADING = {"src", "srcset", "poster", "data", "action", "formaction", "background", "ping", "manifest"}
VOID = {"meta", "link", "input", "img", "br", "hr"}


class Page(HTMLParser):
    """Everything that the tests ask of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif self.open and self.open[-1] != "style":
            self.words.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="session")
def full_text(full_report) -> str:
    return full_report.page.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def full_page(full_text) -> Page:
    return Page(full_text)


@pytest.mark.slow
def test_differences_come_with_their_interval_over_images(full_text, full_report) -> None:
    row = full_report.tables["effects"].query("measure == 'evaluation' and padding_mode == 'partial'").iloc[0]
    ends = ", ".join(f"{row[name]:+.2f}".replace("-", "−") for name in ("images_low_pct", "images_high_pct"))
    assert f"over images [{ends}]" in full_text


def test_provenance_shows_lock_file_local_changes_and_energy(full_page) -> None:
    text = full_page.text
    assert "with local changes, diff fedcba98" in text
    assert "Lock file (constraints.txt): abcd0123. All installed packages: 1234abcd." in text
    # 1.5 kJ in each of the 9 + 8 runs of seed 0; the others have no counter.
    assert re.search(r"Energy: 25\.5 kJ in 17 of \d+ training jobs, of the counters package-0", text)


def test_every_element_is_closed(full_page) -> None:
    assert full_page.open == []


def test_nothing_is_loaded_from_anywhere(full_page, full_text) -> None:
    for tag, attributes in full_page.elements:
        for name in LOADING & attributes.keys():
            assert attributes[name].startswith("data:image/"), (tag, name)
        if "href" in attributes:
            download = tag == "a" and "download" in attributes
            assert attributes["href"].startswith("data:text/csv" if download else ("#", "data:,")), tag
    assert not re.search(r"@import|url\((?!#)", full_text)


def test_the_policy_forbids_the_network_and_allows_only_our_script(full_page) -> None:
    [policy] = [meta["content"] for meta in full_page.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    [script] = [text for text in full_page.scripts if "use strict" in text]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert policy == content_security_policy(script)
    assert not any(name.startswith("on") for _, attributes in full_page.elements for name in attributes)


def test_ids_are_unique_and_every_local_link_arrives(full_page) -> None:
    ids = full_page.ids
    assert len(ids) == len(set(ids))
    targets = [link["href"][1:] for link in full_page.of("a") if "download" not in link]
    assert {"padding", "training", "distance", "borders", "curves", "cost", "provenance", "reading"} <= set(targets)
    assert set(targets) <= set(ids)
    for _, attributes in full_page.elements:
        for reference in attributes.get("aria-labelledby", "").split():
            assert reference in ids


def test_pictures_have_texts_and_figures_have_labels(full_page) -> None:
    assert full_page.of("img")
    assert all(image["alt"] for image in full_page.of("img"))
    assert all(figure["role"] == "img" and figure["aria-label"] for figure in full_page.of("svg"))


def test_every_figure_carries_the_rows_behind_it(full_page, full_report) -> None:
    links = {link["download"]: link["href"] for link in full_page.of("a") if "download" in link}
    drawn = {path.with_suffix(".csv").name for path in full_report.figures.glob("*.svg")}
    assert links.keys() == drawn
    for name, address in links.items():
        content = base64.b64decode(address.partition("base64,")[2])
        assert content == (full_report.figures / name).read_bytes()
        assert len(content.splitlines()) > 1


def test_figures_and_rows_beyond_the_budget_are_named_and_left_out(full_report, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(page, "Drawings", partial(Drawings, budget_bytes=60_000, rows_budget_bytes=2_000))
    arguments = (full_report.tables, full_report.inputs, full_report.figures)
    page.write_report(*arguments, tmp_path / "report.html", ReportExtra())
    small = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    n_drawn = len(list(full_report.figures.glob("*.svg")))
    n_shown, n_rows = len(small.of("svg")), len([link for link in small.of("a") if "download" in link])
    assert 0 < n_rows < n_shown < n_drawn
    assert f"{n_drawn - n_shown} figures were left out as well" in small.text
    assert f"{n_shown - n_rows} figures come without their data" in small.text
    assert small.text.count("Left out to keep this page small: figure figures/") == n_drawn - n_shown


def test_no_picture_is_carried_that_nothing_shows(full_page, full_text) -> None:
    [stored] = [json.loads(text) for text in full_page.scripts if text.startswith("[")]
    viewers = [
        json.loads(attributes["data-viewer"]) for attributes in full_page.of("figure") if "data-viewer" in attributes
    ]
    used = {
        index for frames in viewers for found in frames.values() for roles in found.values() for index in roles.values()
    }
    assert used == set(range(len(stored)))
    assert len(set(stored)) == len(stored)


def test_viewers_point_into_the_stored_pictures(full_page) -> None:
    [stored] = [json.loads(text) for text in full_page.scripts if text.startswith("[")]
    [viewer] = [attributes for attributes in full_page.of("figure") if "data-viewer" in attributes]
    frames = json.loads(viewer["data-viewer"])
    assert frames.keys() == {"copy", "dis_fast", "dis_medium", "rebuild", "truth"}
    indices = {index for found in frames.values() for roles in found.values() for index in roles.values()}
    assert all(0 <= index < len(stored) for index in indices)
    assert set(frames["copy"]) == {str(step) for step in range(-5, 6) if step}
    [slider] = [attributes for attributes in full_page.of("input") if "data-distances" in attributes]
    assert json.loads(slider["data-distances"]) == [-5, -4, -3, -2, -1, 1, 2, 3, 4, 5]


def test_numeric_columns_sort_by_number(full_text) -> None:
    values = re.findall(r'<td class="number" data-sort="([^"]*)"', full_text)
    assert values
    assert all(value == "" or float(value) == float(value) for value in values)


def test_results_and_their_limits_are_said(full_page) -> None:
    text = full_page.text
    assert SCALE_TEXTS["smoke"] in text
    assert "must not be compared with them" in text
    assert "baseline" in text
    assert "3 pairs, " in text
    assert "optimistic" in text
    assert "6 comparisons with zeros padding: " in text
    assert "with local changes" in text
    assert "The largest gap between the two is 0 points." in text


def test_every_run_has_its_command(full_page, full_report) -> None:
    commands = {attributes["data-copy"] for attributes in full_page.of("button") if "data-copy" in attributes}
    assert {run.rerun_command for run in full_report.inputs.runs} | {"snakemake"} <= commands


@pytest.mark.parametrize("make_table", [padding_table, training_table])
def test_commands_lead_to_the_line_of_their_number(make_table, full_report, tmp_path: Path) -> None:
    write_tables(full_report.tables, tmp_path)
    lines = (tmp_path / "summary.csv").read_text(encoding="utf-8").splitlines()
    shown = make_table(full_report.tables, "config/smoke.yaml")
    place = [column.title for column in shown.columns].index("Final weights")
    for row in shown.rows:
        *_, number, option, config = shlex.split(row[-1].text)
        assert (option, config) == ("--config", "config/smoke.yaml")
        line = lines[int(number.removeprefix("summary:")) - 1]
        assert re.search(rf",evaluation,\d,{row[place].sort:.10g},", line)
        assert f",{row[1].text}," in line


def test_commands_of_probes_motion_models_and_moved_labels_name_a_row_of_their_table(full_text, full_report) -> None:
    for name in ("cross_test", "motion_models", "propagation", "claims"):
        lines = {int(line) for line in re.findall(rf"borderlab rerun {name}:(\d+) --config", full_text)}
        assert lines
        assert lines <= set(range(2, len(full_report.tables[name]) + 2))


def test_published_cells_lead_to_a_configuration_that_plans_them(full_report) -> None:
    cells = full_report.tables["paper_cells"]
    wanted = {"not run": "config/paper.yaml", "measured": "c.yaml"}
    expected = [
        shlex.join(["borderlab", "rerun", cell, "--config", wanted[status]]) if status in wanted else ""
        for cell, status in zip(cells["cell"], cells["status"], strict=True)
    ]
    assert [row[-1].text for row in cells_table(cells, "c.yaml").rows] == expected
    assert 20 < sum(map(bool, expected)) < len(expected)


def test_the_head_says_what_was_run_and_what_was_not(full_report, make_experiment) -> None:
    said = dict(coverage(full_report.tables))
    assert "padding: zeros, reflect, partial;" in said["Trained"]
    untested = said["Not run"].rstrip(".").split(", ")
    assert "learned_over_flownet2" in untested
    assert "partial_gains" not in untested
    n_claims = full_report.tables["claims"]["claim"].nunique()
    n_cells = len(full_report.tables["paper_cells"])
    counts = f"{n_claims - len(untested)} of {n_claims} claims of the papers; 0 of {n_cells} published numbers"
    assert said["Put to the test"].startswith(counts)
    assert coverage(tabulate(make_experiment().inputs)) == []


def test_every_padding_mode_has_its_colour_beside_it(full_text) -> None:
    for mode, colour in PADDING_COLOURS.items():
        assert f".swatch-{mode} {{ background: var({CSS_NAMES[colour]}); }}" in full_text


def test_two_builds_are_equal(full_experiment, full_report, full_text, build_report) -> None:
    extra = ReportExtra(commands={"The whole experiment": "snakemake"}, provenance={"git_commit": "0123"})
    again = page.render(full_report.tables, full_experiment.inputs, full_report.figures, extra)
    assert again == full_text


@pytest.mark.slow
@pytest.mark.parametrize("scale", SCALE_TEXTS)
def test_each_scale_has_its_banner(make_experiment, build_report, tmp_path: Path, scale: str) -> None:
    built = build_report(make_experiment(scale=scale), tmp_path)
    assert SCALE_TEXTS[scale] in Page(built.page.read_text()).text


def test_an_empty_experiment_says_why_each_section_is_empty(make_experiment, build_report, tmp_path: Path) -> None:
    built = build_report(make_experiment(), tmp_path, ReportExtra())
    found = Page(built.page.read_text())
    assert sum(attributes.get("class") == "empty" for attributes in found.of("p")) == 9
    assert "This experiment has no propagation_quality entry" in found.text
    assert "This experiment has no setting that was trained with more than one padding mode." in found.text


def test_provenance_of_the_page_reads_as_text(make_experiment, build_report, tmp_path: Path) -> None:
    extra = ReportExtra(provenance={"git_dirty": False, "versions": {"torch": "2.13.0", "<b>": "1"}})
    text = Page(build_report(make_experiment(), tmp_path, extra).page.read_text()).text
    assert "git_dirty False" in text
    assert "torch 2.13.0; <b> 1" in text


@pytest.mark.slow
def test_one_seed_has_no_spread_and_no_interval(make_experiment, make_spec, build_report, tmp_path: Path) -> None:
    experiment = make_experiment(pictures=False)
    for mode in ("zeros", "partial"):
        experiment.add_run(make_spec(padding_mode=mode), 50.0)
    text = Page(build_report(experiment, tmp_path).page.read_text()).text
    assert "n = 1, no spread" in text
    assert "1 pair, no interval" in text
    assert "1 comparison with zeros padding: 0 of 0 intervals exclude 0; 1 rests on fewer than two pairs" in text
    assert "±" not in re.sub(r"mean ± sd|Bars are ± sd", "", text)


EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&$x$ \u2028"


@pytest.mark.slow
def test_texts_from_data_are_never_markup(make_experiment, make_spec, build_report, tmp_path: Path) -> None:
    experiment = make_experiment(title=EVIL, description=EVIL)
    for mode in ("zeros", EVIL):
        for seed in (0, 1):
            spec = make_spec("streets", backbone=EVIL, padding_mode=mode, seed=seed, train_split=EVIL)
            artifacts = experiment.add_run(spec, 50.0, classes={EVIL: None})
            artifacts.rerun_command = EVIL
            artifacts.studies.append(EVIL)
    score = experiment.add_score("streets", "copy")
    _rename_motion(score.folder / "score.json", EVIL)
    extra = ReportExtra(commands={EVIL: EVIL}, provenance={EVIL: EVIL})
    text = build_report(experiment, tmp_path / "built", extra).page.read_text(encoding="utf-8")
    found = Page(text)
    assert found.open == []
    assert len(found.of("script")) == 2
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert not any(attributes.get("src") == "x" for attributes in found.of("img"))
    assert "<script>alert(1)</script>" in found.text
    assert "<script>alert" not in text


def _rename_motion(path: Path, motion: str) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "motion": motion}))


def test_an_oversized_page_is_refused_and_not_written(full_report, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(page, "MAX_PAGE_BYTES", 1000)
    target = tmp_path / "report.html"
    with pytest.raises(RunError, match=r"report\.html: would hold"):
        page.write_report(full_report.tables, full_report.inputs, full_report.figures, target, ReportExtra())
    assert not target.exists()


def test_pictures_left_out_are_counted(full_report, monkeypatch) -> None:
    monkeypatch.setattr(page, "Album", partial(Album, budget_bytes=60_000))
    text = Page(page.render(full_report.tables, full_report.inputs, full_report.figures, ReportExtra())).text
    [left_out] = re.findall(r"(\d+) more were left out to keep this page small", text)
    assert int(left_out) > 10
