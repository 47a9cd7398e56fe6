"""Which frames are key frames, which targets they reach, which flows that takes."""

import pytest

from borderlab.propagation.keyframes import keyframe_indices, needed_pairs, targets
from borderlab.spec import KeyframesSpec


@pytest.mark.parametrize(
    ("n_frames", "stride", "offset", "expected"),
    [(11, 4, 1, [1, 5, 9]), (10, 4, 1, [1, 5, 9]), (9, 4, 1, [1, 5]), (5, 10, 5, []), (3, 1, 0, [0, 1, 2])],
)
def test_keyframes(n_frames, stride, offset, expected):
    assert keyframe_indices(n_frames, KeyframesSpec(stride=stride, offset=offset)) == expected


def test_targets_outside_the_clip_are_left_out():
    keyframes = KeyframesSpec(stride=4, offset=1)
    assert targets(9, keyframes, 2) == [(1, 3), (5, 7)]
    assert targets(9, keyframes, -2) == [(5, 3)]
    assert targets(9, keyframes, 4) == [(1, 5)]


def test_pairs_are_both_directions_of_every_step_once():
    keyframes = KeyframesSpec(stride=10, offset=2)
    assert needed_pairs(5, keyframes, 1) == [(1, 2), (2, 1), (2, 3), (3, 2)]
    # Distance 2 forwards ends at frame 4, backwards at 0; distance 9 adds nothing.
    every_pair = [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2), (3, 4), (4, 3)]
    assert needed_pairs(5, keyframes, 2) == every_pair
    assert needed_pairs(5, keyframes, 9) == every_pair


def test_overlapping_reach_repeats_no_pair():
    pairs = needed_pairs(20, KeyframesSpec(stride=2, offset=0), 5)
    assert len(pairs) == len(set(pairs)) == 2 * 19
