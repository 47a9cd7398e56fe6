"""Figures of a report: one module for each question, one SVG file for each data set."""

from pathlib import Path

from borderlab.report.figures import cost, curves, distance, motion, padding, probes, rings, training
from borderlab.report.style import figure_style
from borderlab.report.tabulate import Tables

FIGURE_MODULES = (padding, training, motion, distance, rings, probes, curves, cost)


def write_figures(tables: Tables, folder: Path) -> list[Path]:
    """Draw every figure that `tables` have data for into `folder`; return the paths.

    Equal tables give equal bytes.
    """
    paths: list[Path] = []
    with figure_style():
        for module in FIGURE_MODULES:
            paths += module.draw(tables, folder)
    return paths
