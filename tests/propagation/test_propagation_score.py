"""What the score counts, on samples small enough to count by hand."""

import cv2
import numpy as np
import pytest

from borderlab.data.decode import read_label
from borderlab.errors import DataError
from borderlab.propagation.score import DistanceScore, near_label_boundary, occurs_within, score_propagation
from borderlab.propagation.synthesis import TRAIN_ID_LUT, read_manifest

NAMES = ("a", "b", "c")


def row_of(truth, moved):
    score = DistanceScore(3)
    score.update(np.array(truth, np.uint8), np.array(moved, np.uint8))
    return score.row(1, NAMES)


def test_worked_example():
    #        void, true void, class not beside, class beside
    truth = [[0, 0, 0, 1, 1, 1, 255, 2, 2, 2]]
    moved = [[0, 255, 1, 1, 1, 2, 0, 2, 2, 1]]
    row = row_of(truth, moved)
    # 9 pixels have a truth, 1 of them was left void; of 8 known ones, 3 are wrong.
    assert row["void_pct"] == pytest.approx(100 / 9)
    assert row["error_pct"] == pytest.approx(100 * 3 / 8)
    # Wrong at 2 (true 0; beside: void, 1, 1), 5 (true 1; beside: 1) and 9 (true 2; beside: 2).
    assert row["errors_in_3x3_pct"] == pytest.approx(100 * 2 / 3)
    # Known: a 1 of 2, b 2 of 3 + 4 - 2, c 2 of 3 + 3 - 2.
    assert row["classes"] == pytest.approx({"a": 50.0, "b": 40.0, "c": 50.0})
    assert row["miou_pct"] == pytest.approx((50 + 40 + 50) / 3)
    # All: a 1 of 3, the others as before.
    assert row["miou_void_wrong_pct"] == pytest.approx((100 / 3 + 40 + 50) / 3)
    assert (row["distance"], row["n_frames"]) == (1, 1)


def test_boundary_band_leaves_out_the_inside():
    truth, moved = np.zeros((1, 20), int), np.zeros((1, 20), int)
    truth[:, 10:] = 1
    moved[:, 10:] = 1
    moved[:, 0:2] = 1  # wrong, but far from the edge between 9 and 10
    assert row_of(truth, moved)["boundary_miou_pct"] == 100
    moved[:, 7] = 1
    # Band: columns 7..12. Class 0: 2 of 3; class 1: 3 of 4.
    assert row_of(truth, moved)["boundary_miou_pct"] == pytest.approx(100 * (2 / 3 + 3 / 4) / 2)


def test_nothing_known_gives_none():
    row = row_of([[0, 1]], [[255, 255]])
    assert row["void_pct"] == 100
    absent = ("miou_pct", "boundary_miou_pct", "error_pct", "errors_in_3x3_pct", "image_mae", "epe_px")
    assert {row[name] for name in absent} == {None}
    assert row["miou_void_wrong_pct"] == 0


def test_boundary_is_within_the_radius_of_another_class():
    label = np.zeros((7, 12), np.uint8)
    label[:, 6:] = 1
    for radius in (1, 3):
        expected = np.zeros(12, bool)
        expected[6 - radius : 6 + radius] = True
        assert (near_label_boundary(label, radius) == expected).all()


def test_occurs_within_looks_one_pixel_around_and_not_beyond_the_image():
    label = np.array([[1, 0, 0, 0], [0, 0, 0, 2]], np.uint8)
    assert occurs_within(np.full((2, 4), 1, np.uint8), label, 1).tolist() == [[1, 1, 0, 0], [1, 1, 0, 0]]
    assert occurs_within(np.full((2, 4), 2, np.uint8), label, 1).tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]
    assert not occurs_within(np.full((2, 4), 255, np.uint8), label, 1).any()


def test_exact_flow_scores_full_marks(lab):
    motion, _ = lab.estimate()
    rows = score_propagation(lab.dataset, lab.root, "val", lab.synthesise_all(motion), motion)
    assert [row["distance"] for row in rows] == [-3, -2, -1, 1, 2, 3]
    for row in rows:
        assert (row["miou_pct"], row["error_pct"], row["image_mae"], row["epe_px"]) == (100, 0, 0, 0)
        assert row["miou_void_wrong_pct"] < 100
        assert row["errors_in_3x3_pct"] is None
        assert set(row["classes"]) == {"red", "green", "blue"}
    assert [row["n_frames"] for row in rows] == [1, 1, 3, 3, 3, 2]
    void = [row["void_pct"] for row in rows]
    assert void[0] > void[1] > void[2] > 0
    assert 0 < void[3] < void[4] < void[5]


def test_copy_pays_for_the_motion_that_it_ignores(lab):
    motion, _ = lab.estimate("copy")
    row = score_propagation(lab.dataset, lab.root, "val", {1: lab.synthesise(motion, 1)[0]}, motion)[0]
    assert row["epe_px"] == pytest.approx(5**0.5)
    assert row["image_mae"] > 50
    assert 0 < row["miou_pct"] < 90
    # Moving by two columns and a row crosses a block's edge; one pixel around reaches some of it.
    assert 0 < row["errors_in_3x3_pct"] < 100


def test_endpoint_error_is_of_the_step_that_arrives(lab):
    motion, _ = lab.estimate()
    folders = lab.synthesise_all(motion)
    path = motion / "long" / "000" / "00003_to_00002.npy"
    np.save(path, np.load(path) + np.float16(3))
    rows = {row["distance"]: row["epe_px"] for row in score_propagation(lab.dataset, lab.root, "val", folders, motion)}
    # Only key 1 -> 2 -> 3 arrives by that flow: one of three samples at +2.
    assert rows == pytest.approx({-3: 0, -2: 0, -1: 0, 1: 0, 2: 3 * 2**0.5 / 3, 3: 0})


def test_unknown_true_flow_leaves_the_endpoint_error_out(lab, monkeypatch):
    motion, _ = lab.estimate()
    folders = {1: lab.synthesise(motion, 1)[0]}
    monkeypatch.setattr(lab.dataset, "true_flow", lambda *_: None)
    assert score_propagation(lab.dataset, lab.root, "val", folders, motion)[0]["epe_px"] is None


def test_image_error_counts_known_pixels_alone(lab):
    motion, _ = lab.estimate()
    folder, manifest = lab.synthesise(motion, 1)
    for sample in manifest["samples"]:
        image = cv2.imread(str(folder / sample["image"]))
        known = read_label(folder / sample["label"], TRAIN_ID_LUT) != 255
        image[~known] = 0
        image[known] ^= 1  # one grey level up or down
        cv2.imwrite(str(folder / sample["image"]), image)
    row = score_propagation(lab.dataset, lab.root, "val", {1: folder}, motion)[0]
    assert row["image_mae"] == pytest.approx(1)


def test_target_without_truth_is_named(lab, monkeypatch):
    motion, _ = lab.estimate()
    folder, _ = lab.synthesise(motion, 1)
    clips = lab.dataset.clips(lab.root, "val")
    object.__setattr__(clips[0].frames[2], "label", None)
    monkeypatch.setattr(lab.dataset, "clips", lambda *_: clips)
    with pytest.raises(DataError, match=r"image_2\.png: has no true label"):
        score_propagation(lab.dataset, lab.root, "val", {1: folder}, motion)


def test_damaged_sample_is_named(lab):
    motion, _ = lab.estimate()
    folder, _ = lab.synthesise(motion, 1)
    name = read_manifest(folder)["samples"][0]["label"]
    (folder / name).write_bytes((folder / name).read_bytes()[:40])
    with pytest.raises(DataError, match=r"00001_to_00002_label\.png: is no readable label"):
        score_propagation(lab.dataset, lab.root, "val", {1: folder}, motion)
