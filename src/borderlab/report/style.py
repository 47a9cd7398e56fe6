"""One look for every figure: colours, markers, type, and SVG files whose bytes depend on the numbers alone.

Colours come from palettes that colour-blind readers can tell apart (Okabe and Ito 2008; Tol 2021), and a padding mode
has the same colour and marker everywhere. Every colour used here has a name in `CSS_NAMES`: the page turns it into a
variable, so that figures follow the reader's light or dark scheme.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from borderlab.files import atomic_file
from borderlab.report.names import FLOAT_FORMAT

INK = "#1b1f24"
MUTED = "#5c6570"
RULE = "#c9ced6"
GRID = "#e6e9ed"

PADDING_COLOURS = {
    "zeros": "#6f7782",
    "reflect": "#0072b2",
    "replicate": "#e69f00",
    "circular": "#cc79a7",
    "partial": "#d55e00",
    "symmetric": "#56b4e9",
    "mean_interp": "#009e73",
    "random": "#999933",
    "linear_prediction": "#882255",
    "pp_pad": "#332288",
}
PADDING_MARKERS = {
    "zeros": "o",
    "reflect": "s",
    "replicate": "^",
    "circular": "v",
    "partial": "D",
    "symmetric": "<",
    "mean_interp": ">",
    "random": "*",
    "linear_prediction": "p",
    "pp_pad": "h",
}
KIND_COLOURS = {"none": "#6f7782", "label": "#44aa99", "joint": "#aa4499", "true": "#332288"}
MOTION_COLOURS = {
    "copy": "#6f7782",
    "dis_ultrafast": "#88ccee",
    "dis_fast": "#44aa99",
    "dis_medium": "#117733",
    "farneback": "#aa4499",
    "truth": "#332288",
}
# For names that the tables above do not know, in order of appearance.
SPARE_COLOURS = ("#88ccee", "#117733", "#aa4499", "#44aa99", "#e69f00", "#882255", "#0072b2", "#999933")
MARKERS = ("P", "X", "d", "8")
DASHES: tuple[Any, ...] = ("", (3, 1.6), (1, 1.4), (6, 1.5, 1, 1.5))

CSS_NAMES = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    GRID: "--grid",
    "#6f7782": "--c-grey",
    "#0072b2": "--c-blue",
    "#e69f00": "--c-orange",
    "#cc79a7": "--c-pink",
    "#d55e00": "--c-vermilion",
    "#88ccee": "--c-cyan",
    "#44aa99": "--c-teal",
    "#117733": "--c-green",
    "#aa4499": "--c-purple",
    "#332288": "--c-indigo",
    "#999933": "--c-olive",
    "#882255": "--c-wine",
    "#56b4e9": "--c-sky",
    "#009e73": "--c-emerald",
}

METRIC_LABELS = {"top1_pct": "Top-1 accuracy (%)", "miou_pct": "mIoU (%)"}

_RC: dict[Any, Any] = {
    "svg.hashsalt": "borderlab",
    "svg.fonttype": "none",
    "text.parse_math": False,  # names of data sets and classes are text, whatever they hold
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica", "sans-serif"],
    "font.size": 8.5,
    "text.color": INK,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.titlecolor": INK,
    "axes.labelsize": 8.5,
    "axes.labelcolor": MUTED,
    "axes.labelpad": 5,
    "axes.edgecolor": RULE,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 0,
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw in the one look, whatever the user's own matplotlib settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


FULL_WIDTH_IN = 8.2


def panels(n_rows: int, n_columns: int, width: float, height: float, **kwargs: Any) -> tuple[Figure, list[list[Axes]]]:
    """A figure of panels, each `width` by `height` inches, and its axes row by row."""
    engine = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08, wspace=0.03, hspace=0.05)
    figure = Figure(figsize=(width * n_columns, height * n_rows + 0.35), layout=engine)
    axes = figure.subplots(n_rows, n_columns, squeeze=False, **kwargs)
    return figure, [list(row) for row in axes]


def save_figure(figure: Figure, path: Path, rows: pd.DataFrame) -> Path:
    """Write `figure` as SVG without a date or other traces of its making, and the rows behind it as CSV beside it."""
    with atomic_file(path.with_suffix(".csv")) as part:
        rows.to_csv(part, index=False, float_format=FLOAT_FORMAT, lineterminator="\n", encoding="utf-8")
    with atomic_file(path) as part:
        figure.savefig(part, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return path


def padding_order(modes: Iterable[str]) -> list[str]:
    """Padding modes, each once, in the order of `PADDING_COLOURS`; unknown ones last."""
    return _known_first(modes, tuple(PADDING_COLOURS))


def ordered(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """`names`, each once, in the order of `known`; unknown ones last, alphabetically."""
    return _known_first(names, tuple(known))


def colours(names: Sequence[str], known: dict[str, str]) -> dict[str, str]:
    """A colour for each of `names`: its own, or a spare one that no other has, as long as there are some."""
    own = {known[name] for name in names if name in known}
    spare = [colour for colour in SPARE_COLOURS if colour not in own] or SPARE_COLOURS
    without = (name for name in names if name not in known)
    extra = {name: spare[k % len(spare)] for k, name in enumerate(without)}
    return {name: known.get(name) or extra[name] for name in names}


def markers(names: Sequence[str]) -> dict[str, str]:
    """A marker for each padding mode of `names`."""
    return {name: PADDING_MARKERS.get(name, MARKERS[k % len(MARKERS)]) for k, name in enumerate(names)}


def legend_above(figure: Figure, handles: Sequence[Line2D]) -> None:
    """One legend for the whole figure, in one line above its panels."""
    figure.legend(handles=list(handles), loc="outside upper left", ncols=min(len(handles), 5), columnspacing=1.6)


def key_line(label: str, colour: str, marker: str = "", dashes: Any = "") -> Line2D:
    """An entry of a legend."""
    line = Line2D([], [], color=colour, marker=marker, markersize=5, label=label, markeredgewidth=0)
    if dashes:
        line.set_dashes(dashes)
    return line


def plain(axes: Axes, *, title: str = "", x: str = "", y: str = "") -> None:
    """Label one panel; drop the legend that seaborn may have added."""
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    legend = axes.get_legend()
    if legend is not None:
        legend.remove()
    sns.despine(ax=axes)


def hide_unused(axes: Sequence[Axes], used: int) -> None:
    """Hide the panels of a grid that hold nothing."""
    for panel in axes[used:]:
        panel.set_visible(False)


def _known_first(names: Iterable[str], known: tuple[str, ...]) -> list[str]:
    return sorted(set(names), key=lambda name: (known.index(name) if name in known else len(known), name))
