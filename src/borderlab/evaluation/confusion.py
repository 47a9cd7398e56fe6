"""The confusion matrix of a whole data set, and what follows from it.

Segmentation papers report IoU from one matrix over all pixels of a split, not the mean of each image's IoU.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

_IDS = 256
# OpenCV counts in float32, which is exact up to 2^24: longer arrays are counted in parts.
_EXACT_PIXELS = 1 << 24


class ConfusionMatrix:
    """Pixels by target (row) and prediction (column).

    Pixels whose target is not one of the classes (void, `IGNORE_INDEX`) do not count. A prediction that is not one
    of the classes counts as a miss of its target: it stands in the last column.

    Args:
        n_classes: number of classes, 1..255.

    Raises:
        ValueError: if 8-bit train ids cannot hold that many classes.
    """

    def __init__(self, n_classes: int) -> None:
        if not 1 <= n_classes < _IDS:
            raise ValueError(f"n_classes is {n_classes}; 8-bit train ids hold 1..{_IDS - 1}")
        self.n_classes = n_classes
        self.counts: NDArray[np.int64] = np.zeros((n_classes, n_classes + 1), dtype=np.int64)

    def update(self, target: ArrayLike, pred: ArrayLike) -> None:
        """Add the pixels of one image or of many.

        Args:
            target: uint8 train ids of any shape, `IGNORE_INDEX` where there is no truth; NumPy, or torch on the CPU.
            pred: uint8 train ids of the same shape.

        Raises:
            ValueError: if the shapes differ.
            TypeError: if either is not uint8.
        """
        # Counting void too and dropping it afterwards spares a branch at every pixel.
        counts = count_together((as_ids("target", target), as_ids("pred", pred)), (_IDS, _IDS))
        self.counts += fold_unknown(counts[: self.n_classes], self.n_classes)

    def merge(self, other: "ConfusionMatrix") -> None:
        """Add the pixels of another matrix.

        Raises:
            ValueError: if it has another number of classes.
        """
        if other.n_classes != self.n_classes:
            raise ValueError(f"cannot merge a matrix of {other.n_classes} classes into one of {self.n_classes}")
        self.counts += other.counts

    @property
    def total(self) -> int:
        """Number of counted pixels."""
        return int(self.counts.sum())

    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each class, 0..1; NaN for a class in neither target nor prediction."""
        hits = np.diagonal(self.counts).astype(np.float64)
        union = self.counts.sum(axis=1) + self.counts[:, : self.n_classes].sum(axis=0) - hits
        with np.errstate(invalid="ignore"):
            return hits / union

    def miou(self) -> float:
        """Mean IoU over the classes that occur in target or prediction, 0..1; NaN when none does."""
        iou = self.iou()
        return float(np.nanmean(iou)) if not np.isnan(iou).all() else float("nan")

    def accuracy(self) -> float:
        """Share of counted pixels whose prediction is right, 0..1; NaN when no pixel counts."""
        return float(np.diagonal(self.counts).sum() / self.total) if self.total else float("nan")


def as_ids(name: str, ids: ArrayLike) -> NDArray[np.uint8]:
    """The array behind `ids`, without a copy where possible.

    Raises:
        TypeError: if it is not uint8; a cast could silently turn -1 or 256 into a class.
    """
    array = np.asarray(ids)
    if array.dtype != np.uint8:
        raise TypeError(f"{name} holds {array.dtype}; train ids must be uint8")
    return array


def count_together(layers: Sequence[NDArray[np.uint8]], sizes: Sequence[int]) -> NDArray[np.int64]:
    """How often each tuple of values occurs: the joint histogram of arrays of one shape.

    Args:
        layers: arrays of one shape.
        sizes: values 0..size-1 of each layer count; a tuple with any other value is left out.

    Returns:
        Exact counts, of shape `sizes`.

    Raises:
        ValueError: if the shapes differ.
    """
    shapes = [layer.shape for layer in layers]
    if len(set(shapes)) > 1:
        raise ValueError(f"arrays have shapes {', '.join(map(str, shapes))}; they must be equal")
    pixels = [np.ascontiguousarray(layer).reshape(1, -1) for layer in layers]
    ranges = [end for size in sizes for end in (0, size)]
    counts = np.zeros(tuple(sizes), dtype=np.int64)
    for start in range(0, pixels[0].size, _EXACT_PIXELS):
        parts = [part[:, start : start + _EXACT_PIXELS] for part in pixels]
        # A histogram of 8-bit tuples is OpenCV's fastest counter, several times faster than bincount.
        counts += cv2.calcHist(parts, list(range(len(parts))), None, list(sizes), ranges).astype(np.int64)
    return counts


def fold_unknown(counts: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Counts (... 256) by predicted id as counts (... n_classes + 1): all that are no class share the last column."""
    unknown = counts[..., n_classes:].sum(axis=-1, keepdims=True)
    return np.concatenate([counts[..., :n_classes], unknown], axis=-1)
