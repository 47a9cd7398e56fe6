"""Errors by their distance from a border: distances and shares by hand."""

import base64
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from borderlab.data.base import IGNORE_INDEX
from borderlab.errors import RunError
from borderlab.pictures import colour_error, colour_label, write_pictures
from borderlab.report.borders import borders_of, object_distance_px, wrong_pct

LABEL = np.uint8([[0] * 4 + [1] * 5] * 7)


def test_objects_touch_at_distance_0_and_lie_apart_by_the_longer_side() -> None:
    rows = object_distance_px(colour_label(LABEL)).tolist()
    assert rows == [[3, 2, 1, 0, 0, 1, 2, 3, 4]] * 7
    square = np.zeros((9, 9), np.uint8)
    square[4, 4] = 1
    # The pixel and its eight neighbours touch; from there it is the larger of the two offsets.
    assert object_distance_px(colour_label(square))[0].tolist() == [3] * 9
    assert object_distance_px(colour_label(square))[4].tolist() == [3, 2, 1, 0, 0, 0, 1, 2, 3]


def test_a_label_of_one_class_has_no_border() -> None:
    assert (object_distance_px(colour_label(np.zeros((4, 4), np.uint8))) > 100).all()


def test_shares_count_wrong_pixels_within_reach_and_leave_void_out() -> None:
    target, pred = LABEL.copy(), LABEL.copy()
    target[0, 3], pred[1, 3], pred[2, 8] = IGNORE_INDEX, 1, 0
    distance = object_distance_px(colour_label(LABEL))
    shares = wrong_pct(colour_error(target, pred), distance, [1, 2])
    # Two columns touch (14 pixels, one void, one wrong), four lie nearer than 2, and the other error is far away.
    assert shares == pytest.approx([100 / 13, 100 / 27, 200 / 62])


def test_void_alone_has_no_share() -> None:
    void = np.full((3, 3), IGNORE_INDEX, np.uint8)
    assert all(math.isnan(share) for share in wrong_pct(colour_error(void, LABEL[:3, :3]), np.zeros((3, 3)), [1]))


def test_a_gallery_gets_distances_as_a_picture_and_a_text_for_each_reach(tmp_path: Path) -> None:
    pred = LABEL.copy()
    pred[0, :] = 1 - pred[0, :]
    write_pictures(tmp_path, {"label": colour_label(LABEL), "error": colour_error(LABEL, pred)})
    found = borders_of("image", tmp_path / "label.png", [None, tmp_path / "error.png"])
    assert found.reaches_px == [1, 2]
    # The outermost ring has 28 of 63 pixels; the ring within it, 20.
    assert list(found.shares) == [[], [f"{900 / 28:.1f} % wrong", f"{900 / 48:.1f} % wrong", f"{900 / 63:.1f} % wrong"]]
    content = base64.b64decode(found.distance.partition("base64,")[2])
    distance = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert distance[3].tolist() == [0, 1, 2, 3, 3, 3, 2, 1, 0]


def test_a_missing_error_picture_is_named(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"label": colour_label(LABEL)})
    with pytest.raises(RunError, match=r"error\.png: is missing or no picture"):
        borders_of("object", tmp_path / "label.png", [tmp_path / "error.png"])
