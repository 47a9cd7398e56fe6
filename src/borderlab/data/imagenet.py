"""ImageNet-1k (ILSVRC 2012): the user's own copy.

Either an image folder (`train/<wnid>/*.JPEG`, `val/<wnid>/*.JPEG`) or the official archives in the set's folder:
ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar and ILSVRC2012_devkit_t12.tar.gz.
"""

import csv
import shutil
import tarfile
import zlib
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from borderlab.data.archive import extract
from borderlab.data.base import (
    ClassificationDataset,
    DatasetInfo,
    FetchSettings,
    LabelledImage,
    Options,
    check_split,
)
from borderlab.data.imagefolder import class_folders, folder_images
from borderlab.data.lock import exclusive
from borderlab.errors import DataError
from borderlab.files import atomic_folder

COUNTS = {"train": 1_281_167, "val": 50_000}
TRAIN_TAR, VAL_TAR, DEVKIT = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar", "ILSVRC2012_devkit_t12.tar.gz"
_DEVKIT_FILES = ("meta.mat", "ILSVRC2012_validation_ground_truth.txt")
_MAX_BYTES = 200 * 1024**3


def _classes() -> dict[str, str]:
    """Name of each WordNet id, sorted by id: the order of the class ids. Two names stand twice: those keep the id."""
    text = files("borderlab.data").joinpath("manifests/imagenet_classes.csv").read_text(encoding="utf-8")
    return {row["wnid"]: row["name"] for row in csv.DictReader(text.splitlines())}


CLASSES = _classes()


class ImageNetOptions(Options):
    """Whether a part of the set will do."""

    allow_partial: bool = Field(False, description="Accept fewer classes and images than the whole set has.")


class ImageNet(ClassificationDataset):
    """ImageNet-1k; class ids are the order of the sorted WordNet ids."""

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="imagenet",
        title="ImageNet-1k (ILSVRC 2012)",
        version="2012",
        classes=tuple(CLASSES.values()),
        access="own copy",
        homepage="https://www.image-net.org",
        licence="ImageNet terms of access; non-commercial research",
    )
    splits: ClassVar[tuple[str, ...]] = ("train", "val")
    options_model: ClassVar[type[Options]] = ImageNetOptions

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        check_split(self, split)
        if not class_folders(root / split):
            self._require_archives(root, split)
            with exclusive(root):
                _extract(root, split)
        found = len(self.images(root, split))
        if found != COUNTS[split] and not self._is_partial():
            raise DataError(f"{root / split}: has {found} images, not {COUNTS[split]}; complete your copy")

    def images(self, root: Path, split: str) -> list[LabelledImage]:
        check_split(self, split)
        return folder_images(root / split, list(CLASSES), self._instructions(root), partial=self._is_partial())

    def _is_partial(self) -> bool:
        return bool(self.options.model_dump()["allow_partial"])

    def _instructions(self, root: Path) -> str:
        return (
            f"ImageNet needs an account at {self.info.homepage}: put {TRAIN_TAR}, {VAL_TAR} and {DEVKIT} into {root}, "
            "or name your own train/<wnid>/ and val/<wnid>/ folders in datasets.imagenet.folder"
        )

    def _require_archives(self, root: Path, split: str) -> None:
        for name in [TRAIN_TAR] if split == "train" else [VAL_TAR, DEVKIT]:
            if not (root / name).is_file():
                raise DataError(f"{root / name}: is missing; {self._instructions(root)}")


def _extract(root: Path, split: str) -> None:
    if class_folders(root / split):
        # Another process did it while this one waited.
        return
    if split == "train":
        _extract_train(root)
    else:
        _extract_val(root)


def _extract_train(root: Path) -> None:
    """The training archive holds one archive for each class."""
    extract(root / TRAIN_TAR, root / "train_archives", max_bytes=_MAX_BYTES, max_members=2 * len(CLASSES))
    with atomic_folder(root / "train") as part:
        for archive in sorted((root / "train_archives").rglob("*.tar")):
            extract(archive, part / archive.stem, max_bytes=_MAX_BYTES)
    shutil.rmtree(root / "train_archives")


def _extract_val(root: Path) -> None:
    """The validation archive is flat: the development kit says which class each image is of."""
    wnids, truth = _devkit(root / DEVKIT)
    extract(root / VAL_TAR, root / "val_flat", max_bytes=_MAX_BYTES)
    paths = sorted((root / "val_flat").rglob("*.JPEG"))
    if len(paths) != len(truth):
        raise DataError(f"{root / VAL_TAR}: holds {len(paths)} images but {DEVKIT} tells {len(truth)}; get both again")
    with atomic_folder(root / "val") as part:
        for path, class_number in zip(paths, truth, strict=True):
            (part / wnids[class_number]).mkdir(exist_ok=True)
            path.replace(part / wnids[class_number] / path.name)
    shutil.rmtree(root / "val_flat")


def _devkit(path: Path) -> tuple[dict[int, str], list[int]]:
    """WordNet id of each class number, and the class number of each validation image in order.

    Read without unpickling anything: meta.mat is a MATLAB file, the truth a text file.
    """
    from io import BytesIO

    from scipy.io import loadmat

    try:
        with tarfile.open(path) as kit:
            members = {Path(member.name).name: member for member in kit if member.isfile()}
            meta, truth = (_content(kit, members[name]) for name in _DEVKIT_FILES)
        synsets = loadmat(BytesIO(meta), squeeze_me=True)["synsets"]
        pairs = zip(np.atleast_1d(synsets["ILSVRC2012_ID"]), np.atleast_1d(synsets["WNID"]), strict=True)
        wnids = {int(number): str(wnid) for number, wnid in pairs}
        numbers = [int(line) for line in truth.split()]
    except (tarfile.TarError, OSError, EOFError, zlib.error, KeyError, ValueError) as fault:
        reason = " ".join(str(fault).split())
        raise DataError(f"{path}: does not tell the validation classes ({reason}); download it again") from fault
    if unknown := set(numbers) - set(wnids):
        raise DataError(f"{path}: has no WordNet id for class number {min(unknown)}; download it again")
    return wnids, numbers


def _content(kit: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = kit.extractfile(member)
    return b"" if stream is None else stream.read()
