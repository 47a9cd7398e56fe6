"""Each name is the preset that it says."""

import cv2
import numpy as np
import pytest

from borderlab.motion.registry import create_motion_model

# OpenCV's own numbers: PRESET_ULTRAFAST, PRESET_FAST, PRESET_MEDIUM.
PRESETS = {"dis_ultrafast": 0, "dis_fast": 1, "dis_medium": 2}


def opencv_flow(preset, reader):
    grey = [cv2.cvtColor(reader.image(index), cv2.COLOR_RGB2GRAY) for index in (1, 2)]
    return cv2.DISOpticalFlow_create(preset).calc(*grey, None).transpose(2, 0, 1)


@pytest.mark.parametrize("name", PRESETS)
def test_name_is_the_preset(name, pan_reader):
    flow = create_motion_model(name).flow(pan_reader, 1, 2)
    equal = {other: np.array_equal(flow, opencv_flow(preset, pan_reader)) for other, preset in PRESETS.items()}
    assert equal == {other: other == name for other in PRESETS}
