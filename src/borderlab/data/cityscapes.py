"""Cityscapes: street scenes with nineteen classes, and thirty-frame videos around the labelled frames.

The split `train_extra` has coarse labels alone: for class-uniform sampling of rare classes.

The set needs an account. `fetch` calls the official downloader (`csDownload` of the package cityscapesscripts, which
keeps the account itself), or says exactly what to put where.

    leftImg8bit/<split>/<city>/<city>_<sequence>_<frame>_leftImg8bit.png
    gtFine/<split>/<city>/<city>_<sequence>_<frame>_gtFine_labelIds.png
    gtCoarse/train_extra/<city>/<city>_<sequence>_<frame>_gtCoarse_labelIds.png      (optional)
    leftImg8bit_sequence/<split>/<city>/<city>_<sequence>_<frame>_leftImg8bit.png    (optional)
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from borderlab.data.archive import extract
from borderlab.data.base import (
    IGNORE_INDEX,
    Clip,
    DatasetInfo,
    FetchSettings,
    Frame,
    Options,
    RemoteFile,
    SegmentationDataset,
    check_split,
)
from borderlab.data.lock import exclusive
from borderlab.errors import DataError

_DOWNLOADS = "https://www.cityscapes-dataset.com/downloads/"
COARSE_SPLIT = "train_extra"
COUNTS = {"train": 2975, "val": 500, "test": 1525, COARSE_SPLIT: 19998}
# MD5 sums as the set's own site gives them.
PACKAGES = {
    "gtFine": RemoteFile("gtFine_trainvaltest.zip", _DOWNLOADS, md5="4237c19de34c8a376e9ba46b495d6f66"),
    "leftImg8bit": RemoteFile("leftImg8bit_trainvaltest.zip", _DOWNLOADS, md5="0a6e97e94b616a514066c9e2adb0c97f"),
}
# The labelled frame is the twentieth of its thirty, which are 1/17 s apart.
FRAMES_BEFORE, FRAMES_AFTER = 19, 10
INTERVAL_S = 1 / 17

LABEL_IDS = {
    "road": 7, "sidewalk": 8, "building": 11, "wall": 12, "fence": 13, "pole": 17, "traffic light": 19,
    "traffic sign": 20, "vegetation": 21, "terrain": 22, "sky": 23, "person": 24, "rider": 25, "car": 26,
    "truck": 27, "bus": 28, "train": 31, "motorcycle": 32, "bicycle": 33,
}  # fmt: skip
LARGEST_LABEL_ID = 33

_NAME = re.compile(r"(?P<city>.+)_(?P<sequence>\d{6})_(?P<frame>\d{6})_leftImg8bit\.png")
_MAX_BYTES = 40 * 1024**3


class CityscapesOptions(Options):
    """Whether a part of the set will do."""

    allow_partial: bool = Field(False, description="Accept fewer images than the split has.")


class Cityscapes(SegmentationDataset):
    """Cityscapes with fine labels; clips where the thirty-frame sequences are there."""

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="cityscapes",
        title="Cityscapes (fine labels)",
        version="gtFine",
        classes=tuple(LABEL_IDS),
        access="account",
        homepage="https://www.cityscapes-dataset.com",
        licence="Cityscapes licence agreement; non-commercial",
    )
    splits: ClassVar[tuple[str, ...]] = ("train", "val", "test", COARSE_SPLIT)
    options_model: ClassVar[type[Options]] = CityscapesOptions

    @property
    def label_lut(self) -> NDArray[np.int16]:
        return label_id_lut()

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        check_split(self, split)
        if split == COARSE_SPLIT:
            _check_coarse_folders(root)
        else:
            for kind, package in PACKAGES.items():
                if not (root / kind / split).is_dir():
                    _fetch_package(root, kind, package)
        found = len(self.frames(root, split))
        _check_orphans(root, split)
        if found != COUNTS[split] and not self.options.model_dump()["allow_partial"]:
            raise DataError(
                f"{root / 'leftImg8bit' / split}: has {found} images, not {COUNTS[split]}; {_by_hand(root)}"
            )

    def frames(self, root: Path, split: str) -> list[Frame]:
        check_split(self, split)
        images = sorted((root / "leftImg8bit" / split).glob("*/*_leftImg8bit.png"))
        if not images:
            raise DataError(f"{root / 'leftImg8bit' / split}: holds no images; {_by_hand(root)}")
        return [_frame(root, split, image) for image in images]

    def clips(self, root: Path, split: str) -> list[Clip]:
        """One clip of thirty frames around each labelled frame.

        Raises:
            DataError: if the sequences, or one frame of them, are missing.
        """
        folder = root / "leftImg8bit_sequence" / split
        if not folder.is_dir():
            raise DataError(
                f"{folder}: is missing; propagation needs leftImg8bit_sequence_trainvaltest.zip (324 GB) in {root}: "
                f"csDownload -d {root} leftImg8bit_sequence_trainvaltest.zip"
            )
        return [_clip(folder, labelled) for labelled in self.frames(root, split)]


def label_id_lut() -> NDArray[np.int16]:
    """Train id of each of Cityscapes' label ids 0..33; KITTI uses the same ids."""
    lut = np.full(256, -1, dtype=np.int16)
    lut[: LARGEST_LABEL_ID + 1] = IGNORE_INDEX
    # Licence plates have the id -1, which 8 bits store as 255.
    lut[IGNORE_INDEX] = IGNORE_INDEX
    for train_id, label_id in enumerate(LABEL_IDS.values()):
        lut[label_id] = train_id
    return lut


def _frame(root: Path, split: str, image: Path) -> Frame:
    stem = image.name.removesuffix("_leftImg8bit.png")
    if split == "test":
        # The label files of this split are dummies: the truth is kept by the set's own server.
        return Frame(f"{split}/{stem}", image, None)
    kind = _label_kind(split)
    label = root / kind / split / image.parent.name / f"{stem}_{kind}_labelIds.png"
    if not label.is_file():
        raise DataError(f"{label}: is missing, though its image is there; complete your copy of {kind}")
    return Frame(f"{split}/{stem}", image, label)


def _label_kind(split: str) -> str:
    return "gtCoarse" if split == COARSE_SPLIT else "gtFine"


def _check_coarse_folders(root: Path) -> None:
    """The coarse packages (45 GB) join folders that exist already, so they are the user's to put there."""
    for folder, package in (("leftImg8bit", "leftImg8bit_trainextra.zip"), ("gtCoarse", "gtCoarse.zip")):
        if not (root / folder / COARSE_SPLIT).is_dir():
            raise DataError(
                f"{root / folder / COARSE_SPLIT}: is missing; csDownload -d {root} {package}, then unzip it in {root}"
            )


def _check_orphans(root: Path, split: str) -> None:
    """Raise `DataError` if a label has no image."""
    kind = _label_kind(split)
    for label in sorted((root / kind / split).glob(f"*/*_{kind}_labelIds.png")):
        stem = label.name.removesuffix(f"_{kind}_labelIds.png")
        image = root / "leftImg8bit" / split / label.parent.name / f"{stem}_leftImg8bit.png"
        if not image.is_file():
            raise DataError(f"{image}: is missing, though its label is there; complete your copy of leftImg8bit")


def _clip(folder: Path, labelled: Frame) -> Clip:
    match = _NAME.fullmatch(labelled.image.name)
    if match is None:
        raise DataError(f"{labelled.image}: is not named <city>_<sequence>_<frame>_leftImg8bit.png")
    city, sequence, number = match["city"], match["sequence"], int(match["frame"])
    frames = []
    for offset in range(-FRAMES_BEFORE, FRAMES_AFTER + 1):
        stem = f"{city}_{sequence}_{number + offset:06d}"
        image = folder / city / f"{stem}_leftImg8bit.png"
        if not image.is_file():
            raise DataError(f"{image}: is missing from the clip around {labelled.sample_id}; complete your copy")
        frames.append(Frame(f"{folder.name}/{stem}", image, labelled.label if offset == 0 else None))
    return Clip(labelled.sample_id.replace("/", "_"), tuple(frames), INTERVAL_S)


def _fetch_package(root: Path, kind: str, package: RemoteFile) -> None:
    """Make the folder `kind` out of its package, which is downloaded unless it lies in `root` already."""
    from borderlab.data.fetch import is_whole

    if (root / kind).is_dir():
        # A copy of the user's own: complete or replace it, that is for them to say.
        raise DataError(f"{root / kind}: lacks this split; complete your copy or remove it; {_by_hand(root)}")
    archive = root / package.path
    if not archive.is_file() and shutil.which("csDownload") is None:
        raise DataError(f"{archive}: is missing; {_by_hand(root)}")
    with exclusive(root):
        if (root / kind).is_dir():
            # Another process did it while this one waited.
            return
        if not is_whole(archive, package):
            _download(root, package)
        extract(archive, root / f"{kind}.extracted", max_bytes=_MAX_BYTES)
        (root / f"{kind}.extracted" / kind).replace(root / kind)
        shutil.rmtree(root / f"{kind}.extracted")


def _download(root: Path, package: RemoteFile) -> None:
    """Call the official downloader; it resumes, verifies, and keeps the account, which never passes through here."""
    from borderlab.data.fetch import is_whole

    command = shutil.which("csDownload")
    if command is None:
        raise DataError(f"{root / package.path}: is not whole (MD5); delete it or {_by_hand(root)}")
    # Without an input to type into: an unseen question would hold up the workflow for ever.
    done = subprocess.run([command, "-d", str(root), "-r", package.path], check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    if done.returncode != 0:
        raise DataError(f"{package.path}: csDownload ended with {done.returncode}; run it by hand: {_by_hand(root)}")
    if not is_whole(root / package.path, package):
        raise DataError(f"{root / package.path}: is not whole (MD5); delete it and {_by_hand(root)}")


def _by_hand(root: Path) -> str:
    names = " ".join(package.path for package in PACKAGES.values())
    return (
        f"with an account at {Cityscapes.info.homepage}: pip install 'borderlab[cityscapes]', "
        f"then csDownload -d {root} -r {names}"
    )
