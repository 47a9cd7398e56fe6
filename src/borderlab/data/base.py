"""What a data set is to the rest of Borderlab: the whole contract in one file.

A data set is one module in this folder that defines one subclass of `ClassificationDataset` or `SegmentationDataset`
and its place in `_CLASSES` of `borderlab.data`. Importing it must not import torch: the workflow reads the registry
each time it plans.

Convention:
    images are uint8 RGB of shape (height, width, 3); labels are uint8 of shape (height, width) that hold train ids
    0..n_classes-1, and `IGNORE_INDEX` where there is no truth. Files hold label ids; `label_lut` turns the one into
    the other, so the two never share a variable.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from borderlab.errors import DataError
from borderlab.files import sha256_of_json

IGNORE_INDEX = 255
INVALID_LABEL = -1

Access = Literal["embedded", "public", "account", "own copy"]


@dataclass(frozen=True)
class RemoteFile:
    """One downloadable file: where it lies below the data set's folder, where it comes from, how it is recognised."""

    path: str
    url: str
    bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None


@dataclass(frozen=True)
class DatasetInfo:
    """What a person must know of a data set before using it."""

    name: str
    title: str
    version: str
    classes: tuple[str, ...]
    access: Access
    homepage: str
    licence: str
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class LabelledImage:
    """One image of a classification set; `image` is a file, or the uint8 pixels themselves for embedded sets."""

    sample_id: str
    image: Path | NDArray[np.uint8]
    class_id: int


@dataclass(frozen=True)
class Frame:
    """One image of a segmentation set and, where it has one, the file of its label ids."""

    sample_id: str
    image: Path
    label: Path | None


@dataclass(frozen=True)
class Clip:
    """Consecutive frames of one video, oldest first, equally spaced in time."""

    name: str
    frames: tuple[Frame, ...]
    interval_s: float


class Options(BaseModel):
    """Settings of a data set that change its content; most sets have none."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FetchSettings(BaseModel):
    """How to fetch: none of this changes what is fetched.

    `mirror` is a folder or an http(s) address that holds the public copy's layout and is asked before it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mirror: str | None = None
    connections: int = 8
    attempts: int = 5
    timeout_s: float = 30.0
    progress: bool = True

    @property
    def mirror_folder(self) -> Path | None:
        """The mirror, if it is a folder."""
        return None if self.mirror is None or "://" in self.mirror else Path(self.mirror)


class Dataset(ABC):
    """A data set, wherever its files lie. Instances hold options only and are cheap to make."""

    info: ClassVar[DatasetInfo]
    splits: ClassVar[tuple[str, ...]]
    options_model: ClassVar[type[Options]] = Options

    def __init__(self, options: Options | None = None) -> None:
        self.options = self.options_model() if options is None else options

    @property
    def identity(self) -> str:
        """Hash of everything that decides the content: two data sets with one identity hold the same samples.

        Sets with a manifest add its hash, rendered sets the hash of their renderer.
        """
        return sha256_of_json(
            {"name": self.info.name, "version": self.info.version, "options": self.options.model_dump(mode="json")}
        )

    @property
    def has_fixed_content(self) -> bool:
        """Whether `identity` decides every byte: sums on record are checked, or code that counts makes the files."""
        return self.info.access in ("embedded", "public")

    @property
    def folder_name(self) -> str:
        """Name of the data set's folder below the data folder."""
        return self.info.name

    @abstractmethod
    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        """Make `split` complete below `root` (the data set's own folder) and verify it.

        Idempotent and atomic: a file is whole and verified, or absent. Raises `DataError` with exact instructions
        where the user must act (account, licence, own copy).
        """

    @abstractmethod
    def count(self, root: Path, split: str) -> int:
        """Number of samples of `split` found below `root`."""


class ClassificationDataset(Dataset):
    """Images with one class each."""

    task: ClassVar[Literal["classification"]] = "classification"

    @abstractmethod
    def images(self, root: Path, split: str) -> list[LabelledImage]:
        """Samples of `split` in a fixed order."""

    def count(self, root: Path, split: str) -> int:
        return len(self.images(root, split))


class SegmentationDataset(Dataset):
    """Images with a class for each pixel; often frames of a video."""

    task: ClassVar[Literal["segmentation"]] = "segmentation"

    @property
    def label_lut(self) -> NDArray[np.int16]:
        """Train id of each label id 0..255; `IGNORE_INDEX` for void, `INVALID_LABEL` for ids that must not occur.

        By default label ids are train ids and `IGNORE_INDEX` is void.
        """
        lut = np.full(256, INVALID_LABEL, dtype=np.int16)
        lut[: len(self.info.classes)] = np.arange(len(self.info.classes))
        lut[IGNORE_INDEX] = IGNORE_INDEX
        return lut

    @abstractmethod
    def frames(self, root: Path, split: str) -> list[Frame]:
        """Labelled frames of `split` in a fixed order."""

    def recording(self, frame: Frame) -> str:
        """Name of the recording that `frame` is of, whose frames are no independent draws; by default its own."""
        return frame.sample_id

    def clips(self, root: Path, split: str) -> list[Clip]:
        """Videos of `split`, with unlabelled frames where there are some; none by default."""
        return []

    def true_flow(
        self, root: Path, split: str, clip: str, from_index: int, to_index: int
    ) -> NDArray[np.float32] | None:
        """Exact flow (2, height, width) between neighbouring frames of a clip, where it is known."""
        return None

    def true_occlusion(
        self, root: Path, split: str, clip: str, from_index: int, to_index: int
    ) -> NDArray[np.bool_] | None:
        """True where the pixel of frame `from_index` is not visible in frame `to_index`, where it is known."""
        return None

    def count(self, root: Path, split: str) -> int:
        return len(self.frames(root, split))


def check_split(dataset: Dataset, split: str) -> None:
    """Raise `DataError` unless `split` is one of the data set's."""
    if split not in dataset.splits:
        allowed = ", ".join(dataset.splits)
        raise DataError(f"{dataset.info.name}: no split {split!r}; it has {allowed}")
