"""Imagenette: ten easy classes of ImageNet, as public archives, or as a copy squared to 96x96.

Most validation images carry ImageNet-train names: no clean test for ImageNet-pretrained weights.
"""

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
from borderlab.errors import DataError
from borderlab.files import atomic_folder, sha256_of_file, write_json

ADDRESS = "https://s3.amazonaws.com/fast-ai-imageclas"
_ARCHIVES = {"full": "imagenette2", "320": "imagenette2-320", "160": "imagenette2-160", "96": "imagenette2-160"}
_COUNTS = {"train": 9469, "val": 3925}
_MAX_BYTES = 4 * 1024**3
_SQUARE_PX = 96
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
        notes=("No hash of the archives is public: the one that was seen is written beside the images.",),
    )  # fmt: skip
    splits: ClassVar[tuple[str, ...]] = ("train", "val")
    options_model: ClassVar[type[Options]] = ImagenetteOptions

    @property
    def size(self) -> str:
        """The size that was asked for."""
        return str(self.options.model_dump()["size"])

    @property
    def folder_name(self) -> str:
        return f"imagenette-{self.size}"

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        check_split(self, split)
        if len(class_folders(root / split)) == len(self.info.classes):
            return self._check(root, split)
        mirror = Path(settings.mirror) if settings.mirror and "://" not in settings.mirror else None
        if mirror is not None and (mirror / split).is_dir():
            with atomic_folder(root / split) as part:
                shutil.copytree(mirror / split, part, dirs_exist_ok=True)
        else:
            self._fetch_archive(root, settings)
        self._check(root, split)

    def images(self, root: Path, split: str) -> list[LabelledImage]:
        check_split(self, split)
        return folder_images(root / split, len(self.info.classes), "run `borderlab fetch imagenette`")

    def _check(self, root: Path, split: str) -> None:
        found = len(self.images(root, split))
        if found != _COUNTS[split]:
            raise DataError(f"{root / split}: has {found} images, not {_COUNTS[split]}; delete it and fetch again")

    def _fetch_archive(self, root: Path, settings: FetchSettings) -> None:
        from borderlab.data.fetch import fetch_files

        name = _ARCHIVES[self.size]
        file = RemoteFile(f"{name}.tgz", f"{ADDRESS}/{name}.tgz")
        fetch_files([file], root, settings)
        write_json(root / "archive.json", {"file": file.path, "sha256_seen": sha256_of_file(root / file.path)})
        extract(root / file.path, root / "extracted", max_bytes=_MAX_BYTES)
        for split in self.splits:
            source = root / "extracted" / name / split
            with atomic_folder(root / split) as part:
                _take(source, part, square=self.size == "96")
        shutil.rmtree(root / "extracted")


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
    squared.save(target, quality=_JPEG_QUALITY)
