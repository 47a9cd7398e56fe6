"""Several tests of one question: p-values corrected for their number."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values (1979), in the order given. NaN stays NaN and does not count as a test."""
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values)[: int(np.count_nonzero(~np.isnan(values)))]
    steps = np.arange(len(order), 0, -1)
    values[order] = np.minimum(np.maximum.accumulate(steps * values[order]), 1.0)
    return [float(value) for value in values]
