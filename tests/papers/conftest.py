"""The papers of this repository, and a small made-up one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from borderlab.papers.loading import load_papers
from borderlab.papers.schema import Paper

CELLS = """row,column,metric,published,spread,n,runs,verified,source,note
small,zero,top1_pct,50.0,0.82,3,49.0; 50.0; 51.0,primary,page 5,
small,other,top1_pct,53.0,,3,52.5; 53.0; 53.5,primary,page 5,
large,zero,top1_pct,,,,,no,,
"""
TABLE = """
title: Made up
place: Table 1
config: config/smoke.yaml
select: {dataset: digits}
rows: {small: {backbone: resnet18}, large: {backbone: resnet50}}
columns: {zero: {padding_mode: zeros}, other: {padding_mode: partial}}
"""
CLAIM = """
- id: other_gains
  text: The other one is better.
  place: page 5
  verified: primary
  kind: gain
  margin_points: 0.5
  where: {task: classification}
  left: {padding_mode: partial}
  right: {padding_mode: zeros}
  paper_setting: {backbone: resnet18}
  published: {table: main, axis: column, left: other, right: zero}
"""
INFO = "{title: Made up, authors: Nobody, year: 2030}"


@pytest.fixture(scope="session")
def papers(repository: Path) -> dict[str, Paper]:
    """The papers of this repository by name."""
    return {paper.name: paper for paper in load_papers(repository / "papers")}


@pytest.fixture
def write_paper(tmp_path: Path) -> Callable[..., Path]:
    """A maker of a made-up paper's folder; texts may replace its files'. Returns the folder of papers."""

    def write(cells: str = CELLS, table: str = TABLE, claims: str = CLAIM, info: str = INFO) -> Path:
        folder = tmp_path / "papers" / "third"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in {"main.csv": cells, "main.yaml": table, "claims.yaml": claims, "paper.yaml": info}.items():
            (folder / name).write_text(text)
        return folder.parent

    return write
