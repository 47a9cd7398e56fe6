"""Value noise from additions and multiplications only, so that its bits do not depend on the processor."""

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]


def value_noise(shape: tuple[int, int], cells: tuple[int, int], rng: np.random.Generator) -> Image:
    """Smooth noise in [0, 1] of the given shape, tileable both ways, with `cells` random values along each axis."""
    lattice = rng.random(cells, dtype=np.float32)
    rows = _between(lattice, shape[0])
    return _between(rows.T, shape[1]).T


def fractal_noise(
    shape: tuple[int, int], cells: tuple[int, int], rng: np.random.Generator, octaves: int = 4, gain: float = 0.5
) -> Image:
    """Sum of `octaves` value noises, each twice as fine and `gain` times as strong; mean 0.5, range in [0, 1]."""
    total = np.zeros(shape, np.float32)
    strength, weight = 1.0, 0.0
    for octave in range(octaves):
        fine = (min(cells[0] << octave, shape[0]), min(cells[1] << octave, shape[1]))
        total += np.float32(strength) * value_noise(shape, fine, rng)
        weight += strength
        strength *= gain
    return total / np.float32(weight)


def smoothstep(low: float, high: float, value: Image) -> Image:
    """0 below `low`, 1 above `high`, a smooth cubic between."""
    share = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return share * share * (3 - 2 * share)


def _between(lattice: Image, length: int) -> Image:
    """Rows of `lattice` (m, n), taken as periodic, interpolated smoothly to `length` rows."""
    count = lattice.shape[0]
    place = np.arange(length, dtype=np.float32) * np.float32(count / length)
    first = np.minimum(place.astype(np.intp), count - 1)
    share = (place - first)[:, None]
    share = share * share * (3 - 2 * share)
    return lattice[first] * (1 - share) + lattice[(first + 1) % count] * share
