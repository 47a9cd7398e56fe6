"""Mapillary, CamVid at full size and coarse Cityscapes, each on a small folder in its true layout."""

import json

import cv2
import numpy as np
import pytest

from borderlab.data import create_dataset
from borderlab.data.base import FetchSettings
from borderlab.data.camvid import CamVid, manifest
from borderlab.data.decode import read_pair
from borderlab.data.mapillary import CLASSES
from borderlab.errors import DataError

QUIET = FetchSettings(progress=False, attempts=1)


def write(path, pixels=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((6, 8, 3), 90, np.uint8) if pixels is None else pixels)
    return path


def palette_png(path, ids):
    """A palette image, as Mapillary stores its labels: the colours say nothing of the ids."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(ids, mode="P")
    image.putpalette([(7 * value) % 256 for value in range(768)])
    image.save(path)


@pytest.fixture
def mapillary(tmp_path):
    labels = [{"readable": name.title(), "name": "x"} for name in (*CLASSES, "unlabeled")]
    (tmp_path / "config.json").write_text(json.dumps({"labels": labels, "version": 1.1}))
    for folder, n_images in (("training", 3), ("validation", 2)):
        for index in range(n_images):
            write(tmp_path / folder / "images" / f"img{index}.jpg")
            ids = np.array([[0, 13, 64, 65, 55, 27, 1, 65]] * 6, np.uint8)
            palette_png(tmp_path / folder / "labels" / f"img{index}.png", ids)
    return tmp_path


def test_mapillary_has_65_classes_and_its_66th_is_void(mapillary):
    dataset = create_dataset("mapillary", {"allow_partial": True})
    assert len(dataset.info.classes) == len(set(dataset.info.classes)) == 65
    assert (dataset.info.classes[13], dataset.info.classes[55], dataset.info.classes[64]) == (
        "road",
        "car",
        "ego vehicle",
    )
    dataset.fetch(mapillary, "train", QUIET)
    frames = dataset.frames(mapillary, "train")
    assert [frame.sample_id for frame in frames] == ["train/img0", "train/img1", "train/img2"]
    image, label = read_pair(frames[0], dataset.label_lut)
    assert image.shape == (6, 8, 3)
    assert label[0].tolist() == [0, 13, 64, 255, 55, 27, 1, 255]


def test_mapillary_counts_the_whole_set(mapillary):
    with pytest.raises(DataError, match="validation: has 2 images, not 2000; register at"):
        create_dataset("mapillary").fetch(mapillary, "val", QUIET)


def test_mapillary_of_another_version_is_refused(mapillary):
    """Version 2.0 has 124 classes under other ids; its labels would train without a word."""
    content = json.loads((mapillary / "config.json").read_text())
    content["labels"][3]["readable"] = "Temporary Barrier"
    (mapillary / "config.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"config\.json: has other classes than version 1\.2 \('temporary barrier'"):
        create_dataset("mapillary", {"allow_partial": True}).fetch(mapillary, "train", QUIET)


@pytest.mark.parametrize(
    ("harm", "message"), [("", "is missing"), ("[]", "no configuration"), ("{", "no configuration")]
)
def test_mapillary_without_its_list_of_classes(mapillary, harm, message):
    path = mapillary / "config.json"
    path.write_text(harm) if harm else path.unlink()
    with pytest.raises(DataError, match=rf"^[^\n]*config\.json: [^\n]*{message}[^\n]*$"):
        create_dataset("mapillary", {"allow_partial": True}).fetch(mapillary, "train", QUIET)


def test_mapillary_names_a_missing_label(mapillary):
    (mapillary / "training" / "labels" / "img1.png").unlink()
    with pytest.raises(DataError, match=r"labels/img1\.png: is missing, though its image is there"):
        create_dataset("mapillary").frames(mapillary, "train")


NAMES = ("0001TP_006690", "0016E5_00390", "0006R0_f00930")


@pytest.fixture
def camvid_full(tmp_path):
    val = sorted({file.path.split("/")[1][:-4] for file in manifest() if file.path.startswith("val/")})
    for index, name in enumerate((*NAMES, *val[:3])):
        write(tmp_path / "CamVid_RGB" / f"{name}.png")
        write(tmp_path / "CamVidGray" / f"{name}_L.png", np.full((6, 8), [3, 255][index % 2], np.uint8))
    for name, number, digits in (("0001TP_", 6690, 6), ("0016E5_", 390, 5), ("0006R0_f", 930, 5)):
        for offset in (-2, -1, 1, 2):
            write(tmp_path / "video" / f"{name}{number + offset:0{digits}d}.png")
    return tmp_path


def test_camvid_full_has_the_splits_of_the_small_copy():
    dataset = create_dataset("camvid_full")
    from borderlab.data.camvid_full import _names

    assert [len(_names(split)) for split in ("train", "val", "test", "trainval")] == [367, 101, 233, 468]
    assert len(_names("outside_clip")) == sum("0016E5" not in name for name in _names("train")) == 163
    assert dataset.info.classes == CamVid.info.classes


def test_camvid_full_reads_its_layout(camvid_full):
    dataset = create_dataset("camvid_full", {"allow_partial": True})
    dataset.fetch(camvid_full, "train", QUIET)
    frames = dataset.frames(camvid_full, "train")
    assert {frame.image.stem for frame in frames} == set(NAMES)
    labels = {frame.image.stem: read_pair(frame, dataset.label_lut)[1][0, 0] for frame in frames}
    assert labels == {"0001TP_006690": 3, "0016E5_00390": 255, "0006R0_f00930": 3}


def test_camvid_full_clips_surround_the_labelled_frames(camvid_full):
    dataset = create_dataset("camvid_full", {"allow_partial": True, "reach": 2})
    clips = {clip.name: clip for clip in dataset.clips(camvid_full, "train")}
    names = [frame.image.stem for frame in clips["0006R0_f00930"].frames]
    assert names == [f"0006R0_f{number:05d}" for number in range(928, 933)]
    assert [frame.label is not None for frame in clips["0001TP_006690"].frames] == [False, False, True, False, False]
    (dense,) = dataset.clips(camvid_full, "val")
    assert len(dense.frames) == 3
    assert all(frame.label is not None for frame in dense.frames)


def test_camvid_full_says_what_is_missing(camvid_full):
    with pytest.raises(DataError, match=r"^[^\n]*: is missing, and \d+ more; clone https[^\n]*$"):
        create_dataset("camvid_full").fetch(camvid_full, "train", QUIET)
    with pytest.raises(DataError, match=r"video/0001TP_006687\.png: is missing; extract it"):
        create_dataset("camvid_full", {"allow_partial": True, "reach": 3}).clips(camvid_full, "train")


def test_cityscapes_coarse_labels_are_a_split_of_their_own(tmp_path):
    dataset = create_dataset("cityscapes", {"allow_partial": True})
    with pytest.raises(DataError, match=r"csDownload -d [^\n]* leftImg8bit_trainextra\.zip"):
        dataset.fetch(tmp_path, "train_extra", QUIET)
    stem = "erlangen_000000_000000"
    write(tmp_path / "leftImg8bit" / "train_extra" / "erlangen" / f"{stem}_leftImg8bit.png")
    ids = np.array([[31, 0, 26, 255, 7, 4, 33, 1]] * 6, np.uint8)
    write(tmp_path / "gtCoarse" / "train_extra" / "erlangen" / f"{stem}_gtCoarse_labelIds.png", ids)
    dataset.fetch(tmp_path, "train_extra", QUIET)
    (frame,) = dataset.frames(tmp_path, "train_extra")
    assert read_pair(frame, dataset.label_lut)[1][0].tolist() == [16, 255, 13, 255, 0, 255, 18, 255]
