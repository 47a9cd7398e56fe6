"""Loaders whose batches depend on seed and epoch alone, whatever the number of workers.

Each sample has a random generator of its own, seeded by (seed, epoch, place in the epoch); the order of an epoch is
seeded by (seed, epoch). So a run that resumes at an epoch needs no state of the loader, and a worker more or less
changes no bit.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.random import Generator, SeedSequence, default_rng
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from borderlab.spec import MemoryFormat

IN_MEMORY_LIMIT_BYTES = 2 * 1024**3
_ORDER, _SAMPLE = 0, 1

Pixels = NDArray[np.uint8]
Target = NDArray[np.uint8] | int
Sample = tuple[Pixels, Target]
Statistics = tuple[float, float, float]
Change = Callable[[Pixels, Target, Generator], Sample]


class SampleSource(Protocol):
    """Samples by index, decoded: uint8 RGB (h, w, 3) and a class or a label (h, w)."""

    def __len__(self) -> int: ...

    def load(self, index: int) -> Sample:
        """Image and target of one sample."""

    def sample_id(self, index: int) -> str:
        """Name of one sample."""


@dataclass(frozen=True)
class Batch:
    """Normalised images (n 3 h w), targets (n or n h w, int64), and the samples' names."""

    image: Tensor
    target: Tensor
    sample_ids: tuple[str, ...]


@dataclass(frozen=True)
class Normalisation:
    """From uint8 RGB to what a network expects: in 0..1, minus mean, divided by standard deviation."""

    mean: Statistics
    std: Statistics
    memory_format: MemoryFormat = "channels_last"

    def __call__(self, images: Tensor) -> Tensor:
        """Float32 (n 3 h w) of uint8 (n h w 3)."""
        width = images.shape[2]
        # Whole rows at a time: an inner axis of three channels would be too short for vector instructions.
        rows = images.float().flatten(2)
        rows.sub_((255 * torch.tensor(self.mean)).repeat(width)).div_((255 * torch.tensor(self.std)).repeat(width))
        # Permuting (n h w 3) gives channels-last memory without a copy.
        normalised = rows.unflatten(2, (width, 3)).permute(0, 3, 1, 2)
        return normalised if self.memory_format == "channels_last" else normalised.contiguous()

    @property
    def fill(self) -> tuple[int, int, int]:
        """The uint8 colour nearest to zero after normalisation."""
        red, green, blue = (round(255 * value) for value in self.mean)
        return red, green, blue


class InMemory:
    """A source that decodes each sample once, if all of them fit into `limit_bytes`."""

    def __init__(self, source: SampleSource, limit_bytes: int = IN_MEMORY_LIMIT_BYTES) -> None:
        self.source = source
        self.samples: list[Sample] = []
        if len(source) and len(source) * _bytes_of(source.load(0)) <= limit_bytes:
            self.samples = [source.load(index) for index in range(len(source))]

    def __len__(self) -> int:
        return len(self.source)

    def load(self, index: int) -> Sample:
        """Image and target, from memory where they are kept; they must not be written to."""
        return self.samples[index] if self.samples else self.source.load(index)

    def sample_id(self, index: int) -> str:
        """Name of one sample."""
        return self.source.sample_id(index)


class TrainingLoader:
    """Batches of randomly changed samples; incomplete last batches are dropped.

    Args:
        source: the training set.
        change: random change of one sample; all samples must come out at one size.
        normalisation: applied to whole batches.
        batch_size: samples in a batch.
        seed: decides order and changes, together with the epoch.
        samples_per_epoch: samples drawn in one epoch; the whole set once where absent. More than the set holds draws
            it again in another order.
        workers: processes that load; decides no bit.
    """

    def __init__(
        self,
        source: SampleSource,
        change: Change,
        normalisation: Normalisation,
        *,
        batch_size: int,
        seed: int,
        samples_per_epoch: int | None = None,
        workers: int = 0,
    ) -> None:
        self.n_samples = len(source)
        self.batch_size = batch_size
        self.seed = seed
        self.drawn = self.n_samples if samples_per_epoch is None else samples_per_epoch
        self.normalisation = normalisation
        self.epoch = 0
        self._loader = DataLoader(
            _Changed(source, change, seed), batch_sampler=_Draws(self), collate_fn=_collate, num_workers=workers
        )

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration yields."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self.drawn // self.batch_size

    def __iter__(self) -> Iterator[Batch]:
        return (_normalise(raw, self.normalisation) for raw in self._loader)

    def order(self) -> NDArray[np.int64]:
        """Indices of the samples of the current epoch, in order."""
        rounds = -(-self.drawn // self.n_samples) if self.n_samples else 0
        random = default_rng(SeedSequence((_ORDER, self.seed, self.epoch)))
        permutations = [random.permutation(self.n_samples) for _ in range(rounds)]
        return np.concatenate(permutations)[: self.drawn] if permutations else np.empty(0, np.int64)


class EvaluationLoader:
    """Batches of unchanged samples in their own order; images of other sizes begin a new batch."""

    def __init__(
        self,
        source: SampleSource,
        change: Callable[[Pixels], Pixels],
        normalisation: Normalisation,
        *,
        batch_size: int,
        n_classes: int,
        workers: int = 0,
    ) -> None:
        self.n_samples = len(source)
        self.n_classes = n_classes
        self.batch_size = batch_size
        self.source = source
        self.normalisation = normalisation
        self._loader = DataLoader(_Plain(source, change), batch_size=None, num_workers=workers)

    def __iter__(self) -> Iterator[Batch]:
        waiting: list[_Raw] = []
        for raw in self._loader:
            if waiting and (len(waiting) == self.batch_size or waiting[0][0].shape != raw[0].shape):
                yield _normalise(_collate(waiting), self.normalisation)
                waiting = []
            waiting.append(raw)
        if waiting:
            yield _normalise(_collate(waiting), self.normalisation)


_Raw = tuple[Pixels, Target, str]


class _Changed(Dataset[_Raw]):
    """Samples by (epoch, place, index)."""

    def __init__(self, source: SampleSource, change: Change, seed: int) -> None:
        self.source, self.change, self.seed = source, change, seed

    def __getitem__(self, draw: tuple[int, int, int]) -> _Raw:
        epoch, place, index = draw
        random = default_rng(SeedSequence((_SAMPLE, self.seed, epoch, place)))
        return *self.change(*self.source.load(index), random), self.source.sample_id(index)


class _Plain(Dataset[_Raw]):
    """Samples by index."""

    def __init__(self, source: SampleSource, change: Callable[[Pixels], Pixels]) -> None:
        self.source, self.change = source, change

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> _Raw:
        image, target = self.source.load(index)
        return self.change(image), target, self.source.sample_id(index)


class _Draws:
    """Lists of (epoch, place, index), one for each batch of the loader's epoch."""

    def __init__(self, loader: TrainingLoader) -> None:
        self.loader = loader

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[list[tuple[int, int, int]]]:
        size = self.loader.batch_size
        order = self.loader.order().tolist()
        for start in range(0, len(self) * size, size):
            yield [(self.loader.epoch, place, order[place]) for place in range(start, start + size)]


def _collate(samples: Sequence[_Raw]) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    images = torch.from_numpy(np.stack([image for image, _, _ in samples]))
    targets = torch.from_numpy(np.stack([np.asarray(target) for _, target, _ in samples]))
    return images, targets, tuple(name for _, _, name in samples)


def _normalise(raw: Any, normalisation: Normalisation) -> Batch:
    images, targets, names = raw
    return Batch(normalisation(images), targets.long(), names)


def _bytes_of(sample: Sample) -> int:
    image, target = sample
    return image.nbytes + (target.nbytes if isinstance(target, np.ndarray) else 0)
