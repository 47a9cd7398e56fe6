"""What a padding mode changes in each ring of distance from the image border, with intervals over seeds."""

from collections.abc import Iterator

import pandas as pd

from borderlab.report.effects import PADDING, p_value, seed_differences
from borderlab.report.rows import Row, records
from borderlab.report.schemas import FACTORS
from borderlab.statistics.differences import paired_difference
from borderlab.statistics.families import holm


def ring_effect_rows(rings: pd.DataFrame, runs: pd.DataFrame) -> Iterator[Row]:
    """Rows of table `ring_effects`: paired differences to zeros padding, ring by ring.

    P-values are corrected (Holm) over all rings and modes of a setting: rings share images and networks.

    Args:
        rings: table `rings`.
        runs: table `runs`.
    """
    known = rings[["run", "from_px", "to_px", "value_pct"]].merge(runs[["run", "seed", *FACTORS]], on="run")
    for _, setting in known.dropna(subset=["value_pct"]).groupby(PADDING.held, dropna=False):
        rows = list(_rows_of(setting))
        for row, corrected in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
            yield {**row, "p_holm": corrected}


def _rows_of(setting: pd.DataFrame) -> Iterator[Row]:
    for start, ring in setting.groupby("from_px"):
        baseline = ring[ring["padding_mode"] == PADDING.baseline]
        if baseline.empty:
            continue
        for _, own in ring[ring["padding_mode"] != PADDING.baseline].groupby("padding_mode"):
            found = paired_difference(seed_differences(own, baseline, "value_pct").tolist())
            yield {
                **records(own[[*FACTORS, "to_px"]].head(1))[0],
                "from_px": start,
                "n_pairs": found.n,
                "difference_pct": found.mean,
                "difference_low_pct": found.low,
                "difference_high_pct": found.high,
                "p_value": p_value(found),
                "runs": "; ".join(sorted(own["run"])),
                "baseline_runs": "; ".join(sorted(baseline["run"])),
            }
