"""Files of papers: what is read, and one line for what is wrong."""

from pathlib import Path

import pandas as pd
import pytest
from tests.papers.conftest import CELLS, CLAIM, TABLE
from tests.report.conftest import run_spec

from borderlab.config.loading import load_config
from borderlab.errors import ConfigError
from borderlab.papers.conventions import printed_convention, standard_deviation
from borderlab.papers.files import paper_digests
from borderlab.papers.loading import load_papers
from borderlab.papers.selection import cases_of, selected
from borderlab.plan import make_plan
from borderlab.report.rows import factor_values
from borderlab.spec import PropagationSpec


def test_every_paper_of_the_repository_loads(papers) -> None:
    assert set(papers) == {"liu2018", "zhu2019"}
    assert all(paper.claims and paper.tables for paper in papers.values())


def test_ways_of_moving_samples_are_held_equal_and_labels_tell_cases_apart(papers) -> None:
    (claim,) = [claim for claim in papers["zhu2019"].claims if claim.id == "joint_over_label"]
    ways = [("recursive", ()), ("accumulated", ()), ("recursive", ("farthest_only",))]
    specs = [
        run_spec(propagation=PropagationSpec(kind=kind, method=method, reference=choices))
        for kind in ("joint", "label")
        for method, choices in ways
    ]
    frame = pd.DataFrame([{"seed": 0, "run": str(index), **factor_values(spec)} for index, spec in enumerate(specs)])
    cases = cases_of(frame, claim)
    found = [(case.left["run"].item(), case.right["run"].item()) for case in cases]
    assert sorted(found) == [("0", "3"), ("1", "4"), ("2", "5")]
    assert len({case.label for case in cases}) == len(ways)
    # A claim that leaves the way free has every pair, and still a label for each.
    free = claim.model_copy(update={"free": ["propagation", "propagation_method", "reference_choices"]})
    assert len({case.label for case in cases_of(frame, free)}) == len(ways) ** 2


def test_unseen_values_are_empty_and_seen_ones_have_a_source(papers) -> None:
    cells = [cell for paper in papers.values() for table in paper.tables for cell in table.cells]
    assert sum(cell.published is None for cell in cells) > 20
    for cell in cells:
        assert (cell.published is None) == (cell.verified == "no")
        assert cell.published is None or cell.source


def test_configurations_and_studies_that_cells_name_exist(papers, repository: Path) -> None:
    for paper in papers.values():
        for table in paper.tables:
            config = load_config(repository / table.spec.config)
            assert not table.spec.study or table.spec.study in [study.name for study in config.studies]


def test_the_configuration_plans_the_runs_of_every_cell_that_has_any(papers, repository: Path) -> None:
    plan = make_plan(load_config(repository / "config" / "paper.yaml"))
    planned = pd.DataFrame([factor_values(run.spec) for run in plan.runs.values()])
    missing = {
        cell.row
        for paper in papers.values()
        for table in paper.tables
        for cell in table.cells
        if table.spec.results == "runs" and (selector := table.selector(cell)) and selected(planned, selector).empty
    }
    assert missing == {"FlowNet2 + JP"}


def test_the_published_deviations_mix_two_conventions(papers) -> None:
    cells = [cell for cell in papers["liu2018"].table_by_name["imagenet_top1"].cells if cell.runs]
    found = {cell.column: set() for cell in cells}
    for cell in cells:
        found[cell.column].add(printed_convention(cell.runs, cell.spread))
    assert found == {"zero": {"n + 1"}, "partial": {"n + 1"}, "reflect": {"n - 1"}, "replicate": {"n - 1"}}


def test_deviations_by_hand(write_paper) -> None:
    (cell, _, _) = load_papers(write_paper())[0].tables[0].cells
    assert standard_deviation(cell.runs, "n - 1") == pytest.approx(1.0)
    assert standard_deviation(cell.runs, "n + 1") == pytest.approx(0.5**0.5)
    assert printed_convention(cell.runs, cell.spread) == "n"


def test_a_folder_without_papers_has_none(tmp_path: Path) -> None:
    assert load_papers(tmp_path / "nowhere") == []


def test_a_filled_in_cell_changes_the_digests(write_paper) -> None:
    before = paper_digests(write_paper())
    after = paper_digests(
        write_paper(cells=CELLS.replace("large,zero,top1_pct,,,,,no,", "large,zero,top1_pct,60,,,,primary,me"))
    )
    assert {name for name in before if before[name] != after[name]} == {"third/main.csv"}


@pytest.mark.parametrize("name", ["main.csv", "main.yaml"])
def test_another_encoding_is_one_line(write_paper, name: str) -> None:
    folder = write_paper()
    [path] = folder.glob(f"*/{name}")
    path.write_bytes(path.read_bytes() + "# é\n".encode("cp1252"))
    with pytest.raises(ConfigError, match=rf"{name}: is not UTF-8 \(byte \d+\); save it as UTF-8"):
        load_papers(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cells": CELLS.replace("row,column", "line,column")}, "main.csv: the first line must be row,column,metric"),
        ({"cells": CELLS.replace("primary,page 5,\nsmall", "primary,,\nsmall")}, "line 2: a value needs its source"),
        ({"cells": CELLS.replace("50.0,0.82", ",0.82")}, "line 2: a value needs verified"),
        ({"cells": CELLS.replace("50.0,0.82", "50.3,0.82")}, "line 2: the mean of runs is 50.0000"),
        ({"cells": CELLS.replace("50.0,0.82", "fifty,0.82")}, "line 2: published: "),
        ({"cells": CELLS.replace(",3,49.0", ",4,49.0")}, "line 2: n is 4, but runs holds 3"),
        ({"cells": CELLS.replace("large,zero", "small,zero")}, "row 'small', column 'zero' stands there twice"),
        ({"cells": CELLS.replace("large,zero", "huge,zero")}, "main.yaml: rows: has no 'huge'"),
        ({"cells": CELLS + "large,other\n"}, "line 5: must hold 10 values"),
        (
            {"table": TABLE.replace("backbone: resnet50", "backbon: resnet50")},
            "'backbon' is no column of results table",
        ),
        (
            {"table": TABLE.replace("select: {dataset: digits}", "select: {metric: top1_pct}")},
            "main.yaml: 'metric' is known after runs only; cells select by run, seed, dataset, ",
        ),
        ({"table": TABLE + "meassure: best\n"}, "main.yaml: meassure: "),
        ({"table": "title: [\n"}, "main.yaml: is not YAML"),
        ({"claims": CLAIM.replace("kind: gain", "kind: again")}, "claims.yaml: 0.kind: "),
        ({"claims": CLAIM + CLAIM}, "other_gains: stands there twice"),
        ({"claims": CLAIM.replace("table: main", "table: mian")}, "no table 'mian'; this paper has main"),
        ({"claims": CLAIM.replace("right: zero", "right: none")}, "table main has no column 'none'"),
        ({"claims": CLAIM.replace("margin_points: 0.5", "margin_points: 0")}, "margin_points: "),
        ({"info": "{title: Made up}"}, "paper.yaml: authors: field required"),
    ],
)
def test_what_is_wrong_is_one_line(write_paper, changes: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as fault:
        load_papers(write_paper(**changes))
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)
