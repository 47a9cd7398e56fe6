"""What a plan will make for published cells and claims, before anything has run."""

from collections.abc import Iterator

import pandas as pd

from borderlab.papers.cell_rows import sides_of
from borderlab.papers.schema import PublishedCell, PublishedTable, ResultsTable
from borderlab.papers.selection import PLANNED, selected
from borderlab.plan import Plan
from borderlab.probe.spec import PRETRAINED_MODE, UNTRAINED
from borderlab.report.rows import Row, factor_values


def planned_rows(plan: Plan) -> dict[ResultsTable, pd.DataFrame]:
    """The rows that the tables of a finished experiment will have, as far as cells and claims select by them.

    `probe` is the probe's name in the plan.
    """
    runs = [
        {"run": name, "seed": planned.spec.seed, **factor_values(planned.spec)} for name, planned in plan.runs.items()
    ]
    return {
        "runs": pd.DataFrame(runs, columns=list(PLANNED["runs"])),
        "cross_test": pd.DataFrame(list(_cross_test_rows(plan)), columns=list(PLANNED["cross_test"])),
    }


def sides_of_cell(table: PublishedTable, cell: PublishedCell, frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Rows of `frame` behind each side of a cell; none if one of its sides has no row."""
    selector = table.selector(cell)
    sides = [] if selector is None else [selected(frame, side) for side in sides_of(table, selector)]
    return sides if all(len(side) for side in sides) else []


def _cross_test_rows(plan: Plan) -> Iterator[Row]:
    for name, planned in plan.probes.items():
        spec = planned.spec
        networks = [(run, own.backbone, own.weights, own.padding_mode) for run, own in spec.runs.items()]
        for own in spec.backbones:
            mode = UNTRAINED if own.weights == "random" else PRETRAINED_MODE
            networks.append((f"{own.name} ({own.weights} weights)", own.name, own.weights, mode))
        measured = "cross_test" in spec.measures
        for network, backbone, weights, trained in networks if measured else ():
            for tested in spec.padding_modes if trained != UNTRAINED else ():
                keys = (name, network, spec.dataset.key, backbone, weights, trained, tested, _measure(plan, network))
                yield dict(zip(PLANNED["cross_test"], keys, strict=True))


def _measure(plan: Plan, network: str) -> str:
    is_segmentation = network in plan.runs and plan.runs[network].spec.task == "segmentation"
    return "miou_pct" if is_segmentation else "top1_pct"
