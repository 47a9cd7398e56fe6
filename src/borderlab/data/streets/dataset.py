"""The data set `streets`: clips rendered once into files, with everything that is known about them.

<split>/<clip>/frame_000.png          RGB
               label_000.png          train ids
               flow_fwd_000.npy       float16 (2 h w), to the next frame; none for the last frame
               flow_bwd_000.npy       to the previous frame; none for the first
               occluded_fwd_000.png   255 where a pixel is not seen in the next frame
               occluded_bwd_000.png
"""

import sys
from pathlib import Path
from typing import Annotated, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from rich.progress import track

from borderlab.codehash import code_hash
from borderlab.data.base import (
    Clip,
    DatasetInfo,
    FetchSettings,
    Frame,
    Options,
    SegmentationDataset,
    check_split,
)
from borderlab.data.streets.classes import CLASSES
from borderlab.errors import DataError
from borderlab.files import atomic_folder, sha256_of_json

INTERVAL_S = 1 / 15
# Worlds of different splits never share a seed.
_SPLIT_SEEDS = {"train": 0, "val": 1, "test": 2}


class StreetsOptions(Options):
    """How much is rendered, how large, and from which seed."""

    height: Annotated[int, Field(ge=32, le=2048)] = Field(120, description="Height of a frame, in pixels.")
    width: Annotated[int, Field(ge=32, le=4096)] = Field(160, description="Width of a frame, in pixels.")
    clips_train: Annotated[int, Field(ge=1)] = 12
    clips_val: Annotated[int, Field(ge=1)] = 4
    clips_test: Annotated[int, Field(ge=1)] = 4
    frames_per_clip: Annotated[int, Field(ge=2, le=300)] = 11
    noise_sigma: Annotated[float, Field(ge=0, le=50)] = Field(2.5, description="Sensor noise, in grey levels.")
    seed: Annotated[int, Field(ge=0)] = 0


class Streets(SegmentationDataset):
    """Short driving videos of a rendered street world, with exact labels, flow and occlusion."""

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="streets",
        title="Streets: a rendered street world with exact truth",
        version="1",
        classes=CLASSES,
        access="embedded",
        homepage="rendered by borderlab.data.streets",
        licence="CC0-1.0",
        notes=("Rendered, not filmed: a test bed for what needs exact truth, not a substitute for street video.",),
    )
    splits: ClassVar[tuple[str, ...]] = ("train", "val", "test")
    options_model: ClassVar[type[Options]] = StreetsOptions

    @property
    def settings(self) -> StreetsOptions:
        """The options, by their own type."""
        if not isinstance(self.options, StreetsOptions):
            raise TypeError(f"streets takes StreetsOptions, not {type(self.options).__name__}")
        return self.options

    @property
    def identity(self) -> str:
        # The renderer is the data set's source: what it does is part of the content.
        return sha256_of_json({"options": super().identity, "renderer": code_hash(("borderlab.data.streets.clip",))})

    @property
    def folder_name(self) -> str:
        return f"streets-{self.identity[:8]}"

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        check_split(self, split)
        names = self._clip_names(split)
        visible = settings.progress and sys.stderr.isatty()
        for index, name in enumerate(track(names, description=f"render {split}", disable=not visible)):
            if not (root / split / name).is_dir():
                with atomic_folder(root / split / name) as part:
                    self._render(split, index, part)

    def frames(self, root: Path, split: str) -> list[Frame]:
        return [frame for clip in self.clips(root, split) for frame in clip.frames]

    def clips(self, root: Path, split: str) -> list[Clip]:
        check_split(self, split)
        clips = []
        for name in self._clip_names(split):
            folder = root / split / name
            if not folder.is_dir():
                raise DataError(f"{folder}: is missing; run `borderlab fetch streets --split {split}`")
            frames = tuple(
                Frame(
                    f"{split}/{name}/{index:03d}", folder / f"frame_{index:03d}.png", folder / f"label_{index:03d}.png"
                )
                for index in range(self.settings.frames_per_clip)
            )
            clips.append(Clip(name, frames, INTERVAL_S))
        return clips

    def true_flow(self, root: Path, split: str, clip: str, from_index: int, to_index: int) -> NDArray[np.float32]:
        path = root / split / clip / f"flow_{_direction(from_index, to_index)}_{from_index:03d}.npy"
        try:
            return np.load(path, allow_pickle=False).astype(np.float32)
        except (OSError, ValueError, EOFError) as fault:
            raise DataError(f"{path}: true flow cannot be read ({fault}); delete {path.parent}, then fetch") from fault

    def true_occlusion(self, root: Path, split: str, clip: str, from_index: int, to_index: int) -> NDArray[np.bool_]:
        path = root / split / clip / f"occluded_{_direction(from_index, to_index)}_{from_index:03d}.png"
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise DataError(f"{path}: true occlusion cannot be read; delete {path.parent}, then fetch")
        return mask > 0

    def _clip_names(self, split: str) -> list[str]:
        counts = {"train": self.settings.clips_train, "val": self.settings.clips_val, "test": self.settings.clips_test}
        return [f"clip_{index:03d}" for index in range(counts[split])]

    def _render(self, split: str, index: int, folder: Path) -> None:
        from borderlab.data.streets.clip import render_clip

        options = self.settings
        seed = (options.seed, _SPLIT_SEEDS[split], index)
        frames = render_clip(seed, options.frames_per_clip, options.height, options.width, options.noise_sigma)
        for number, frame in enumerate(frames):
            _write_png(folder / f"frame_{number:03d}.png", cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))
            _write_png(folder / f"label_{number:03d}.png", frame.label)
            truths = (("fwd", frame.flow_fwd, frame.occluded_fwd), ("bwd", frame.flow_bwd, frame.occluded_bwd))
            for direction, flow, occluded in truths:
                if flow is not None and occluded is not None:
                    np.save(folder / f"flow_{direction}_{number:03d}.npy", flow.astype(np.float16))
                    _write_png(folder / f"occluded_{direction}_{number:03d}.png", occluded.astype(np.uint8) * 255)


def _direction(from_index: int, to_index: int) -> str:
    if abs(to_index - from_index) != 1:
        raise DataError(f"streets knows the flow between neighbouring frames, not from {from_index} to {to_index}")
    return "fwd" if to_index > from_index else "bwd"


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    if not cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1]):
        raise DataError(f"{path}: cannot be written; check that the disk has room and the folder is yours")
