"""Mapillary Vistas 1.2: street scenes from all over the world with 65 classes; the user's own copy.

    config.json                          the classes, in the order of their label ids
    training/images/<name>.jpg
    training/labels/<name>.png           palette images of label ids 0..65; 65 is `Unlabeled`
    validation/images, validation/labels

Source: Neuhold et al. 2017, "The Mapillary Vistas Dataset for Semantic Understanding of Street Scenes".
"""

import json
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from borderlab.data.base import (
    IGNORE_INDEX,
    DatasetInfo,
    FetchSettings,
    Frame,
    Options,
    SegmentationDataset,
    check_split,
)
from borderlab.errors import DataError

UNLABELLED = 65
FOLDERS = {"train": "training", "val": "validation"}
COUNTS = {"train": 18000, "val": 2000}

CLASSES = (
    "bird", "ground animal", "curb", "fence", "guard rail", "barrier", "wall", "bike lane", "crosswalk - plain",
    "curb cut", "parking", "pedestrian area", "rail track", "road", "service lane", "sidewalk", "bridge",
    "building", "tunnel", "person", "bicyclist", "motorcyclist", "other rider", "lane marking - crosswalk",
    "lane marking - general", "mountain", "sand", "sky", "snow", "terrain", "vegetation", "water", "banner",
    "bench", "bike rack", "billboard", "catch basin", "cctv camera", "fire hydrant", "junction box", "mailbox",
    "manhole", "phone booth", "pothole", "street light", "pole", "traffic sign frame", "utility pole",
    "traffic light", "traffic sign (back)", "traffic sign (front)", "trash can", "bicycle", "boat", "bus", "car",
    "caravan", "motorcycle", "on rails", "other vehicle", "trailer", "truck", "wheeled slow", "car mount",
    "ego vehicle",
)  # fmt: skip


class MapillaryOptions(Options):
    """Whether a part of the set will do."""

    allow_partial: bool = Field(False, description="Accept fewer images than the split has.")


class Mapillary(SegmentationDataset):
    """Mapillary Vistas 1.2, research edition: the pre-training set of Zhu et al. 2019."""

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="mapillary",
        title="Mapillary Vistas 1.2",
        version="1.2",
        classes=CLASSES,
        access="own copy",
        homepage="https://www.mapillary.com/dataset/vistas",
        licence="Mapillary Vistas research edition; see the set's page",
        notes=("Number of validation images: from the set's description, not counted here.",),
    )
    splits: ClassVar[tuple[str, ...]] = tuple(FOLDERS)
    options_model: ClassVar[type[Options]] = MapillaryOptions

    @property
    def label_lut(self) -> NDArray[np.int16]:
        lut = super().label_lut
        lut[UNLABELLED] = IGNORE_INDEX
        return lut

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        check_split(self, split)
        _check_classes(root / "config.json", self._instructions(root))
        found = len(self.frames(root, split))
        if found != COUNTS[split] and not self.options.model_dump()["allow_partial"]:
            raise DataError(
                f"{root / FOLDERS[split]}: has {found} images, not {COUNTS[split]}; {self._instructions(root)}"
            )

    def frames(self, root: Path, split: str) -> list[Frame]:
        check_split(self, split)
        folder = root / FOLDERS[split]
        images = sorted((folder / "images").glob("*.jpg"))
        if not images:
            raise DataError(f"{folder / 'images'}: holds no images; {self._instructions(root)}")
        return [_frame(folder, split, image) for image in images]

    def _instructions(self, root: Path) -> str:
        return f"register at {self.info.homepage} and extract the archive of version 1.2 into {root}"


def _frame(folder: Path, split: str, image: Path) -> Frame:
    label = folder / "labels" / f"{image.stem}.png"
    if not label.is_file():
        raise DataError(f"{label}: is missing, though its image is there; complete your copy")
    return Frame(f"{split}/{image.stem}", image, label)


def _check_classes(path: Path, instructions: str) -> None:
    """Raise `DataError` unless the copy numbers its classes as this module does; version 2.0 has other ones."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["labels"]
        names = [str(entry["readable"]).lower() for entry in entries]
    except OSError as fault:
        raise DataError(f"{path}: is missing; {instructions}") from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise DataError(f"{path}: is no configuration of Mapillary Vistas ({fault!r}); {instructions}") from fault
    if tuple(names[:UNLABELLED]) != CLASSES:
        differing = [name for name, own in zip(names, CLASSES, strict=False) if name != own]
        first = f"{differing[0]!r} among others" if differing else f"{len(names)} of them"
        raise DataError(f"{path}: has other classes than version 1.2 ({first}); {instructions}")
