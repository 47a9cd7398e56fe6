"""LaTeX: every text escaped, every table whole, and the document compiles where there is a compiler."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from borderlab.report.latex import escaped, latex_text, table_text, write_latex
from borderlab.report.view import Cell, Column, Table

NASTY = r"50% of {a_b} & $x$ ~ #1 ^2 \end{document} < 3 – “x” ± − × 漢"


def test_special_characters_are_escaped() -> None:
    text = escaped(NASTY)
    assert r"50\% of \{a\_" in text
    assert r"\textbackslash{}end\{document\}" in text
    assert r"\texttt{U+6F22}" in text
    assert not re.search(r"(?<!\\)[%#]", text)


def test_a_table_has_as_many_cells_as_columns_and_no_commands() -> None:
    columns = [Column("Name"), Column("Value", True, "%"), Column("Again")]
    rows = [[Cell("a & b"), Cell("1", note="n = 2"), Cell("borderlab train a", copies=True)]]
    text = table_text(Table("made-up", "Caption", columns, rows))
    assert "borderlab train" not in text
    (row,) = [line for line in text.splitlines() if line.startswith(r"a \& b")]
    assert len(re.findall(r"(?<!\\)&", row)) == 1
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(rule) == 1


def test_every_environment_is_closed(full_report) -> None:
    text = latex_text(full_report.tables, full_report.inputs)
    for name in set(re.findall(r"\\begin\{(\w+)\}", text)):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}")
    assert "Smoke run" in text


@pytest.mark.slow
def test_document_compiles(full_report, tmp_path: Path) -> None:
    compiler = shutil.which("pdflatex")
    if compiler is None:
        pytest.skip("no pdflatex here: install TeX Live's latex-base and latex-recommended to compile the tables")
    inputs = full_report.inputs.model_copy(update={"title": NASTY})
    write_latex(full_report.tables, inputs, tmp_path / "tables.tex")
    command = [compiler, "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120)
        assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
    assert (tmp_path / "tables.pdf").stat().st_size > 10_000
