"""The page's tables as LaTeX (booktabs): one document that compiles, from which each table can be copied.

A column of prose is a paragraph; a table breaks over pages (longtable). Every text is escaped.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import wrap

from borderlab.files import write_text
from borderlab.report.artifacts import TabulationInput
from borderlab.report.motion_section import motion_table
from borderlab.report.page import SCALE_TEXTS, SCALE_TITLES
from borderlab.report.page_tables import cost_table, distance_table, padding_table, training_table
from borderlab.report.paper_section import cells_table, claims_table, glance_table, scale_text
from borderlab.report.probe_section import cross_table
from borderlab.report.tabulate import Tables
from borderlab.report.view import Cell, Column, Table

_HEAD = r"""\documentclass[9pt,a4paper]{extarticle}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[landscape,margin=12mm]{geometry}
\usepackage{array,booktabs,longtable}
\setlength{\tabcolsep}{3pt}
\begin{document}
"""
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_\allowbreak{}",
    "/": r"/\allowbreak{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": "$<$",
    ">": "$>$",
    "-": "-{}",
    "\n": " ",
    "±": r"$\pm$",
    "−": "$-$",
    "×": r"$\times$",
    "–": "--",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
    "\u202f": r"\,",
    "\u00a0": "~",
}
_LAST_LATIN1 = 0xFF
_NOTE_LENGTH = 38
# Columns of prose: where a table has no others, there is room.
_WIDE, _NARROW = "p{80mm}", "p{48mm}"


def write_latex(tables: Tables, inputs: TabulationInput, path: Path) -> None:
    """Write the results of an experiment to `path` as one LaTeX document."""
    write_text(path, latex_text(tables, inputs))


def latex_text(tables: Tables, inputs: TabulationInput) -> str:
    """Title, scale, and every table that has rows."""
    scale = f"{SCALE_TITLES[inputs.scale]}. {SCALE_TEXTS[inputs.scale]}"
    head = [rf"\section*{{{escaped(inputs.title)}}}", escaped(scale)]
    if not tables["claims"].empty:
        head.append(escaped(scale_text(inputs.scale)))
    return _HEAD + "\n\n".join([*head, *map(table_text, _shown(tables, inputs.scale))]) + "\n\\end{document}\n"


def table_text(table: Table) -> str:
    """One table, without columns of commands."""
    kept = [place for place, cell in enumerate(table.rows[0]) if not cell.copies]
    columns = [_fitted(table, place) for place in kept]
    heads = " & ".join(_head_text(column) for column in columns)
    body = [" & ".join(map(_cell_text, (row[place] for place in kept), columns)) + r" \\[1.5pt]" for row in table.rows]
    prose = r">{\raggedright\arraybackslash}" + (_WIDE if all(column.prose for column in columns) else _NARROW)
    form = "".join("r" if column.numeric else prose if column.prose else "l" for column in columns)
    lines = [f"% {table.id}", r"\begin{scriptsize}", rf"\begin{{longtable}}{{@{{}}{form}@{{}}}}"]
    lines += [rf"\multicolumn{{{len(columns)}}}{{@{{}}l}}{{\textbf{{{escaped(table.caption)}}}}} \\"]
    lines += [r"\toprule", rf"{heads} \\", r"\midrule", r"\endhead", r"\bottomrule", r"\endfoot", *body]
    return "\n".join([*lines, r"\end{longtable}", r"\end{scriptsize}"])


def escaped(text: str) -> str:
    """`text` as LaTeX that prints it; a character that the fonts lack is printed as its code point."""
    return "".join(_SPECIAL.get(character, _plain(character)) for character in text)


def _shown(tables: Tables, scale: str) -> Iterator[Table]:
    found = [
        padding_table(tables, ""),
        training_table(tables, ""),
        motion_table(tables, ""),
        distance_table(tables, ""),
    ]
    found.append(cross_table(tables, ""))
    claims, cells = tables["claims"], tables["paper_cells"]
    found += [] if claims.empty else [glance_table(claims, scale), claims_table(claims, "")]
    found += [] if cells.empty else [cells_table(cells, "")]
    yield from (table for table in [*found, cost_table(tables)] if table is not None)


def _fitted(table: Table, place: int) -> Column:
    """The column, made one of prose if its texts are long."""
    column = table.columns[place]
    longest = max(len(row[place].text) for row in table.rows)
    return replace(column, prose=column.prose or (not column.numeric and longest > _NOTE_LENGTH))


def _plain(character: str) -> str:
    return character if ord(character) <= _LAST_LATIN1 else rf"\texttt{{U+{ord(character):04X}}}"


def _head_text(column: Column) -> str:
    return _stacked(escaped(column.title), column.note, "r" if column.numeric else "l")


def _cell_text(cell: Cell, column: Column) -> str:
    text = rf"\textbf{{{escaped(cell.text)}}}" if cell.strong else escaped(cell.text)
    if column.prose:
        return f"{text} ({escaped(cell.note)})" if cell.note else text
    return _stacked(text, cell.note, "r" if column.numeric else "l")


def _stacked(text: str, note: str, side: str) -> str:
    """Text (LaTeX already) with its note below it, in lines of a length that tables can bear."""
    if not note:
        return text
    lines = "".join(rf"\\{{\tiny {escaped(line)}}}" for line in wrap(note, _NOTE_LENGTH))
    return rf"\begin{{tabular}}[t]{{@{{}}{side}@{{}}}}{text}{lines}\end{{tabular}}"
