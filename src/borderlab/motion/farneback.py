"""Flow by polynomial expansion.

Source: Farnebäck 2003, "Two-Frame Motion Estimation Based on Polynomial Expansion", as OpenCV implements it.
"""

import cv2
import numpy as np

from borderlab.motion.base import ClipReader, Flow, MotionModel

_SETTINGS = {
    "pyr_scale": 0.5,
    "levels": 5,
    "winsize": 15,
    "iterations": 3,
    "poly_n": 7,
    "poly_sigma": 1.5,
    "flags": 0,
}


class Farneback(MotionModel):
    """Farnebäck flow between grey versions of two frames."""

    name = "farneback"

    def flow(self, clip: ClipReader, from_index: int, to_index: int) -> Flow:
        first, second = (cv2.cvtColor(clip.image(index), cv2.COLOR_RGB2GRAY) for index in (from_index, to_index))
        flow = cv2.calcOpticalFlowFarneback(first, second, None, **_SETTINGS)
        return np.ascontiguousarray(flow.transpose(2, 0, 1))


MODELS = {"farneback": Farneback}
