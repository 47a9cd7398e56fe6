"""What the page shows, as plain values: the template turns these into HTML and escapes every text."""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

MISSING = "–"


@dataclass(frozen=True)
class Cell:
    """One cell: its text, what it sorts by, a second line in small type, a padding mode's swatch, a copy button."""

    text: str
    sort: float | str | None = None
    note: str = ""
    swatch: str = ""
    copies: bool = False
    strong: bool = False

    @property
    def sort_key(self) -> str:
        """What the page's script compares; absent numbers are empty and sort last."""
        if self.sort is None:
            return self.text
        if isinstance(self.sort, float) and math.isnan(self.sort):
            return ""
        return str(self.sort)


def rerun_cell(number: str, config: str) -> Cell:
    """The command that makes the results behind a number again, to copy.

    Args:
        number: what `borderlab rerun` takes: a row as TABLE:LINE, or a published cell.
        config: a configuration that has them.
    """
    return Cell(shlex.join(["borderlab", "rerun", number, "--config", config]), copies=True)


def line_of(table: str, index: object) -> str:
    """Name of a row of a tidy table, by its index there: TABLE:LINE, where the head is line 1."""
    return f"{table}:{int(str(index)) + 2}"


@dataclass(frozen=True)
class Column:
    """Head of a column; one of `prose` breaks its lines, one of `commands` is for the screen alone."""

    title: str
    numeric: bool = False
    note: str = ""
    prose: bool = False
    commands: bool = False


AGAIN = Column("Make it again", commands=True)


@dataclass(frozen=True)
class Table:
    """A sortable table in a box of its own."""

    id: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    filterable: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Picture:
    """A figure drawn as inline SVG, and the rows behind it as a data address; empty where the page has no room."""

    id: str
    svg: Markup
    title: str
    caption: str
    rows_name: str
    rows: str
    kind: str = "figure"


@dataclass(frozen=True)
class Borders:
    """What a slider over the distance from `border` needs.

    `distance` is a picture (grey values: pixels), as a data address. `shares` tell, for each column of the gallery,
    how much is wrong nearer than each of `reaches_px` and, last, anywhere; nothing for columns without errors.
    """

    border: str
    reaches_px: Sequence[int]
    distance: str
    shares: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Gallery:
    """Sample pictures in columns: each column has a title and one picture for each row."""

    id: str
    caption: str
    columns: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    reading: str = "Above: frame and predictions. Below: label and errors (red; grey where there is no truth)."
    borders: Borders | None = None
    kind: str = "gallery"


@dataclass(frozen=True)
class Key:
    """What colours stand for: names with their CSS colours."""

    title: str
    entries: Sequence[tuple[str, str]]
    kind: str = "key"


@dataclass(frozen=True)
class Viewer:
    """Sample pictures that a slider moves over distance.

    `frames` lists, for each motion and distance, indices into the page's pictures by role; `first` is shown at once,
    which are the pictures of `distances[start]`.
    """

    id: str
    caption: str
    motions: Sequence[str]
    distances: Sequence[int]
    frames: dict[str, dict[str, dict[str, int]]]
    first: dict[str, str]
    start: int
    kind: str = "viewer"


@dataclass(frozen=True)
class Note:
    """A paragraph."""

    text: str
    kind: str = "note"


@dataclass(frozen=True)
class Section:
    """One section of the page; `empty` says why there is nothing in it."""

    id: str
    title: str
    lead: str
    parts: list[Any] = field(default_factory=list)
    empty: str = ""


def number(value: float, digits: int = 2) -> str:
    """`value` with a fixed number of digits, or a dash."""
    return MISSING if _absent(value) else f"{value:.{digits}f}"


def signed(value: float, digits: int = 2) -> str:
    """`value` with its sign and a true minus, or a dash."""
    return MISSING if _absent(value) else f"{value:+.{digits}f}".replace("-", "−")


def mean_sd(mean: float, sd: float, n: int) -> str:
    """Mean and standard deviation over `n` seeds."""
    return number(mean) if n < 2 else f"{number(mean)} ± {number(sd)}"


def seeds_note(n: int) -> str:
    """How many seeds a mean rests on."""
    return "n = 1, no spread" if n == 1 else f"n = {n}"


def interval(mean: float, low: float, high: float) -> str:
    """A mean difference and its interval."""
    return signed(mean) if _absent(low) else f"{signed(mean)} [{signed(low)}, {signed(high)}]"


def pairs_note(n: int, low: float, high: float) -> str:
    """How many pairs a difference rests on, and whether its interval holds zero."""
    if n == 0:
        return "no seed in common"
    if _absent(low):
        return "1 pair, no interval"
    return f"{n} pairs, {'excludes' if excludes_zero(low, high) else 'includes'} 0"


def images_note(low: float, high: float) -> str:
    """The interval of a difference over images; nothing where there is none."""
    return "" if _absent(low) else f"over images [{signed(low)}, {signed(high)}]"


def detectable_note(least: float) -> str:
    """The smallest true difference that would probably have been found; nothing where that is unknown."""
    return "" if _absent(least) else f"finds {least:.2g} or more"


def excludes_zero(low: float, high: float) -> bool:
    """Whether an interval lies wholly on one side of zero."""
    return not _absent(low) and (low > 0 or high < 0)


def duration(seconds: float) -> str:
    """Seconds in the unit that a person would use."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    if seconds < 5400:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def _absent(value: float | None) -> bool:
    return value is None or value != value
