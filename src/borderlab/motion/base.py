"""What a motion model is: two neighbouring frames in, flow out.

Convention:
    flow is float32 of shape (2, height, width), in pixels: channel 0 is u, to the right; channel 1 is v, downwards.
    It lives on the pixel grid of frame `from_index` and points to where the same point lies in frame `to_index`.
    The origin is the centre of the top left pixel.
"""

from abc import ABC, abstractmethod
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from borderlab.data.base import Clip, SegmentationDataset
from borderlab.data.decode import read_image
from borderlab.errors import DataError

Flow = NDArray[np.float32]

_CACHED_FRAMES = 8


class ClipReader:
    """Frames of one clip, read when they are asked for; the last few stay in memory."""

    def __init__(self, dataset: SegmentationDataset, root: Path, split: str, clip: Clip) -> None:
        self.dataset, self.root, self.split, self.clip = dataset, root, split, clip
        self.image = lru_cache(_CACHED_FRAMES)(self._read)

    @property
    def name(self) -> str:
        """Name of the clip."""
        return self.clip.name

    def __len__(self) -> int:
        return len(self.clip.frames)

    def true_flow(self, from_index: int, to_index: int) -> Flow:
        """Exact flow between two frames.

        Raises:
            DataError: if the data set does not know it.
        """
        flow = self.dataset.true_flow(self.root, self.split, self.name, from_index, to_index)
        if flow is None:
            raise DataError(f"{self.dataset.info.name}: true flow is not known; choose another motion model")
        return flow

    def _read(self, index: int) -> NDArray[np.uint8]:
        return read_image(self.clip.frames[index].image)


class MotionModel(ABC):
    """Estimates the flow between two frames of a clip."""

    name: str

    @abstractmethod
    def flow(self, clip: ClipReader, from_index: int, to_index: int) -> Flow:
        """Flow (2 h w) from frame `from_index` to frame `to_index`, in pixels."""
