"""Dense inverse search, in OpenCV's three presets.

Source: Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search".
"""

from functools import partial

import cv2
import numpy as np

from borderlab.motion.base import ClipReader, Flow, MotionModel

_PRESETS = {
    "dis_ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "dis_fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "dis_medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}


class DenseInverseSearch(MotionModel):
    """DIS flow between grey versions of two frames.

    Each flow has an OpenCV object of its own, which costs no measurable time: on frames below some 80 pixels OpenCV
    chooses other scales and keeps them, so that a second call with the same frames gives another flow.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def flow(self, clip: ClipReader, from_index: int, to_index: int) -> Flow:
        first, second = (cv2.cvtColor(clip.image(index), cv2.COLOR_RGB2GRAY) for index in (from_index, to_index))
        search = cv2.DISOpticalFlow.create(_PRESETS[self.name])
        return np.ascontiguousarray(search.calc(first, second, None).transpose(2, 0, 1))


MODELS = {name: partial(DenseInverseSearch, name) for name in _PRESETS}
