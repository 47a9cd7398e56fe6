"""Forward-backward check: where a point is seen in both frames, going there and back ends where it began.

Source: Sundaram et al. 2010, "Dense Point Trajectories by GPU-accelerated Large Displacement Optical Flow".
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from borderlab.propagation.warp import Flow, sampling_map

RELATIVE = 0.01
ABSOLUTE_PX2 = 0.5


def is_consistent(flow: Flow, back: Flow) -> NDArray[np.bool_]:
    """Whether |f(x) + b(x + f(x))|^2 < 0.01 (|f|^2 + |b|^2) + 0.5 pixels^2.

    Args:
        flow: flow f (2 h w) on the grid that is checked.
        back: flow b (2 h w) of the other direction, on the other frame's grid; read bilinearly, in OpenCV's steps of
            1/32 pixel.
    """
    columns, rows = sampling_map(flow)
    returned = cv2.remap(
        np.ascontiguousarray(back.transpose(1, 2, 0)), columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).transpose(2, 0, 1)
    gap = ((flow + returned) ** 2).sum(axis=0)
    length = (flow**2).sum(axis=0) + (returned**2).sum(axis=0)
    consistent: NDArray[np.bool_] = gap < RELATIVE * length + ABSOLUTE_PX2
    return consistent
