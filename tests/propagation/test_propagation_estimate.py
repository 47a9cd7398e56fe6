"""Flows on disk: each needed pair once, faults in one line."""

import numpy as np
import pytest

from borderlab.errors import DataError
from borderlab.files import read_json
from borderlab.motion.copying import Copy
from borderlab.propagation.estimate import read_flow
from borderlab.propagation.keyframes import needed_pairs


def test_every_needed_pair_is_written_once(lab):
    folder, manifest = lab.estimate(max_distance=2)
    for clip, n_frames in (("long", 9), ("short", 4)):
        expected = {f"{a:05d}_to_{b:05d}.npy" for a, b in needed_pairs(n_frames, lab.keyframes, 2)}
        assert {path.name for path in (folder / clip / "000").iterdir()} == expected
        assert manifest["flows"][clip] == len(expected)


def test_manifest_says_what_was_asked_for(lab):
    folder, manifest = lab.estimate(max_distance=2)
    assert read_json(folder / "manifest.json") == manifest
    assert manifest["mean_length_px"] == pytest.approx(5**0.5)
    assert (manifest["model"], manifest["max_distance"], manifest["split"]) == ("truth", 2, "val")
    assert manifest["keyframes"] == {"stride": 4, "offset": 1}
    assert manifest["seconds"] >= 0


def test_flow_is_read_back_in_its_direction(lab):
    folder, _ = lab.estimate()
    flow = read_flow(folder, "long", 3, 2)
    assert (flow.dtype, flow.shape) == (np.float32, (2, 24, 32))
    assert flow[:, 4, 4].tolist() == [2.0, -1.0]
    assert read_flow(folder, "long", 2, 3)[:, 4, 4].tolist() == [-2.0, 1.0]


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "pickle"])
def test_damaged_flow_is_named_in_one_line(lab, damage):
    folder, _ = lab.estimate()
    path = folder / "long" / "000" / "00002_to_00001.npy"
    content = path.read_bytes()
    path.unlink()
    if damage == "pickle":
        np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    elif damage != "missing":
        path.write_bytes(content[:100] if damage == "cut" else b"")
    with pytest.raises(DataError, match=r"^[^\n]*00002_to_00001\.npy: flow cannot be read[^\n]*$"):
        read_flow(folder, "long", 2, 1)


def test_split_without_clips(lab):
    with pytest.raises(DataError, match="blocks still: has no clips"):
        lab.estimate(split="still")


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        (np.zeros((2, 32, 24), np.float32), r"long: flow from frame 0 to 1 has shape \(2, 32, 24\)"),
        (np.full((2, 24, 32), np.nan, np.float32), "not a number"),
        (np.full((2, 24, 32), -np.inf, np.float32), "not a number"),
        (np.full((2, 24, 32), 7e4, np.float32), "beyond 65504 px"),
    ],
)
def test_flow_that_cannot_be_followed_stops_the_estimation(lab, monkeypatch, flow, message):
    monkeypatch.setattr(Copy, "flow", lambda *_: flow)
    with pytest.raises(DataError, match=message):
        lab.estimate("copy")
    assert not (lab.folder / "motion-copy" / "long").exists()
