"""Where samples come from: decoded, by index, from files or from memory."""

import logging
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

IN_MEMORY_LIMIT_BYTES = 2 * 1024**3

Pixels = NDArray[np.uint8]
Target = NDArray[np.uint8] | NDArray[np.float32] | int
Sample = tuple[Pixels, Target]

log = logging.getLogger(__name__)


class SampleSource(Protocol):
    """Samples by index, decoded: uint8 RGB (h, w, 3) and a class or a label (h, w)."""

    def __len__(self) -> int: ...

    def load(self, index: int) -> Sample:
        """Image and target of one sample."""

    def sample_id(self, index: int) -> str:
        """Name of one sample."""


class InMemory:
    """A source that decodes each sample once, if all of them fit into `limit_bytes`.

    Whether they fit is judged by the first sample, and given up if the others turn out larger. Workers that are
    forked after this share the memory; it is read-only, so that no change of one epoch shows in the next.
    """

    def __init__(self, source: SampleSource, limit_bytes: int = IN_MEMORY_LIMIT_BYTES) -> None:
        self.source = source
        self.samples = _decode_all(source, limit_bytes) if len(source) else []

    def __len__(self) -> int:
        return len(self.source)

    def load(self, index: int) -> Sample:
        """Image and target, from memory where they are kept."""
        return self.samples[index] if self.samples else self.source.load(index)

    def sample_id(self, index: int) -> str:
        """Name of one sample."""
        return self.source.sample_id(index)


def _decode_all(source: SampleSource, limit_bytes: int) -> list[Sample]:
    """Every sample, read-only; none at all if they take more than `limit_bytes`."""
    first = source.load(0)
    expected = len(source) * _bytes_of(first)
    samples = [_read_only(first)]
    taken = _bytes_of(first)
    while expected <= limit_bytes and taken <= limit_bytes and len(samples) < len(source):
        samples.append(_read_only(source.load(len(samples))))
        taken += _bytes_of(samples[-1])
    kept = max(expected, taken) <= limit_bytes
    where = "kept in memory" if kept else "decoded each time they are drawn"
    size, limit = (value / 2**20 for value in (max(expected, taken), limit_bytes))
    log.info("%d samples of about %.0f MiB (limit %.0f MiB): %s", len(source), size, limit, where)
    return samples if kept else []


def _read_only(sample: Sample) -> Sample:
    image, target = sample
    return _locked(image), _locked(target) if isinstance(target, np.ndarray) else target


def _locked(pixels: NDArray[Any]) -> NDArray[Any]:
    """A view that cannot be written to; the owner's own array stays as it is."""
    view = pixels.view()
    view.flags.writeable = False
    return view


def _bytes_of(sample: Sample) -> int:
    image, target = sample
    return image.nbytes + (target.nbytes if isinstance(target, np.ndarray) else 0)
