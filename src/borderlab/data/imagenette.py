"""Imagenette: ten easy classes of ImageNet, as public archives, or as a copy squared to 96x96.

Most validation images carry ImageNet-train names: no clean test for ImageNet-pretrained weights.
"""

import hashlib
import logging
import shutil
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from borderlab.data.archive import extract
from borderlab.data.base import (
    ClassificationDataset,
    DatasetInfo,
    FetchSettings,
    LabelledImage,
    Options,
    RemoteFile,
    check_split,
)
from borderlab.data.imagefolder import class_folders, folder_images
from borderlab.data.lock import exclusive
from borderlab.errors import DataError
from borderlab.files import atomic_folder, sha256_of_file, write_json

log = logging.getLogger(__name__)

# In the order of the class names.
WNIDS = (
    "n01440764", "n02102040", "n02979186", "n03000684", "n03028079",
    "n03394916", "n03417042", "n03425413", "n03445777", "n03888257",
)  # fmt: skip
ADDRESS = "https://s3.amazonaws.com/fast-ai-imageclas"
_ARCHIVES = {"full": "imagenette2", "320": "imagenette2-320", "160": "imagenette2-160", "96": "imagenette2-160"}
# As torchvision 0.28 records them.
_MD5 = {
    "imagenette2": "fe2fc210e6bb7c5664d602c3cd71e612",
    "imagenette2-320": "3df6f0d01a2c9592104656642f5e78a3",
    "imagenette2-160": "e793b78cc4c9e9a4ccc0c1155377a412",
}
_COUNTS = {"train": 9469, "val": 3925}
_MAX_BYTES = 4 * 1024**3
_SQUARE_PX = 96
# `content_sha256` of the 96-pixel copy that results refer to.
_SQUARE_SHA256 = {
    "train": "1454bf1bc46781e8dc0adf2c570de4b2a21f323900a3b6c063f2f817d02767f8",
    "val": "458eb98408a2adc68798264db8a9c9414faaa3cc57507df2e12acfa3dc9e1832",
}
_JPEG_QUALITY = 82


class ImagenetteOptions(Options):
    """Which of the public sizes."""

    size: Literal["full", "320", "160", "96"] = Field(
        "160", description="Shorter side of the images, in pixels; 96: squared to 96x96."
    )


class Imagenette(ClassificationDataset):
    """Imagenette: 9,469 + 3,925 photographs of ten classes."""

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="imagenette",
        title="Imagenette (ten classes of ImageNet)",
        version="2",
        classes=(
            "tench", "English springer", "cassette player", "chain saw", "church",
            "French horn", "garbage truck", "gas pump", "golf ball", "parachute",
        ),
        access="public",
        homepage="https://github.com/fastai/imagenette",
        licence="Apache-2.0 for the selection; the images are ImageNet's",
        notes=(
            "Most validation images carry ImageNet-train names: no clean test for ImageNet-pretrained weights.",
            "The bytes of the 96-pixel copy depend on the JPEG encoder: content_<split>.json tells which one is there.",
        ),
    )  # fmt: skip
    splits: ClassVar[tuple[str, ...]] = ("train", "val")
    options_model: ClassVar[type[Options]] = ImagenetteOptions

    @property
    def size(self) -> str:
        """The size that was asked for."""
        return str(self.options.model_dump()["size"])

    @property
    def has_fixed_content(self) -> bool:
        """The 96-pixel copy is made here, or taken from a mirror: JPEG encoders differ."""
        return self.size != "96"

    @property
    def folder_name(self) -> str:
        return f"imagenette-{self.size}"

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        check_split(self, split)
        if not self._is_there(root, split):
            with exclusive(root):
                self._make(root, split, settings)
        self._check(root, split)

    def _is_there(self, root: Path, split: str) -> bool:
        return len(class_folders(root / split)) == len(self.info.classes)

    def _make(self, root: Path, split: str, settings: FetchSettings) -> None:
        if self._is_there(root, split):
            # Another process did it while this one waited.
            return
        mirror = settings.mirror_folder
        if self.size == "96" and mirror is not None and (mirror / split).is_dir():
            with atomic_folder(root / split) as part:
                _copy(mirror / split, part)
            _record_content(root, split)
        else:
            self._fetch_archive(root, settings)

    def images(self, root: Path, split: str) -> list[LabelledImage]:
        check_split(self, split)
        return folder_images(root / split, WNIDS, f"run `borderlab fetch imagenette --split {split} --config FILE`")

    def _check(self, root: Path, split: str) -> None:
        found = len(self.images(root, split))
        if found != _COUNTS[split]:
            raise DataError(f"{root / split}: has {found} images, not {_COUNTS[split]}; delete it and fetch again")

    def _fetch_archive(self, root: Path, settings: FetchSettings) -> None:
        from borderlab.data.fetch import fetch_files

        name = _ARCHIVES[self.size]
        file = RemoteFile(f"{name}.tgz", f"{ADDRESS}/{name}.tgz", md5=_MD5[name])
        fetch_files([file], root, settings)
        write_json(root / "archive.json", {"file": file.path, "sha256_seen": sha256_of_file(root / file.path)})
        extract(root / file.path, root / "extracted", max_bytes=_MAX_BYTES)
        for split in self.splits:
            # A split that is there may be in use.
            if not self._is_there(root, split):
                with atomic_folder(root / split) as part:
                    _take(root / "extracted" / name / split, part, square=self.size == "96")
                if self.size == "96":
                    _record_content(root, split)
        shutil.rmtree(root / "extracted")


def _copy(source: Path, destination: Path) -> None:
    """Copy the class folders of a 96-pixel copy.

    Raises:
        DataError: if an image has another size, or cannot be copied.
    """
    from simplejpeg import decode_jpeg_header

    try:
        for path in sorted(source.glob("*/*.jpg")):
            content = path.read_bytes()
            size = decode_jpeg_header(content)[:2]
            if size != (_SQUARE_PX, _SQUARE_PX):
                raise DataError(f"{path}: is {size[0]}x{size[1]}, not {_SQUARE_PX}x{_SQUARE_PX}; name another mirror")
            target = destination / path.parent.name / path.name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content)
    except ValueError as fault:
        raise DataError(f"{path}: is no JPEG image; name another mirror") from fault
    except OSError as fault:
        raise DataError(f"{destination}: cannot be copied from {source} ({fault})") from fault


def _record_content(root: Path, split: str) -> None:
    """Write `content_<split>.json`: which 96-pixel copy is there, and whether it is the one that results refer to."""
    seen = content_sha256(root / split)
    write_json(root / f"content_{split}.json", {"sha256": seen, "reference_sha256": _SQUARE_SHA256[split]})
    if seen != _SQUARE_SHA256[split]:
        log.warning("%s: other bytes than the copy that published results used; numbers may differ", root / split)


def content_sha256(folder: Path) -> str:
    """SHA-256 over the hashes and names of all images `<class>/<name>.jpg`, as `sha256sum` prints them."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*/*.jpg"), key=lambda path: (path.parent.name, path.name)):
        digest.update(f"{sha256_of_file(path)}  {path.parent.name}/{path.name}\n".encode())
    return digest.hexdigest()


def _take(source: Path, destination: Path, *, square: bool) -> None:
    """Move or square every image of one split."""
    for path in sorted(source.glob("*/*.JPEG")):
        target = destination / path.parent.name / (f"{path.stem}.jpg" if square else path.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if square:
            _write_square(path, target)
        else:
            path.replace(target)


def _write_square(source: Path, target: Path) -> None:
    from PIL import Image

    with Image.open(source) as image:
        squared = image.convert("RGB").resize((_SQUARE_PX, _SQUARE_PX), Image.Resampling.LANCZOS)
    squared.save(target, quality=_JPEG_QUALITY, optimize=True)
