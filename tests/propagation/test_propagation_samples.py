"""Which frames train, with which label and which table."""

import numpy as np
import pytest

from borderlab.data.decode import read_pair
from borderlab.errors import DataError
from borderlab.propagation.samples import keyframe_frames, propagated_frames
from borderlab.spec import KeyframesSpec, PropagationSpec


def propagated(lab, kind, folders, max_distance=2):
    propagation = PropagationSpec(kind=kind, motion="truth", max_distance=max_distance)
    return propagated_frames(propagation, lab.dataset, lab.root, "val", lab.keyframes, folders)


# Nearest first: -1, 1, -2, 2; key frames 1 and 5 of `long`, 1 of `short`; frame -1 does not exist.
TARGETS = ["long/0", "long/4", "short/0", "long/2", "long/6", "short/2", "long/3", "long/3", "long/7", "short/3"]


@pytest.fixture
def folders(lab):
    return lab.synthesise_all(lab.estimate()[0], 2)


def test_key_frames_keep_image_label_and_table(lab):
    frames = keyframe_frames(lab.dataset, lab.root, "val", lab.keyframes)
    assert [item.frame.sample_id for item in frames] == ["long/1", "long/5", "short/1"]
    assert {path.name for item in frames for path in (item.frame.image, item.frame.label)} == {
        f"{kind}_{index}.png" for kind in ("image", "label") for index in (1, 5)
    }
    for item in frames:
        np.testing.assert_array_equal(item.lut, lab.dataset.label_lut)


def test_true_propagation_is_the_real_frame(lab):
    frames = propagated(lab, "true", {})
    # long/3 lies midway between two key frames; its true label joins once.
    assert [item.frame.sample_id for item in frames] == list(dict.fromkeys(TARGETS))
    assert all(np.array_equal(item.lut, lab.dataset.label_lut) for item in frames)


@pytest.mark.parametrize("kind", ["label", "true"])
def test_reference_farthest_only_joins_two_distances(lab, folders, kind):
    """The published loader adds the two frames at exactly ±maxSkip, and none between."""
    propagation = PropagationSpec(kind=kind, motion="truth", max_distance=2, reference=("farthest_only",))
    frames = propagated_frames(propagation, lab.dataset, lab.root, "val", lab.keyframes, folders)
    expected = ["long/3", "long/3", "long/7", "short/3"] if kind == "label" else ["long/3", "long/7", "short/3"]
    assert [item.frame.sample_id.split("-from-")[0] for item in frames] == expected


@pytest.mark.parametrize("kind", ["label", "joint"])
def test_moved_samples_have_unique_names_in_order(lab, folders, kind):
    names = [item.frame.sample_id for item in propagated(lab, kind, folders)]
    assert [name.split("-from-")[0] for name in names] == TARGETS
    assert len(set(names)) == len(names)


def test_label_propagation_pairs_the_real_frame_with_the_moved_label(lab, folders):
    real = {frame.sample_id: frame.image for frame in lab.dataset.frames(lab.root, "val")}
    for item, target in zip(propagated(lab, "label", folders), TARGETS, strict=True):
        assert item.frame.image == real[target]
        assert lab.root not in item.frame.label.parents


def test_joint_propagation_pairs_the_moved_frame_with_the_moved_label(lab, folders):
    for item in propagated(lab, "joint", folders):
        assert item.frame.image.name == item.frame.label.name.replace("label", "image")
        assert lab.root not in item.frame.image.parents


@pytest.mark.parametrize("kind", ["label", "joint", "true"])
def test_every_kind_reads_as_train_ids_of_its_target(lab, folders, kind):
    truths = {f.sample_id: read_pair(f, lab.dataset.label_lut)[1] for f in lab.dataset.frames(lab.root, "val")}
    targets = list(dict.fromkeys(TARGETS)) if kind == "true" else TARGETS
    for item, target in zip(propagated(lab, kind, folders), targets, strict=True):
        label = read_pair(item.frame, item.lut)[1]
        known = label != 255
        assert known.mean() > 0.6
        np.testing.assert_array_equal(label[known], truths[target][known])


def test_missing_distance_is_named(lab, folders):
    del folders[-2]
    with pytest.raises(DataError, match=r"^no samples at distance -2[^\n]*$"):
        propagated(lab, "label", folders)


def test_no_key_frames_is_a_fault(lab):
    with pytest.raises(DataError, match=r"blocks val: has no key frames at stride=4 offset=50"):
        keyframe_frames(lab.dataset, lab.root, "val", KeyframesSpec(stride=4, offset=50))


def test_true_propagation_needs_true_labels(lab, monkeypatch):
    clips = lab.dataset.clips(lab.root, "val")
    object.__setattr__(clips[0].frames[4], "label", None)
    monkeypatch.setattr(lab.dataset, "clips", lambda *_: clips)
    with pytest.raises(DataError, match=r"image_4\.png: has no true label"):
        propagated(lab, "true", {})
