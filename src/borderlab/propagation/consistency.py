"""Forward-backward check: where a point is seen in both frames, going there and back ends where it began.

Source: Sundaram et al. 2010, "Dense Point Trajectories by GPU-accelerated Large Displacement Optical Flow".
"""

import numpy as np
from numpy.typing import NDArray

from borderlab.propagation.warp import Flow, sample_flow, sampling_map

RELATIVE = 0.01
ABSOLUTE_PX2 = 0.5


def is_consistent(flow: Flow, back: Flow) -> NDArray[np.bool_]:
    """Whether |f(x) + b(x + f(x))|^2 < 0.01 (|f|^2 + |b|^2) + 0.5 pixels^2.

    Args:
        flow: flow f (2 h w) on the grid that is checked.
        back: flow b (2 h w) of the other direction, on the other frame's grid; read bilinearly.
    """
    returned = sample_flow(back, *sampling_map(flow))
    limit = _squared_length(flow)
    limit += _squared_length(returned)
    limit *= RELATIVE
    limit += ABSOLUTE_PX2
    returned += flow
    consistent: NDArray[np.bool_] = _squared_length(returned) < limit
    return consistent


def _squared_length(flow: Flow) -> NDArray[np.float32]:
    """Of each vector. By channels: a sum over an axis of two is several times slower."""
    length = flow[0] * flow[0]
    length += flow[1] * flow[1]
    return length
