"""What holds for motion models on every picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from borderlab.motion.base import ClipReader
from borderlab.motion.names import DOWNLOADED_MODELS, MOTION_MODEL_NAMES
from borderlab.motion.registry import create_motion_model

PICTURES = hnp.arrays(np.uint8, st.tuples(st.integers(32, 48), st.integers(32, 48), st.just(3)))

# Farnebäck's polynomials are fitted in float32 and are nearly singular on flat patches of a tiny picture.
LARGEST_PX = {"farneback": 0.5}


class StillClip(ClipReader):
    """One picture, repeated."""

    def __init__(self, picture):
        self.image = lambda index: picture


@pytest.mark.parametrize("name", sorted({*MOTION_MODEL_NAMES} - DOWNLOADED_MODELS - {"truth"}))
@settings(max_examples=15, deadline=None)
@given(picture=PICTURES)
def test_a_still_picture_does_not_move(name, picture):
    flow = create_motion_model(name).flow(StillClip(picture), 0, 1)
    assert flow.shape == (2, *picture.shape[:2])
    assert np.abs(flow).max() <= LARGEST_PX.get(name, 1e-3)
