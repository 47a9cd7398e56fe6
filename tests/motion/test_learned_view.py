"""What a network is shown, frame by frame: a prediction must not see the future."""

import numpy as np
import pytest
from tests.motion.learned_models import KINDS, Pictures, noise_pictures, random_model

from borderlab.motion.base import MotionModel
from borderlab.motion.learned.view import Stretch, look, whole


class Numbered(MotionModel):
    """Flow that says between which frames it was asked for."""

    name = "numbered"

    def flow(self, clip, from_index, to_index):
        return np.full((2, *clip.image(0).shape[:2]), 10 * from_index + to_index, np.float32)


def numbered_clip(count=6):
    return Pictures([np.full((8, 9, 3), index, np.uint8) for index in range(count)])


def shown(kind, target, source, stretch=None):
    """Numbers of the frames and flows in a view."""
    view = look(stretch or whole(numbered_clip()), target, source, kind, Numbered())
    assert view.frames.shape[:2] == view.flows.shape[:2] == (8, 9)
    return view.frames[0, 0, ::3].tolist(), view.flows[0, 0, ::2].tolist()


@pytest.mark.parametrize(
    ("target", "source", "past", "frames"), [(3, 2, 21, [1, 2, 3]), (2, 3, 34, [4, 3, 2]), (2, 4, 46, [6, 4, 2])]
)
def test_frames_and_flows_stand_oldest_first_in_either_direction(target, source, past, frames):
    stretch = whole(numbered_clip(7))
    assert shown("prediction", target, source, stretch) == (frames[:2], [past])
    assert shown("reconstruction", target, source, stretch) == (frames, [past, 10 * target + source])


@pytest.mark.parametrize(("target", "source"), [(1, 0), (4, 5)])
def test_at_the_end_of_a_clip_the_source_stands_in_for_the_past_with_no_motion(target, source):
    assert shown("prediction", target, source) == ([source, source], [0])
    assert shown("reconstruction", target, source) == ([source, source, target], [0, 10 * target + source])


def test_a_stretch_is_a_clip_of_its_own():
    stretch = Stretch(numbered_clip(), 2, 5)
    assert sorted(stretch.pairs()) == [(2, 3), (3, 2), (3, 4), (4, 3)]
    assert not stretch.has_past(3, 2)  # frame 1 lies outside
    assert stretch.has_past(4, 3)
    assert shown("prediction", 3, 2, stretch) == ([2, 2], [0])


@pytest.mark.parametrize(("target", "source"), [(3, 2), (3, 4)])
def test_a_prediction_does_not_see_the_future(target, source):
    pictures, others = noise_pictures(7), noise_pictures(7, seed=1)
    future = range(target, 7) if target > source else range(target + 1)
    changed = [others[index] if index in future else pictures[index] for index in range(7)]
    model = random_model("prediction")
    flow = model.flow(Pictures(pictures), target, source)
    np.testing.assert_array_equal(model.flow(Pictures(changed), target, source), flow)


@pytest.mark.parametrize("kind", KINDS)
def test_everything_else_that_a_model_is_shown_counts(kind):
    pictures, others = noise_pictures(4), noise_pictures(4, seed=1)
    model = random_model(kind)
    flow = model.flow(Pictures(pictures), 2, 1)
    for index in (0, 1) if kind == "prediction" else (0, 1, 2):
        changed = [*pictures]
        changed[index] = others[index]
        assert np.abs(model.flow(Pictures(changed), 2, 1) - flow).max() > 1e-3, index
