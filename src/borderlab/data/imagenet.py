"""ImageNet-1k (ILSVRC 2012): the user's own copy.

Either an image folder (`train/<wnid>/*.JPEG`, `val/<wnid>/*.JPEG`) or the official archives in the set's folder:
ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar and ILSVRC2012_devkit_t12.tar.gz.
"""

import shutil
import tarfile
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
from borderlab.errors import DataError
from borderlab.files import atomic_folder

N_CLASSES = 1000
COUNTS = {"train": 1_281_167, "val": 50_000}
TRAIN_TAR, VAL_TAR, DEVKIT = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar", "ILSVRC2012_devkit_t12.tar.gz"
_MAX_BYTES = 200 * 1024**3


class ImageNetOptions(Options):
    """Whether a part of the set will do."""

    allow_partial: bool = Field(False, description="Accept fewer classes and images than the whole set has.")


class ImageNet(ClassificationDataset):
    """ImageNet-1k; class ids are the order of the sorted WordNet ids."""

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="imagenet",
        title="ImageNet-1k (ILSVRC 2012)",
        version="2012",
        classes=tuple(f"class {index}" for index in range(N_CLASSES)),
        access="own copy",
        homepage="https://www.image-net.org",
        licence="ImageNet terms of access; non-commercial research",
    )
    splits: ClassVar[tuple[str, ...]] = ("train", "val")
    options_model: ClassVar[type[Options]] = ImageNetOptions

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        check_split(self, split)
        if not class_folders(root / split):
            self._extract(root, split)
        found = len(self.images(root, split))
        if found != COUNTS[split] and not self._is_partial():
            raise DataError(f"{root / split}: has {found} images, not {COUNTS[split]}; complete your copy")

    def images(self, root: Path, split: str) -> list[LabelledImage]:
        check_split(self, split)
        expected = len(class_folders(root / split)) if self._is_partial() else N_CLASSES
        return folder_images(root / split, expected, self._instructions(root))

    def _is_partial(self) -> bool:
        return bool(self.options.model_dump()["allow_partial"])

    def _instructions(self, root: Path) -> str:
        return (
            f"ImageNet needs an account at {self.info.homepage}: put {TRAIN_TAR}, {VAL_TAR} and {DEVKIT} into {root}, "
            "or name your own train/<wnid>/ and val/<wnid>/ folders in datasets.imagenet.folder"
        )

    def _extract(self, root: Path, split: str) -> None:
        needed = [TRAIN_TAR] if split == "train" else [VAL_TAR, DEVKIT]
        for name in needed:
            if not (root / name).is_file():
                raise DataError(f"{root / name}: is missing; {self._instructions(root)}")
        if split == "train":
            _extract_train(root)
        else:
            _extract_val(root)


def _extract_train(root: Path) -> None:
    """The training archive holds one archive for each class."""
    extract(root / TRAIN_TAR, root / "train_archives", max_bytes=_MAX_BYTES, max_members=2 * N_CLASSES)
    with atomic_folder(root / "train") as part:
        for archive in sorted((root / "train_archives").rglob("*.tar")):
            extract(archive, part / archive.stem, max_bytes=_MAX_BYTES)
    shutil.rmtree(root / "train_archives")


def _extract_val(root: Path) -> None:
    """The validation archive is flat: the development kit says which class each image is of."""
    wnids, truth = _devkit(root / DEVKIT)
    extract(root / VAL_TAR, root / "val_flat", max_bytes=_MAX_BYTES)
    with atomic_folder(root / "val") as part:
        for path, class_number in zip(sorted((root / "val_flat").rglob("*.JPEG")), truth, strict=True):
            (part / wnids[class_number]).mkdir(exist_ok=True)
            path.replace(part / wnids[class_number] / path.name)
    shutil.rmtree(root / "val_flat")


def _devkit(path: Path) -> tuple[dict[int, str], list[int]]:
    """WordNet id of each class number, and the class number of each validation image in order.

    Read without unpickling anything: meta.mat is a MATLAB file, the truth a text file.
    """
    from io import BytesIO

    from scipy.io import loadmat

    with tarfile.open(path) as kit:
        by_name = {Path(member.name).name: member for member in kit if member.isfile()}
        meta, truth = (
            kit.extractfile(by_name[name]) for name in ("meta.mat", "ILSVRC2012_validation_ground_truth.txt")
        )
        if meta is None or truth is None:
            raise DataError(f"{path}: lacks meta.mat or the ground truth; download it again")
        synsets = loadmat(BytesIO(meta.read()), squeeze_me=True)["synsets"]
        numbers = [int(line) for line in truth.read().split()]
    pairs = zip(np.atleast_1d(synsets["ILSVRC2012_ID"]), np.atleast_1d(synsets["WNID"]), strict=True)
    return {int(number): str(wnid) for number, wnid in pairs}, numbers
