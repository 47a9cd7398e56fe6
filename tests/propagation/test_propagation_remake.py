"""A sample made again from its manifest alone, and what happens to inputs that are broken."""

import json

import numpy as np
import pytest

import borderlab.data
from borderlab.data.decode import read_image, read_label
from borderlab.errors import DataError
from borderlab.motion.copying import Copy
from borderlab.propagation.remake import remake_sample
from borderlab.propagation.sharding import FRAMES_PER_FOLDER, shard_of
from borderlab.propagation.synthesis import TRAIN_ID_LUT, read_manifest, sample_files


@pytest.fixture
def registered(lab, monkeypatch):
    monkeypatch.setitem(borderlab.data.DATASETS, "blocks", type(lab.dataset))
    return lab


@pytest.mark.parametrize("options", [{}, {"method": "accumulated"}, {"reference": ("nearest_images", "bgr_flow")}])
@pytest.mark.parametrize("distance", [1, -1, 3])
def test_sample_is_made_again_bit_for_bit_from_its_manifest(registered, distance, options):
    """Flows, nearer samples and the sample itself are gone; only manifest and data set are left."""
    reference = tuple(choice for choice in options.get("reference", ()) if choice == "bgr_flow")
    motion, _ = registered.estimate("dis_fast", reference=reference)
    folder = registered.synthesise_all(motion, model="dis_fast", **options)[distance]
    manifest = json.loads((folder / "manifest.json").read_text())
    kept = [
        (sample, read_image(folder / sample["image"]), read_label(folder / sample["label"], TRAIN_ID_LUT))
        for sample in manifest["samples"]
    ]
    assert kept
    for path in [*motion.rglob("*.npy"), *registered.folder.rglob("*_to_*.png")]:
        path.unlink()
    for sample, image, label in kept:
        again = remake_sample(manifest, sample["sample_id"], registered.root)
        np.testing.assert_array_equal(again[0], image)
        np.testing.assert_array_equal(again[1], label)


def test_what_cannot_be_made_again_is_said(registered):
    folder, manifest = registered.synthesise(registered.estimate()[0], 1)
    with pytest.raises(DataError, match="nobody: is none of the manifest's 3 samples"):
        remake_sample(manifest, "nobody", registered.root)
    manifest["spec"]["dataset"]["identity"] = "other"
    with pytest.raises(DataError, match="not of the version that the manifest names"):
        remake_sample(manifest, manifest["samples"][0]["sample_id"], registered.root)
    assert folder.is_dir()


@pytest.fixture
def broken_frame(lab):
    """Frame 6 of the long clip, next to key frame 5, is cut short."""
    path = lab.root / "long" / "image_6.png"
    path.write_bytes(path.read_bytes()[:100])
    return lab


def test_broken_frames_are_named_and_counted_by_the_motion(broken_frame, caplog):
    _, manifest = broken_frame.estimate(max_distance=1)
    assert [(entry["clip"], entry["from_index"], entry["to_index"]) for entry in manifest["broken"]] == [
        ("long", 5, 6),
        ("long", 6, 5),
    ]
    assert all("image_6.png" in entry["reason"] for entry in manifest["broken"])
    assert caplog.text.count("image_6.png") >= 2
    assert manifest["flows"]["long"] == 6


@pytest.mark.parametrize("method", ["recursive", "accumulated"])
def test_broken_samples_stop_the_synthesis_unless_they_are_allowed(broken_frame, method):
    motion, _ = broken_frame.estimate()
    line = r"^1 of 3 samples at \+1 cannot be made \(allow_broken: 0\), the first because of [^\n]*image_6.png[^\n]*$"
    with pytest.raises(DataError, match=line):
        broken_frame.synthesise(motion, 1, method=method)
    folder, manifest = broken_frame.synthesise(motion, 1, method=method, allow_broken=1)
    assert [(entry["clip"], entry["key_index"], entry["target_index"]) for entry in manifest["broken"]] == [
        ("long", 5, 6)
    ]
    assert len(manifest["samples"]) == 2
    assert read_manifest(folder)["broken"] == manifest["broken"]


def test_samples_behind_a_broken_one_are_broken_too(broken_frame):
    motion, _ = broken_frame.estimate()
    first, _ = broken_frame.synthesise(motion, 1, allow_broken=1)
    _, manifest = broken_frame.synthesise(motion, 2, first, allow_broken=1)
    assert [entry["target_index"] for entry in manifest["broken"]] == [7]


def test_all_frames_broken_is_a_fault_of_the_motion(lab):
    for path in lab.root.rglob("image_*.png"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match=r"^22 of 22 flows of blocks val cannot be made[^\n]*image_0.png[^\n]*$"):
        lab.estimate()


def test_reference_hands_channels_on_in_the_other_order(lab, monkeypatch):
    seen = []
    flow = Copy.flow

    def noting(self, clip, from_index, to_index):
        seen.append(clip.image(from_index))
        return flow(self, clip, from_index, to_index)

    monkeypatch.setattr(Copy, "flow", noting)
    lab.estimate("copy", max_distance=1)
    ours, n = list(seen), len(seen)
    lab.estimate("copy", max_distance=1, reference=("bgr_flow",))
    for rgb, bgr in zip(ours, seen[n:], strict=True):
        np.testing.assert_array_equal(bgr, rgb[..., ::-1])


def test_no_folder_grows_with_the_length_of_a_clip():
    """A clip of 150,000 frames: at most a thousand key frames, with two files each, in one folder."""
    frames = range(0, 150_000, 7)
    folders = [shard_of("clip", index) for index in frames]
    assert max(folders.count(folder) for folder in set(folders[:3000])) <= FRAMES_PER_FOLDER
    assert len(set(folders)) == 150
    image, label = sample_files("clip", 149_999, 150_004)
    assert image == "clip/149/149999_to_150004_image.png"
    assert label == "clip/149/149999_to_150004_label.png"
