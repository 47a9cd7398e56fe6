"""Samples on disk: exact under exact flow, step by step, and nothing lost without a word."""

import cv2
import numpy as np
import pytest

from borderlab.data.decode import read_image, read_label, read_pair
from borderlab.errors import DataError
from borderlab.files import read_json
from borderlab.propagation.synthesis import TRAIN_ID_LUT, read_manifest

VOID = 255


def read_sample(folder, sample):
    return read_image(folder / sample["image"]), read_label(folder / sample["label"], TRAIN_ID_LUT)


def seen_in_key_frame(distance, size=(24, 32), pan=(2, -1)):
    """Pixels of the target frame that the camera also saw in the key frame: a pan uncovers strips at two sides."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    columns, rows = columns + distance * pan[0], rows + distance * pan[1]
    return (columns >= 0) & (columns < size[1]) & (rows >= 0) & (rows < size[0])


@pytest.mark.parametrize("distance", [-3, -2, -1, 1, 2, 3])
def test_exact_flow_gives_exact_samples(lab, distance):
    folder = lab.synthesise_all(lab.estimate()[0])[distance]
    samples = read_manifest(folder)["samples"]
    assert samples
    seen = seen_in_key_frame(distance)
    for sample in samples:
        image, label = read_sample(folder, sample)
        frame = lab.clips[sample["clip"]].frames[sample["target_index"]]
        real_image, truth = read_pair(frame, lab.dataset.label_lut)
        np.testing.assert_array_equal(label, np.where(seen, truth, VOID))
        np.testing.assert_array_equal(image[seen], real_image[seen])


def test_without_void_the_border_is_repeated(lab):
    folder, manifest = lab.synthesise(lab.estimate()[0], 1, void_occluded=False)
    for sample in manifest["samples"]:
        label = read_sample(folder, sample)[1]
        # The pan to the right and up uncovers the last two columns and the first row.
        np.testing.assert_array_equal(label[1:, -2:], label[1:, -3:-2].repeat(2, 1))
        np.testing.assert_array_equal(label[0], label[1])


@pytest.mark.parametrize("distance", [1, 2, 3])
def test_copy_is_the_identity_at_every_distance(lab, distance):
    folder = lab.synthesise_all(lab.estimate("copy")[0])[distance]
    for sample in read_manifest(folder)["samples"]:
        key = lab.clips[sample["clip"]].frames[sample["key_index"]]
        for moved, real in zip(read_sample(folder, sample), read_pair(key, lab.dataset.label_lut), strict=True):
            np.testing.assert_array_equal(moved, real)


def test_manifest_names_every_sample_and_every_one_left_out(lab):
    motion, _ = lab.estimate()
    folders = lab.synthesise_all(motion)
    folder = folders[3]
    manifest = read_json(folder / "manifest.json")
    assert [(s["clip"], s["key_index"], s["target_index"]) for s in manifest["samples"]] == [
        ("long", 1, 4),
        ("long", 5, 8),
    ]
    assert manifest["left_out"] == [{"clip": "short", "key_index": 1, "reason": "target lies outside the clip"}]
    assert manifest["spec"] == lab.spec(3).model_dump(mode="json")
    for sample in manifest["samples"]:
        assert sample["void_share"] == (read_sample(folder, sample)[1] == VOID).mean()
    assert manifest["samples"][0]["sample_id"] == "long/4-from-00001"
    stored = {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}
    assert stored == {sample[kind] for sample in manifest["samples"] for kind in ("image", "label")}


def test_void_grows_with_distance(lab):
    folders = lab.synthesise_all(lab.estimate()[0])
    shares = [read_manifest(folders[k])["samples"][0]["void_share"] for k in (1, 2, 3)]
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]


def test_pixels_that_fail_the_check_become_void(lab):
    motion, _ = lab.estimate()
    path = motion / "long" / "000" / "00001_to_00002.npy"
    flow = np.load(path)
    flow[0, :, :16] += 9
    np.save(path, flow)
    folder, manifest = lab.synthesise(motion, 1)
    broken = read_sample(folder, manifest["samples"][0])[1]
    # Target column x is sampled at x + 2: columns 0..13 arrive on the spoilt half.
    assert (broken[1:, :14] == VOID).all()
    truth = read_pair(lab.clips["long"].frames[2], lab.dataset.label_lut)[1]
    np.testing.assert_array_equal(broken[1:, 14:-2], truth[1:, 14:-2])


def test_second_step_starts_from_the_stored_first(lab):
    motion, _ = lab.estimate()
    first, manifest = lab.synthesise(motion, 1)
    sample = manifest["samples"][0]
    cv2.imwrite(str(first / sample["label"]), np.full((24, 32), 2, np.uint8))
    second, manifest = lab.synthesise(motion, 2, first)
    label = read_sample(second, manifest["samples"][0])[1]
    assert set(np.unique(label)) == {2, VOID}


@pytest.mark.parametrize("distance", [1, -1])
def test_first_step_takes_no_samples(lab, distance):
    motion, _ = lab.estimate()
    with pytest.raises(ValueError, match="one step nearer"):
        lab.synthesise(motion, distance, lab.folder)


def test_second_step_needs_the_first(lab):
    motion, _ = lab.estimate()
    with pytest.raises(ValueError, match=r"distance \+2: samples one step nearer"):
        lab.synthesise(motion, 2)


def test_split_without_clips_cannot_be_moved(lab):
    with pytest.raises(DataError, match="blocks still: has no clips"):
        lab.synthesise(lab.folder, 1, split="still")


def test_missing_first_sample_is_named(lab):
    motion, _ = lab.estimate()
    first, manifest = lab.synthesise(motion, 1)
    (first / manifest["samples"][0]["image"]).unlink()
    with pytest.raises(DataError, match=r"^[^\n]*00001_to_00002_image\.png: cannot be read[^\n]*$"):
        lab.synthesise(motion, 2, first)


@pytest.mark.parametrize("name", ["00002_to_00001.npy", "00001_to_00002.npy"])
def test_flow_of_another_size_is_named(lab, name):
    motion, _ = lab.estimate()
    np.save(motion / "long" / "000" / name, np.zeros((2, 12, 16), np.float16))
    with pytest.raises(DataError, match=r"long: flow from frame \d to \d has shape \(2, 12, 16\)"):
        lab.synthesise(motion, 1)


def test_unlabelled_key_frame_is_named(lab, monkeypatch):
    motion, _ = lab.estimate()
    clips = lab.dataset.clips(lab.root, "val")
    for clip in clips:
        object.__setattr__(clip.frames[1], "label", None)
    monkeypatch.setattr(lab.dataset, "clips", lambda *_: clips)
    with pytest.raises(DataError, match=r"image_1\.png: has no label"):
        lab.synthesise(motion, 1)


@pytest.mark.parametrize("content", [None, "{", "\xff"])
def test_missing_or_damaged_manifest_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match=r"^[^\n]*(holds no samples|is damaged)[^\n]*$"):
        read_manifest(tmp_path)
