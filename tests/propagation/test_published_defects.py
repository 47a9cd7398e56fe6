"""Details and defects of the published propagation code, each as a test that ours passes.

Letters and numbers are those of our notes on github.com/NVIDIA/semantic-segmentation, branch sdcnet at 2f548ab: letters
are choices that differ from the paper, numbers are defects. Numbers 1 to 3 are the loss's: `test_losses_relaxed.py` and
`test_losses_published.py`.
"""

import re

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from tests.motion.learned_models import Pictures

from borderlab.data.camvid_full import CamVidFull
from borderlab.data.cityscapes import Cityscapes
from borderlab.data.class_uniform import ClassUniform, centroids_of, label_centroids
from borderlab.data.decode import read_image
from borderlab.errors import DataError
from borderlab.losses import neighbourhood_bits
from borderlab.motion.copying import Copy
from borderlab.motion.learned.view import look, whole
from borderlab.propagation.keyframes import path_between
from borderlab.propagation.samples import propagated_frames
from borderlab.propagation.synthesis import read_manifest
from borderlab.recipe_spec import ClassUniformSpec
from borderlab.spec import PropagationSpec
from borderlab.training.sources import FrameSource

SPEC = ClassUniformSpec(tile_px=4)


def half_pixel(monkeypatch):
    """Flow of half a pixel to the right, so that a bilinear image holds grey levels that no frame has."""

    def flow(self, clip, from_index, to_index):
        field = np.zeros((2, *clip.image(0).shape[:2]), np.float32)
        field[0] = 0.5 if to_index < from_index else -0.5
        return field

    monkeypatch.setattr(Copy, "flow", flow)


def interpolates(lab, folder):
    """Whether the first sample's image holds colours that its key frame does not have."""
    sample = read_manifest(folder)["samples"][0]
    key = read_image(lab.clips[sample["clip"]].frames[sample["key_index"]].image)
    moved = read_image(folder / sample["image"])
    return not set(map(tuple, moved.reshape(-1, 3).tolist())) <= set(map(tuple, key.reshape(-1, 3).tolist()))


def test_detail_a_images_are_bilinear_beyond_the_first_step_too(lab, monkeypatch):
    half_pixel(monkeypatch)
    first, _ = lab.synthesise(lab.estimate("copy")[0], 1, model="copy", void_occluded=False)
    assert interpolates(lab, first)
    # From a first step that is the key frame itself: all interpolation is the second step's.
    for sample in read_manifest(first)["samples"]:
        key = lab.clips[sample["clip"]].frames[sample["key_index"]].image
        (first / sample["image"]).write_bytes(key.read_bytes())
    for reference, expected in (((), True), (("nearest_images",), False)):
        second, _ = lab.synthesise(
            lab.folder / "motion-copy", 2, first, model="copy", void_occluded=False, reference=reference
        )
        assert interpolates(lab, second) == expected


def test_detail_b_images_are_rounded_and_not_truncated(lab, monkeypatch):
    half_pixel(monkeypatch)
    motion, _ = lab.estimate("copy")
    lost = {}
    for reference in ((), ("truncated_images",)):
        folder, manifest = lab.synthesise(motion, 1, model="copy", void_occluded=False, reference=reference)
        sample = manifest["samples"][0]
        key = read_image(lab.clips[sample["clip"]].frames[sample["key_index"]].image).astype(float)
        exact = (key[:, :-1] + key[:, 1:]) / 2
        lost[reference] = float((exact - read_image(folder / sample["image"])[:, :-1]).mean())
    # Half of the sums are odd: truncation loses a quarter of a grey level on average, rounding (to even) none.
    assert lost[()] == pytest.approx(0, abs=0.03)
    assert lost[("truncated_images",)] == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("kind", ["prediction", "reconstruction"])
def test_detail_c_the_gap_that_a_network_sees_does_not_grow_with_distance(kind):
    """The published script shows the labelled frame at every distance; ours, neighbours of the step that is made."""
    clip = Pictures([np.full((4, 4, 3), index, np.uint8) for index in range(12)])
    for key, target in ((5, 10), (5, 1)):
        for near, far in path_between(key, target):
            view = look(whole(clip), far, near, kind, Copy())
            shown = set(view.frames[0, 0].tolist())
            assert shown <= {near - 1, near, near + 1}
            assert near in shown


def test_detail_d_motion_models_get_red_green_blue(lab, monkeypatch):
    seen = []
    monkeypatch.setattr(
        Copy, "flow", lambda self, clip, a, b: seen.append((clip, a)) or np.zeros((2, 24, 32), np.float32)
    )
    lab.estimate("copy", max_distance=1)
    clip, index = seen[0]
    np.testing.assert_array_equal(clip.image(index), read_image(clip.clip.frames[index].image))


def test_detail_e_each_flow_is_computed_once(lab, monkeypatch):
    """Label and joint samples, recursive and accumulated, with and without check: one flow for each pair of frames."""
    asked = []
    flow = Copy.flow
    monkeypatch.setattr(Copy, "flow", lambda self, *pair: asked.append((pair[0].name, *pair[1:])) or flow(self, *pair))
    motion, _ = lab.estimate("copy")
    for options in ({}, {"method": "accumulated"}, {"void_occluded": False}):
        folders = lab.synthesise_all(motion, model="copy", **options)
        for kind in ("label", "joint"):
            propagation = PropagationSpec(kind=kind, motion="copy", max_distance=3)
            assert propagated_frames(propagation, lab.dataset, lab.root, "val", lab.keyframes, folders)
    assert len(asked) == len(set(asked)) > 0


def test_detail_f_a_missing_frame_ends_nothing_but_its_own_samples(lab):
    """The published script ends at the first missing frame; here the rest is made and the gap has a name."""
    (lab.root / "long" / "image_6.png").unlink()
    motion, estimated = lab.estimate(max_distance=1)
    assert estimated["flows"] == {"long": 6, "short": 4}
    _, manifest = lab.synthesise(motion, 1, allow_broken=1)
    assert len(manifest["samples"]) == 2
    assert [entry["target_index"] for entry in manifest["broken"]] == [6]
    assert "image_6.png" in manifest["broken"][0]["reason"]


@pytest.mark.parametrize(("n_classes", "bytes_each"), [(19, 4), (65, 16)])
def test_defect_4_sets_are_bits_and_no_channels(n_classes, bytes_each):
    """The published target of a crop of 896 pixels has 16.1 MB (a byte for each of 20 channels); ours 3.2 MB."""
    target = torch.zeros(1, 896, 896, dtype=torch.uint8)
    assert neighbourhood_bits(target, n_classes, 1).nbytes == bytes_each * 896**2


def test_defect_5_extra_frames_do_not_stay_in_the_list_of_fine_ones():
    """There, the list of fine centroids is the very list that coarse ones are added to."""
    fine = centroids_of([np.zeros((8, 8), np.uint8)], 2, SPEC)
    before = [rows.copy() for rows in fine.of_class]
    both = fine.and_also(centroids_of([np.ones((8, 8), np.uint8)], 2, SPEC), 1)
    for rows, kept in zip(fine.of_class, before, strict=True):
        np.testing.assert_array_equal(rows, kept)
    sampler = ClassUniform(1.0, both, fine, extra_until=150)
    random = np.random.default_rng(0)
    assert {sample for sample, _ in sampler.draw(149, 20, random)} == {0, 1}
    assert {sample for sample, _ in sampler.draw(150, 20, random)} == {0}


@pytest.mark.parametrize("kind", ["image", "label"])
def test_defect_6_a_sample_that_is_gone_is_not_left_out_in_silence(lab, kind):
    """There, synthesis writes where the loader does not look, and the loader takes what it finds."""
    folders = lab.synthesise_all(lab.estimate()[0], 1)
    gone = folders[1] / read_manifest(folders[1])["samples"][0][kind]
    gone.unlink()
    propagation = PropagationSpec(kind="joint", motion="truth", max_distance=1)
    frames = propagated_frames(propagation, lab.dataset, lab.root, "val", lab.keyframes, folders)
    assert len(frames) == sum(len(read_manifest(folder)["samples"]) for folder in folders.values())
    source = FrameSource(frames)
    with pytest.raises(DataError, match=re.escape(gone.name)):
        [source.load(index) for index in range(len(source))]


def test_defect_7_moved_samples_join_without_a_further_option(lab):
    """There, the training scripts never pass the option that lets augmented frames in."""
    propagation = PropagationSpec(kind="joint")
    assert propagation.distances == (-1, 1)
    folders = lab.synthesise_all(lab.estimate()[0], 1)
    assert len(propagated_frames(propagation, lab.dataset, lab.root, "val", lab.keyframes, folders)) == 6
    for empty in (0, -1):
        with pytest.raises(ValidationError, match="max_distance"):
            PropagationSpec(kind="joint", max_distance=empty)


def test_defect_8_a_tile_larger_than_camvids_frames_finds_their_classes():
    """There, tiles of 1024 pixels leave frames of 720 x 960 without centroids."""
    label = np.zeros((720, 960), np.uint8)
    label[700:, 900:] = 1
    found = label_centroids(label, 2, 1024)
    assert [class_id for class_id, *_ in found] == [0, 1]
    assert label_centroids(label, 2, 1024, whole_tiles_only=True) == []


def test_defect_9_tiles_cover_the_whole_image():
    """There, what is left beside whole tiles is dropped: here its only pixel of class 1."""
    label = np.zeros((10, 10), np.uint8)
    label[9, 9] = 1
    assert (1, 9, 9) in label_centroids(label, 2, 4)
    assert 1 not in [class_id for class_id, *_ in label_centroids(label, 2, 4, whole_tiles_only=True)]


def test_defect_10_draws_have_a_seed():
    centroids = centroids_of([np.zeros((16, 16), np.uint8), np.ones((16, 16), np.uint8)], 2, SPEC)
    sampler = ClassUniform(1.0, centroids, centroids, 9)
    drawn = [sampler.draw(0, 20, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_defect_11_splits_are_the_official_ones():
    """There, cross-validation splits swap cities, and the best published model is one of theirs, not of `val`."""
    assert Cityscapes.splits == ("train", "val", "test", "train_extra")
    assert CamVidFull.splits[:3] == ("train", "val", "test")


DEAD = ("np.float(", "np.float,", "np.bool(", "np.int(", "normed=", "multichannel=", "compare_psnr", "import apex")


def test_defect_12_nothing_that_current_libraries_dropped(repository):
    found = [
        (path.name, name)
        for path in (repository / "src").rglob("*.py")
        for name in DEAD
        if name in path.read_text(encoding="utf-8")
    ]
    assert found == []
