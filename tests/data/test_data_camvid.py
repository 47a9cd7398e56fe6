"""CamVid: the manifest, and the real files where they are there."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from borderlab.data.base import IGNORE_INDEX, FetchSettings
from borderlab.data.camvid import CamVid, manifest
from borderlab.data.decode import read_pair
from borderlab.data.receipt import fetch_split
from borderlab.errors import DataError
from borderlab.files import read_json


def test_manifest_names_every_file_of_the_public_copy() -> None:
    files = manifest()
    counts = {kind: sum(file.path.startswith(f"{kind}/") for file in files) for kind in ("train", "val", "test")}
    assert counts == {"train": 367, "val": 101, "test": 233}
    assert len(files) == 2 * (367 + 101 + 233) + 3
    assert all(file.sha256 is not None and len(file.sha256) == 64 and file.bytes for file in files)


def test_fetch_from_the_mirror_is_whole_and_counts(camvid_mirror: Path, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.json"
    fetch_split(CamVid(), tmp_path / "camvid", "val", mirror=str(camvid_mirror), receipt=receipt, progress=False)
    assert read_json(receipt)["samples"] == 101
    frames = CamVid().frames(tmp_path / "camvid", "val")
    image, label = read_pair(frames[50], CamVid().label_lut)
    assert image.shape == (360, 480, 3)
    assert set(np.unique(label)) <= {*range(11), IGNORE_INDEX}


def test_altered_mirror_is_refused_by_hash(camvid_mirror: Path, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    for name in ("val", "valannot"):
        shutil.copytree(camvid_mirror / name, mirror / name)
    shutil.copy(camvid_mirror / "val.txt", mirror)
    victim = mirror / "valannot" / "0016E5_07959.png"
    content = bytearray(victim.read_bytes())
    content[-20] ^= 1
    victim.write_bytes(content)
    settings = FetchSettings(mirror=str(mirror), progress=False, attempts=1, timeout_s=0.2)
    with pytest.raises(DataError, match=r"1 of 203 files could not be fetched: valannot/0016E5_07959\.png: .*SHA-256"):
        CamVid().fetch(tmp_path / "camvid", "val", settings)
    assert not (tmp_path / "camvid" / "valannot" / "0016E5_07959.png").exists()


def test_dense_clip_and_frames_outside_of_it(camvid_mirror: Path) -> None:
    dataset = CamVid()
    (clip,) = dataset.clips(camvid_mirror, "val")
    assert len(clip.frames) == 101
    assert clip.frames[0].sample_id.endswith("07959")
    assert clip.frames[-1].sample_id.endswith("08159")
    outside = dataset.frames(camvid_mirror, "outside_clip")
    assert len(outside) == 163
    assert not [frame for frame in outside if "0016E5" in frame.sample_id]
    assert {dataset.recording(frame) for frame in outside} == {"0001TP", "0006R0"}
    assert {dataset.recording(frame) for frame in clip.frames} == {"0016E5"}
