"""What holds for every image, label and flow."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from borderlab.propagation.consistency import is_consistent
from borderlab.propagation.keyframes import keyframe_indices, needed_pairs, targets
from borderlab.propagation.score import DistanceScore
from borderlab.propagation.warp import in_frame, sampling_map, warp_image, warp_label
from borderlab.spec import KeyframesSpec

SIZES = st.tuples(st.integers(2, 12), st.integers(2, 12))
KEYFRAMES = st.builds(KeyframesSpec, stride=st.integers(1, 7), offset=st.integers(0, 9))
CLASSES = st.sampled_from([0, 1, 2, 255])


def constant_flow(size, u, v):
    flow = np.empty((2, *size), np.float32)
    flow[0], flow[1] = u, v
    return flow


@st.composite
def scenes(draw, length=15.0):
    size = draw(SIZES)
    image = draw(hnp.arrays(np.uint8, (*size, 3)))
    label = draw(hnp.arrays(np.uint8, size, elements=CLASSES))
    flow = draw(hnp.arrays(np.float32, (2, *size), elements=st.floats(-length, length, width=16)))
    return image, label, flow


@given(scenes())
def test_zero_flow_is_the_identity(scene):
    image, label, flow = scene
    grid = sampling_map(np.zeros_like(flow))
    np.testing.assert_array_equal(warp_image(image, *grid), image)
    np.testing.assert_array_equal(warp_label(label, *grid), label)
    assert in_frame(*grid).all()
    assert is_consistent(np.zeros_like(flow), np.zeros_like(flow)).all()


@given(scenes(), st.integers(-14, 14), st.integers(-14, 14))
def test_whole_pixel_flow_is_a_roll_where_it_stays_in_the_frame(scene, u, v):
    image, label, _ = scene
    grid = sampling_map(constant_flow(label.shape, u, v))
    inside = in_frame(*grid)
    for moved, source in ((warp_image(image, *grid), image), (warp_label(label, *grid), label)):
        np.testing.assert_array_equal(moved[inside], np.roll(source, (-v, -u), axis=(0, 1))[inside])
    height, width = label.shape
    assert inside.sum() == max(height - abs(v), 0) * max(width - abs(u), 0)


@given(scenes())
def test_labels_are_sampled_and_never_made(scene):
    _, label, flow = scene
    assert set(np.unique(warp_label(label, *sampling_map(flow)))) <= set(np.unique(label))


@given(scenes())
def test_grey_levels_stay_within_those_of_the_source(scene):
    image, _, flow = scene
    moved = warp_image(image, *sampling_map(flow))
    assert (moved >= image.min((0, 1))).all()
    assert (moved <= image.max((0, 1))).all()


@given(scenes())
def test_warping_commutes_with_mirroring(scene):
    _, label, flow = scene
    # Mirrored columns turn u; a half is rounded up on both sides, so positions on halves are moved off them.
    flow = flow + np.float32(0.01)
    mirrored = flow[:, :, ::-1] * np.array([-1, 1], np.float32)[:, None, None]
    columns, _ = sampling_map(flow)
    off_half = np.abs(np.abs(columns - np.round(columns)) - 0.5) > 1e-3
    moved = warp_label(label, *sampling_map(flow))
    other = warp_label(np.ascontiguousarray(label[:, ::-1]), *sampling_map(mirrored))[:, ::-1]
    np.testing.assert_array_equal(moved[off_half], other[off_half])


@given(SIZES, st.floats(-20, 20, width=16), st.floats(-20, 20, width=16))
def test_there_and_back_is_consistent(size, u, v):
    flow = constant_flow(size, u, v)
    assert is_consistent(flow, -flow).all()


@given(st.integers(0, 40), KEYFRAMES, st.integers(1, 6))
def test_flows_of_every_step_are_estimated(n_frames, keyframes, max_distance):
    """Recursion from each key frame to each target uses pairs of `needed_pairs`, and uses all of them."""
    used = set()
    for distance in range(1, max_distance + 1):
        for sign in (-1, 1):
            for key, target in targets(n_frames, keyframes, sign * distance):
                for step in range(key, target, sign):
                    used |= {(step, step + sign), (step + sign, step)}
    assert used == set(needed_pairs(n_frames, keyframes, max_distance))


@given(st.integers(0, 40), KEYFRAMES)
def test_key_frames_lie_in_the_clip_at_equal_steps(n_frames, keyframes):
    indices = keyframe_indices(n_frames, keyframes)
    assert all(0 <= index < n_frames and (index - keyframes.offset) % keyframes.stride == 0 for index in indices)
    assert len(indices) == len(range(keyframes.offset, n_frames, keyframes.stride))


@settings(max_examples=60)
@given(st.data(), SIZES)
def test_voiding_more_pixels_never_raises_the_strict_score(data, size):
    truth = data.draw(hnp.arrays(np.uint8, size, elements=CLASSES))
    hidden = data.draw(hnp.arrays(np.bool_, size))
    whole, voided = DistanceScore(3), DistanceScore(3)
    whole.update(truth, truth)
    voided.update(truth, np.where(hidden, 255, truth).astype(np.uint8))
    before, after = whole.row(1, ("a", "b", "c")), voided.row(1, ("a", "b", "c"))
    if before["miou_void_wrong_pct"] is not None:
        assert after["miou_void_wrong_pct"] <= before["miou_void_wrong_pct"] == 100
        assert after["void_pct"] >= before["void_pct"] == 0
        assert after["error_pct"] in (0, None)
