"""Figures inside the page, with the rows behind each as a download, and never more than a budget."""

import base64
from dataclasses import dataclass
from pathlib import Path

from borderlab.errors import RunError
from borderlab.report.svg import inline_svg
from borderlab.report.view import Note, Picture

FIGURES_BUDGET_BYTES = 6_000_000
ROWS_BUDGET_BYTES = 2_000_000


@dataclass
class Drawings:
    """The figures in `folder`, as parts of the page; `left_out` and `rows_left_out` count those that did not fit."""

    folder: Path
    budget_bytes: int = FIGURES_BUDGET_BYTES
    rows_budget_bytes: int = ROWS_BUDGET_BYTES
    left_out: int = 0
    rows_left_out: int = 0

    def __contains__(self, name: str) -> bool:
        return (self.folder / f"{name}.svg").is_file()

    def part(self, name: str, title: str, caption: str) -> Picture | Note:
        """The figure `name`, or a sentence that says where it is if the budget is spent.

        Raises:
            RunError: if the figure or its rows are missing.
        """
        path = self.folder / f"{name}.svg"
        if not path.is_file():
            raise RunError(f"{path}: is missing; make the report again")
        svg = inline_svg(path, name, f"{title}. {caption}")
        size = len(svg.encode())
        if size > self.budget_bytes:
            self.left_out += 1
            return Note(f"{title}. Left out to keep this page small: figure figures/{name}.svg of the report's folder.")
        self.budget_bytes -= size
        return Picture(f"figure-{name}", svg, title, caption, f"{name}.csv", self._rows(path.with_suffix(".csv")))

    def _rows(self, path: Path) -> str:
        """Data address of a figure's rows; empty if they do not fit any more."""
        if not path.is_file():
            raise RunError(f"{path}: is missing; make the report again")
        address = f"data:text/csv;charset=utf-8;base64,{base64.b64encode(path.read_bytes()).decode()}"
        if len(address) > self.rows_budget_bytes:
            self.rows_left_out += 1
            return ""
        self.rows_budget_bytes -= len(address)
        return address
