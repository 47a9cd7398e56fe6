"""Frames are read when they are asked for, and kept for a while."""

import numpy as np
import pytest

from borderlab.errors import DataError


def test_reader_knows_its_clip(pan_reader):
    assert (pan_reader.name, len(pan_reader)) == ("clip", 8)


def test_frame_is_rgb_and_read_once(pan_reader, tmp_path):
    image = pan_reader.image(2)
    assert (image.dtype, image.shape) == (np.uint8, (96, 128, 3))
    (tmp_path / "2.png").unlink()
    assert pan_reader.image(2) is image


def test_frames_are_not_read_ahead(pan_reader, tmp_path):
    (tmp_path / "3.png").unlink()
    pan_reader.image(2)
    with pytest.raises(DataError, match=r"3\.png"):
        pan_reader.image(3)


def test_readers_share_no_frames(pan_reader, tmp_path):
    other = type(pan_reader)(pan_reader.dataset, tmp_path, "val", pan_reader.clip)
    pan_reader.image(0)
    (tmp_path / "0.png").unlink()
    with pytest.raises(DataError):
        other.image(0)


def test_true_flow_comes_from_the_data_set(pan_reader):
    assert pan_reader.true_flow(0, 2)[:, 5, 5].tolist() == [-6.0, 4.0]
