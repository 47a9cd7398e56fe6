"""What a padding mode changes in each ring of distance from the image border, with intervals over seeds."""

from collections.abc import Iterator

import pandas as pd

from borderlab.report.effects import PADDING, difference_values, seed_differences, tested, with_corrected
from borderlab.report.rows import Row, records, with_factors
from borderlab.report.schemas import FACTORS
from borderlab.statistics.differences import paired_difference


def ring_effect_rows(rings: pd.DataFrame, runs: pd.DataFrame) -> Iterator[Row]:
    """Rows of table `ring_effects`: paired differences to zeros padding, ring by ring.

    P-values are corrected (Holm) over all rings and modes of a setting: rings share images and networks.

    Args:
        rings: table `rings`.
        runs: table `runs`.
    """
    for _, setting in with_factors(rings, runs).dropna(subset=["value_pct"]).groupby(PADDING.held, dropna=False):
        yield from with_corrected(list(_rows_of(setting)))


def _rows_of(setting: pd.DataFrame) -> Iterator[Row]:
    for _, ring in setting.groupby("from_px"):
        baseline = ring[ring["padding_mode"] == PADDING.baseline]
        if baseline.empty:
            continue
        for _, own in ring[ring["padding_mode"] != PADDING.baseline].groupby("padding_mode"):
            found = paired_difference(seed_differences(own, baseline, "value_pct").tolist())
            yield {
                **records(own[[*FACTORS, "from_px", "to_px"]].head(1))[0],
                **difference_values(found),
                **tested(found, own, baseline),
            }
