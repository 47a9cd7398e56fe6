"""Each name is the preset that it says."""

import cv2
import numpy as np
import pytest
from tests.motion.learned_models import Pictures, noise_pictures

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


@pytest.mark.parametrize("name", PRESETS)
def test_small_frames_give_the_same_flow_at_every_call(name):
    """One OpenCV object would remember the scales that it chose for the first call."""
    clip = Pictures(noise_pictures(2, size=(70, 90)))
    model = create_motion_model(name)
    first = model.flow(clip, 1, 0)
    np.testing.assert_array_equal(model.flow(clip, 1, 0), first)
