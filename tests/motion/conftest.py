"""A clip that pans over a textured plane: every motion model must see which way it moves."""

import cv2
import numpy as np
import pytest

from borderlab.data.base import Clip, DatasetInfo, Frame, SegmentationDataset
from borderlab.motion.base import ClipReader

PAN = (3, -2)
SIZE = (96, 128)
N_FRAMES = 8


class Pan(SegmentationDataset):
    """Frame i shows the plane from column 3 i and row 20 - 2 i on."""

    info = DatasetInfo("pan", "Pan", "1", ("plane",), "embedded", "", "CC0-1.0")
    splits = ("val", "other")

    def fetch(self, root, split, settings):
        noise = np.random.default_rng(0).integers(0, 256, (140, 180, 3)).astype(np.uint8)
        plane = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4.0), None, 0, 255, cv2.NORM_MINMAX)
        for index in range(N_FRAMES):
            row, column = 20 + PAN[1] * index, PAN[0] * index
            cv2.imwrite(str(root / f"{index}.png"), plane[row : row + SIZE[0], column : column + SIZE[1]])

    def frames(self, root, split):
        return list(self.clips(root, split)[0].frames)

    def clips(self, root, split):
        return [Clip("clip", tuple(Frame(str(i), root / f"{i}.png", None) for i in range(N_FRAMES)), 0.1)]

    def true_flow(self, root, split, clip, from_index, to_index):
        # The plane moves against the camera.
        flow = np.empty((2, *SIZE), np.float32)
        flow[:] = -(to_index - from_index) * np.array(PAN, np.float32)[:, None, None]
        return flow


@pytest.fixture
def pan_reader(tmp_path):
    """Reader of the panning clip, freshly written."""
    dataset = Pan()
    dataset.fetch(tmp_path, "val", None)
    return ClipReader(dataset, tmp_path, "val", dataset.clips(tmp_path, "val")[0])
