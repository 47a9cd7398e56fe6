"""The images of a probe: evenly spread over a split, whole or in windows, as they are stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from borderlab.data.augment import centre_crop
from borderlab.data.base import ClassificationDataset, Dataset, SegmentationDataset
from borderlab.data.source import IN_MEMORY_LIMIT_BYTES, Pixels, Sample, SampleSource, Target
from borderlab.errors import RunError
from borderlab.pictures import spread
from borderlab.probe.spec import ProbeSpec
from borderlab.propagation.samples import TrainingFrame
from borderlab.spec import EvaluationSpec
from borderlab.training.sources import FrameSource, ImageSource


@dataclass(frozen=True)
class ProbeBatch:
    """RGB images of one size, and their classes (n) or train ids (n h w)."""

    image: UInt8[Tensor, "n h w 3"]
    target: Int[Tensor, " n"] | UInt8[Tensor, "n h w"]


class Remembered:
    """A source that keeps what it was asked for, up to a limit: a probe passes over the same few images many times."""

    def __init__(self, source: SampleSource, limit_bytes: int = IN_MEMORY_LIMIT_BYTES) -> None:
        self.source, self.room_bytes = source, limit_bytes
        self.kept: dict[int, Sample] = {}

    def __len__(self) -> int:
        return len(self.source)

    def load(self, index: int) -> Sample:
        """Image and target, from memory where they are kept."""
        if index in self.kept:
            return self.kept[index]
        image, target = self.source.load(index)
        taken = image.nbytes + (target.nbytes if isinstance(target, np.ndarray) else 0)
        if taken <= self.room_bytes:
            self.room_bytes -= taken
            self.kept[index] = (image, target)
        return image, target

    def sample_id(self, index: int) -> str:
        """Name of one sample."""
        return self.source.sample_id(index)


class ProbeImages:
    """Images of one split by the settings of a probe.

    Args:
        source: decoded samples.
        spec: how many of them, and how large.
    """

    def __init__(self, source: SampleSource, spec: ProbeSpec) -> None:
        self.source, self.spec = source, spec
        self._size: tuple[int, ...] | None = None
        self.indices = spread(len(source), spec.n_images)

    def __len__(self) -> int:
        return len(self.indices)

    def batches(self) -> Iterator[ProbeBatch]:
        """All images, cropped in their centre."""
        self._size = None
        for group in self._groups():
            cropped = [self._centre(*self._load(index)) for index in group]
            images = self._stack([image for image, _ in cropped])
            yield ProbeBatch(images, _stack_targets([own for _, own in cropped]))

    def shifted_pairs(
        self, shift: tuple[int, int]
    ) -> Iterator[tuple[UInt8[Tensor, "n h w 3"], UInt8[Tensor, "n h w 3"]]]:
        """Two windows of each image, the second one `shift` = (down, right) pixels farther: no pixel is made up.

        The windows are as large as the probe's size, or as the image leaves room for.
        """
        self._size = None
        for group in self._groups():
            pairs = [_windows(self._load(index)[0], self.spec.size, shift) for index in group]
            first, second = zip(*pairs, strict=True)
            yield self._stack(list(first)), self._stack(list(second))

    def _groups(self) -> Iterator[list[int]]:
        step = self.spec.batch_size
        for start in range(0, len(self.indices), step):
            yield self.indices[start : start + step]

    def _load(self, index: int) -> tuple[Pixels, Target]:
        image, target = self.source.load(index)
        if isinstance(target, np.ndarray):
            return image, target
        return centre_crop(image, EvaluationSpec(resize=self.spec.resize)), target

    def _centre(self, image: Pixels, target: Target) -> tuple[Pixels, Target]:
        if self.spec.size is None:
            return image, target
        _check_room(image, self.spec.size)
        top, left = ((have - want) // 2 for have, want in zip(image.shape, self.spec.size, strict=False))
        rows, columns = slice(top, top + self.spec.size[0]), slice(left, left + self.spec.size[1])
        return image[rows, columns], target[rows, columns] if isinstance(target, np.ndarray) else target

    def _stack(self, images: list[Pixels]) -> UInt8[Tensor, "n h w 3"]:
        """One tensor; sums over cells of a map need one size throughout a pass."""
        sizes = {image.shape[:2] for image in images} | ({self._size} if self._size else set())
        if len(sizes) > 1:
            raise RunError(f"images have sizes {sorted(sizes)}: set the probe's size")
        (self._size,) = sizes
        return torch.from_numpy(np.stack(images))


def probe_images(spec: ProbeSpec, dataset: Dataset, data_folder: Path) -> ProbeImages:
    """The images of `spec`.

    Raises:
        DataError: if samples are missing.
        RunError: if the split is empty.
    """
    source: SampleSource
    if isinstance(dataset, ClassificationDataset):
        source = ImageSource(dataset.images(data_folder, spec.split))
    else:
        assert isinstance(dataset, SegmentationDataset)  # noqa: S101  (there is no third kind)
        lut = dataset.label_lut
        source = FrameSource([TrainingFrame(frame, lut) for frame in dataset.frames(data_folder, spec.split)])
    if not len(source):
        raise RunError(f"{spec.dataset.key}/{spec.split}: has no image to probe with")
    return ProbeImages(Remembered(source), spec)


def _windows(image: Pixels, size: tuple[int, int] | None, shift: tuple[int, int]) -> tuple[Pixels, Pixels]:
    have_height, have_width = image.shape[:2]
    down, right = shift
    wanted = image.shape[:2] if size is None else size
    height, width = min(wanted[0], have_height - down), min(wanted[1], have_width - right)
    if min(height, width) < 1:
        have = f"{have_height}x{have_width} px"
        raise RunError(f"an image of {have} has no two windows {shift} px apart: lower shifts_px")
    # Centred, so that both windows together lie as far from the photograph's own border as they can.
    top, left = (have_height - height - down) // 2, (have_width - width - right) // 2
    first = image[top : top + height, left : left + width]
    return first, image[top + down : top + down + height, left + right : left + right + width]


def _check_room(image: Pixels, size: tuple[int, int]) -> None:
    height, width = image.shape[:2]
    if height < size[0] or width < size[1]:
        raise RunError(f"an image of {height}x{width} px is smaller than the probe's size {size}: set resize")


def _stack_targets(targets: list[Target]) -> Int[Tensor, " n"] | UInt8[Tensor, "n h w"]:
    return torch.from_numpy(np.stack([np.asarray(target) for target in targets]))
