"""Class-uniform sampling: which tile of which frame holds which class, and draws that give each class its share.

Source: Zhu et al. 2019, section 3.3: images are cut into tiles; for each class the tiles that hold it are known, with
the centre of its pixels in each; a share of every epoch is divided evenly over the classes, and a crop must hold the
centre that was drawn.

Differs from the reference: what is left of an image beside its whole tiles makes smaller tiles (there: it is dropped,
and an image smaller than a tile has none); frames of the extra split are left out for good once their time is over
(there: they stay). `reference` brings both back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from borderlab.errors import DataError
from borderlab.recipe_spec import ClassUniformSpec

_IDS = 256

Focus = tuple[int, int]


@dataclass(frozen=True)
class Centroids:
    """For each class, rows of (sample, row, column): the centre of its pixels in one tile of one sample."""

    of_class: tuple[NDArray[np.int64], ...]

    def restricted(self, classes: Sequence[int]) -> "Centroids":
        """Those of some classes alone."""
        none = np.empty((0, 3), np.int64)
        return Centroids(tuple(rows if index in classes else none for index, rows in enumerate(self.of_class)))

    def and_also(self, other: "Centroids", first_sample: int) -> "Centroids":
        """These and those of other samples, which are numbered from `first_sample` on."""
        moved = [rows + np.array([first_sample, 0, 0]) for rows in other.of_class]
        return Centroids(tuple(np.concatenate(pair) for pair in zip(self.of_class, moved, strict=True)))


@dataclass(frozen=True)
class ClassUniform:
    """Draws of a share of each epoch; from epoch `extra_until` on, of `early` no more but of `late`."""

    share: float
    early: Centroids
    late: Centroids
    extra_until: float

    def draw(self, epoch: int, count: int, random: Generator) -> list[tuple[int, Focus]]:
        """Samples, each with the pixel that a crop must hold; as many of each class, give or take one.

        Raises:
            DataError: if no class has a centroid.
        """
        present = [rows for rows in (self.early if epoch < self.extra_until else self.late).of_class if len(rows)]
        if not present:
            raise DataError("class-uniform sampling: no tile holds any class; lower recipe.class_uniform.tile_px")
        order = random.permutation(len(present))
        drawn: list[tuple[int, Focus]] = []
        for place, rows in enumerate(present[index] for index in order):
            wanted = count // len(present) + (place < count % len(present))
            for sample, row, column in rows[random.choice(len(rows), wanted, replace=wanted > len(rows))].tolist():
                drawn.append((sample, (row, column)))
        return drawn


def label_centroids(
    label: NDArray[np.uint8], n_classes: int, tile_px: int, whole_tiles_only: bool = False
) -> list[tuple[int, int, int]]:
    """(class, row, column) of the centre of each class's pixels in each tile of train ids (h w)."""
    found = []
    for top in _tile_starts(label.shape[0], tile_px, whole_tiles_only):
        for left in _tile_starts(label.shape[1], tile_px, whole_tiles_only):
            tile = label[top : top + tile_px, left : left + tile_px]
            rows, columns = np.indices(tile.shape)
            ids = tile.ravel()
            counts = np.bincount(ids, minlength=_IDS)
            row_sums = np.bincount(ids, rows.ravel(), _IDS)
            column_sums = np.bincount(ids, columns.ravel(), _IDS)
            for class_id in np.flatnonzero(counts[:n_classes]).tolist():
                row, column = row_sums[class_id] / counts[class_id], column_sums[class_id] / counts[class_id]
                found.append((class_id, top + int(row), left + int(column)))
    return found


def centroids_of(labels: Sequence[NDArray[np.uint8]], n_classes: int, spec: ClassUniformSpec) -> Centroids:
    """The centroids of all labels, numbered in order; `labels` may decode each when it is asked for."""
    rows: list[list[tuple[int, int, int]]] = [[] for _ in range(n_classes)]
    for sample in range(len(labels)):
        for class_id, row, column in label_centroids(labels[sample], n_classes, spec.tile_px, spec.reference):
            rows[class_id].append((sample, row, column))
    return Centroids(tuple(np.array(own, np.int64).reshape(-1, 3) for own in rows))


def _tile_starts(side: int, tile_px: int, whole_tiles_only: bool) -> range:
    return range(0, side - tile_px + 1 if whole_tiles_only else side, tile_px)
