"""Streets as a data set: rendered on the spot, no download, exact truth for every pixel of every frame.

The renderer, OpenCV and rich are imported where clips are made and read: the workflow imports this module to plan.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from borderlab.codehash import code_hash
from borderlab.data.base import Clip, DatasetInfo, FetchSettings, Frame, SegmentationDataset, check_split
from borderlab.data.streets.camera import FRAME_INTERVAL_S
from borderlab.data.streets.clip_files import clip_name, frame_path, is_whole, label_path
from borderlab.data.streets.options import SPLITS, Split, StreetsOptions
from borderlab.data.streets.taxonomy import CLASS_NAMES
from borderlab.errors import DataError
from borderlab.files import sha256_of_json

# The module whose code, with all that it imports, decides what a clip looks like.
RENDERER = "borderlab.data.streets.render"


class Streets(SegmentationDataset):
    """Driving videos of a rendered street world in the eleven classes of CamVid.

    Splits share materials (the textures of fronts, cars, people) but no world: each clip has its own street, traffic,
    time of day and noise, drawn from the seed, the split and the clip's index.
    """

    options: StreetsOptions

    info = DatasetInfo(
        name="streets",
        title="Streets: rendered driving videos with exact labels, flow and occlusion",
        version="1",
        classes=CLASS_NAMES,
        access="embedded",
        homepage="https://creativecommons.org/publicdomain/zero/1.0/",
        licence="CC0-1.0",
        notes=(
            "Rendered by Borderlab itself; nothing is downloaded.",
            "Class order and meaning follow CamVid in its SegNet copy; litter bins are void.",
            "Stylised: scores on it compare methods of propagation and say nothing of real streets.",
        ),
    )
    splits = SPLITS
    options_model = StreetsOptions

    @property
    def identity(self) -> str:
        return sha256_of_json({"data": super().identity, "renderer": code_hash((RENDERER,))})

    @property
    def folder_name(self) -> str:
        return f"{self.info.name}-{self.identity[:8]}"

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        """Render the clips of `split` that are not there yet."""
        from rich.progress import track

        from borderlab.data.streets.render import render_clip
        from borderlab.data.streets.storage import write_clip

        known = self._split(split)
        indices = range(self.options.clip_count(known))
        missing = [index for index in indices if not is_whole(self._clip(root, known, index), self._length)]
        for index in track(missing, f"streets {split}", disable=not settings.progress):
            write_clip(self._clip(root, known, index), render_clip(self.options, known, index))

    def frames(self, root: Path, split: str) -> list[Frame]:
        return [frame for clip in self.clips(root, split) for frame in clip.frames]

    def recording(self, frame: Frame) -> str:
        return frame.sample_id.rpartition("/")[0]

    def clips(self, root: Path, split: str) -> list[Clip]:
        """Videos of `split`, every frame labelled.

        Raises:
            DataError: if a clip is missing or incomplete.
        """
        known = self._split(split)
        return [self._read_clip(root, known, index) for index in range(self.options.clip_count(known))]

    def true_flow(self, root: Path, split: str, clip: str, from_index: int, to_index: int) -> NDArray[np.float32]:
        """Flow (2, h, w) of each pixel of frame `from_index` to its place in `to_index`, u right, v down, in pixels.

        Raises:
            DataError: if the frames are not neighbours of the clip, or a file is missing.
        """
        from borderlab.data.streets.storage import read_flow

        step = self._step(clip, from_index, to_index)
        return read_flow(root / self._split(split) / clip, from_index, step)

    def true_occlusion(self, root: Path, split: str, clip: str, from_index: int, to_index: int) -> NDArray[np.bool_]:
        """True (h, w) where what frame `from_index` shows is not visible in `to_index` (see `truth.true_motion`).

        Raises:
            DataError: if the frames are not neighbours of the clip, or a file is missing.
        """
        from borderlab.data.streets.storage import read_occlusion

        step = self._step(clip, from_index, to_index)
        return read_occlusion(root / self._split(split) / clip, from_index, step)

    @property
    def _length(self) -> int:
        return self.options.frames_per_clip

    def _split(self, split: str) -> Split:
        check_split(self, split)
        return next(known for known in SPLITS if known == split)

    def _clip(self, root: Path, split: Split, index: int) -> Path:
        return root / split / clip_name(index)

    def _step(self, clip: str, from_index: int, to_index: int) -> int:
        """1 or -1; flow is stored between neighbours only."""
        inside = min(from_index, to_index) >= 0 and max(from_index, to_index) < self._length
        if not inside or abs(to_index - from_index) != 1:
            raise DataError(
                f"streets: {clip} has no flow from frame {from_index} to {to_index}; "
                f"ask for neighbours among 0..{self._length - 1}"
            )
        return to_index - from_index

    def _read_clip(self, root: Path, split: Split, index: int) -> Clip:
        folder = self._clip(root, split, index)
        if not is_whole(folder, self._length):
            raise DataError(
                f"streets: {folder} is missing or incomplete; fetch it first: borderlab fetch streets --split {split} "
                "--config FILE"
            )
        frames = tuple(
            Frame(f"{split}/{folder.name}/{number:03d}", frame_path(folder, number), label_path(folder, number))
            for number in range(self._length)
        )
        return Clip(folder.name, frames, FRAME_INTERVAL_S)
