"""Loaders whose batches depend on seed, epoch and place alone, whatever the number of workers.

Samples are drawn from an endless row of permutations of the training set, each seeded by (seed, its place in the
row); an epoch is a stretch of that row. So every sample is used equally often whatever the length of an epoch. Each
sample's changes have a random generator of their own, seeded by (seed, epoch, place in the epoch). A run that resumes
at any batch therefore needs no state of the loader and replays nothing, and a worker more or less changes no bit.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from numpy.random import SeedSequence, default_rng
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from borderlab.data.batch import Batch, NamedSample, Normalisation, RawBatch, Statistics, join, stack
from borderlab.data.class_uniform import ClassUniform, Focus
from borderlab.data.source import IN_MEMORY_LIMIT_BYTES, InMemory, Pixels, Sample, SampleSource, Target
from borderlab.errors import BorderlabError

__all__ = [
    "IN_MEMORY_LIMIT_BYTES",
    "Batch",
    "Change",
    "EvaluationLoader",
    "InMemory",
    "Normalisation",
    "Pixels",
    "Sample",
    "SampleSource",
    "Statistics",
    "Target",
    "TrainingLoader",
]

_ORDER, _SAMPLE, _CLASSES = 0, 1, 2

Change = Callable[..., tuple[NDArray[Any], Target]]
"""Image, target and generator to a sample; `focus`, a pixel that it must hold, where one was drawn.

In place of an image it may give numbers that the batch maker makes one from.
"""
Draw = tuple[int, int, int, Focus | None]


class BatchMaker(Protocol):
    """Turns stacked samples into batches; `Normalisation` is one."""

    def batch(self, raw: RawBatch) -> Batch:
        """The batch that a network is given."""


class TrainingLoader:
    """Batches of randomly changed samples; incomplete last batches are dropped.

    Args:
        source: the training set.
        change: random change of one sample; all samples must come out at one size.
        normalisation: makes whole batches of stacked samples.
        batch_size: samples in a batch.
        seed: decides order and changes, together with the epoch; not negative.
        samples_per_epoch: samples drawn in one epoch; the whole set once where absent.
        workers: processes that load; decides no bit.
        class_uniform: draws of a share of each epoch.
        n_plain: the samples from here on are drawn by `class_uniform` alone; none where absent.
    """

    def __init__(
        self,
        source: SampleSource,
        change: Change,
        normalisation: BatchMaker,
        *,
        batch_size: int,
        seed: int,
        samples_per_epoch: int | None = None,
        workers: int = 0,
        class_uniform: ClassUniform | None = None,
        n_plain: int | None = None,
    ) -> None:
        self.n_samples = len(source) if n_plain is None else n_plain
        self.class_uniform = class_uniform
        self.batch_size = batch_size
        self.seed = seed
        self.drawn = self.n_samples if samples_per_epoch is None else samples_per_epoch
        self.n_uniform = 0 if class_uniform is None else round(class_uniform.share * self.drawn)
        self.normalisation = normalisation
        self.epoch = 0
        self.first_batch = 0
        self._loader = _data_loader(
            _Changed(source, change, seed), workers, batch_sampler=_Draws(self), collate_fn=_collate
        )

    def set_epoch(self, epoch: int, first_batch: int = 0) -> None:
        """Choose the epoch that the next iteration yields, and the batch at which it begins."""
        self.epoch, self.first_batch = epoch, first_batch

    def __len__(self) -> int:
        """Batches of a whole epoch."""
        return self.drawn // self.batch_size if self.n_samples else 0

    def __iter__(self) -> Iterator[Batch]:
        return (self.normalisation.batch(_sound(loaded)) for loaded in self._loader)

    def order(self) -> NDArray[np.int64]:
        """Indices of the samples of the current epoch that are drawn alike, in order."""
        wanted = self.drawn - self.n_uniform
        if not self.n_samples or not wanted:
            return np.empty(0, np.int64)
        first = self.epoch * wanted
        rounds = range(first // self.n_samples, -(-(first + wanted) // self.n_samples))
        row = np.concatenate([self._permutation(index) for index in rounds])
        start = first % self.n_samples
        return row[start : start + wanted]

    def draws(self) -> list[list[Draw]]:
        """(epoch, place, index, focus) of each sample of each batch, from the first batch asked for."""
        size, order = self.batch_size, self._mixed_order()
        starts = range(self.first_batch * size, len(self) * size, size)
        return [[(self.epoch, place, *order[place]) for place in range(start, start + size)] for start in starts]

    def _mixed_order(self) -> list[tuple[int, Focus | None]]:
        """All samples of the current epoch, in order."""
        plain: list[tuple[int, Focus | None]] = [(index, None) for index in self.order().tolist()]
        if self.class_uniform is None or not self.n_samples:
            return plain
        random = default_rng(SeedSequence((_CLASSES, self.seed, self.epoch)))
        both = [*plain, *self.class_uniform.draw(self.epoch, self.n_uniform, random)]
        return [both[index] for index in random.permutation(len(both))]

    def _permutation(self, index: int) -> NDArray[np.int64]:
        return default_rng(SeedSequence((_ORDER, self.seed, index))).permutation(self.n_samples)


class EvaluationLoader:
    """Batches of unchanged samples in their own order; images of other sizes begin a new batch."""

    def __init__(
        self,
        source: SampleSource,
        change: Callable[[Any], NDArray[Any]],
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
        self._loader = _data_loader(_Plain(source, change), workers, batch_size=None, collate_fn=_collate_one)

    def __iter__(self) -> Iterator[Batch]:
        return (self.normalisation.batch(raw) for raw in self.raw_batches())

    def raw_batches(self) -> Iterable[RawBatch]:
        """Batches in bytes."""
        waiting: list[RawBatch] = []
        for raw in self.raw():
            if waiting and (len(waiting) == self.batch_size or waiting[0].image.shape != raw.image.shape):
                yield join(waiting)
                waiting = []
            waiting.append(raw)
        if waiting:
            yield join(waiting)

    def raw(self) -> Iterator[RawBatch]:
        """Samples one by one, in bytes."""
        return (_sound(loaded) for loaded in self._loader)


class KeptEvaluationLoader(EvaluationLoader):
    """Makes its batches once and keeps them: for samples that are no more than numbers of their places."""

    def raw_batches(self) -> Iterable[RawBatch]:
        return self._kept

    @cached_property
    def _kept(self) -> list[RawBatch]:
        return list(super().raw_batches())


class _Changed(Dataset[NamedSample | BorderlabError]):
    """Samples by (epoch, place, index, focus)."""

    def __init__(self, source: SampleSource, change: Change, seed: int) -> None:
        self.source, self.change, self.seed = source, change, seed

    def __getitem__(self, draw: Draw) -> NamedSample | BorderlabError:
        epoch, place, index, focus = draw
        random = default_rng(SeedSequence((_SAMPLE, self.seed, epoch, place)))
        options = {} if focus is None else {"focus": focus}
        try:
            return *self.change(*self.source.load(index), random, **options), self.source.sample_id(index)
        except BorderlabError as fault:
            return fault


class _Plain(Dataset[NamedSample | BorderlabError]):
    """Samples by index."""

    def __init__(self, source: SampleSource, change: Callable[[Any], NDArray[Any]]) -> None:
        self.source, self.change = source, change

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> NamedSample | BorderlabError:
        try:
            image, target = self.source.load(index)
            return self.change(image), target, self.source.sample_id(index)
        except BorderlabError as fault:
            return fault


class _Draws:
    """What the workers are asked for: the loader's draws, as they stand when an iteration begins."""

    def __init__(self, loader: TrainingLoader) -> None:
        self.loader = loader

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[list[Draw]]:
        return iter(self.loader.draws())


def _data_loader(dataset: Dataset[Any], workers: int, **options: Any) -> DataLoader[Any]:
    return DataLoader(
        dataset,
        num_workers=workers,
        # Forked workers share a source's memory; a generator of its own leaves torch's global one alone.
        multiprocessing_context="fork" if workers else None,
        generator=torch.Generator(),
        worker_init_fn=_work_alone,
        **options,
    )


def _work_alone(worker: int) -> None:
    # Slurm signals every process of a job, a keyboard every one of a terminal. The one that trains decides what follows
    # and ends its workers; torch would let SIGTERM end them under it, before its checkpoint.
    for number in (signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_when_the_parent_asks, args=(os.getppid(),), daemon=True).start()
    # 0 leaves OpenCV's thread pool unused. 1 would end the pool, whose threads no fork copies: it waits for ever.
    cv2.setNumThreads(0)


def _end_when_the_parent_asks(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)


def _collate(samples: list[NamedSample | BorderlabError]) -> RawBatch | BorderlabError:
    """The batch, or the first fault: raised in a worker, it would arrive wrapped in the worker's traceback."""
    faults = [sample for sample in samples if isinstance(sample, BorderlabError)]
    return faults[0] if faults else stack([sample for sample in samples if not isinstance(sample, BorderlabError)])


def _collate_one(sample: NamedSample | BorderlabError) -> RawBatch | BorderlabError:
    return _collate([sample])


def _sound(loaded: RawBatch | BorderlabError) -> RawBatch:
    if isinstance(loaded, BorderlabError):
        raise loaded
    return loaded
