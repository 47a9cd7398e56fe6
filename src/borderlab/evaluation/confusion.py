"""The confusion matrix of a whole data set, and what follows from it.

Segmentation papers report IoU from one matrix over all pixels of a split, not the mean of each image's IoU.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

_IDS = 256


class ConfusionMatrix:
    """Pixels by target (row) and prediction (column).

    Pixels whose target is not one of the classes (void, `IGNORE_INDEX`) do not count. A prediction that is not one
    of the classes counts as a miss of its target: it stands in the last column.

    Args:
        n_classes: number of classes, at most 255.
    """

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes
        self.counts = np.zeros((n_classes, n_classes + 1), dtype=np.int64)

    def update(self, target: NDArray[np.uint8], pred: NDArray[np.uint8]) -> None:
        """Add the pixels of one image.

        Args:
            target: train ids of any shape, `IGNORE_INDEX` where there is no truth.
            pred: train ids of the same shape.

        Raises:
            ValueError: if the shapes differ.
        """
        if target.shape != pred.shape:
            raise ValueError(f"target has shape {target.shape}, pred {pred.shape}; they must be equal")
        pixels = [np.ascontiguousarray(ids).reshape(1, -1) for ids in (target, pred)]
        # A histogram of 8-bit pairs is OpenCV's fastest counter; float32 counts are exact up to 2^24 pixels each.
        counts = np.zeros((self.n_classes, _IDS), dtype=np.int64)
        for start in range(0, pixels[0].size, 1 << 24):
            parts = [ids[:, start : start + (1 << 24)] for ids in pixels]
            counts += cv2.calcHist(parts, [0, 1], None, [_IDS, _IDS], [0, _IDS, 0, _IDS])[: self.n_classes].astype(int)
        self.counts[:, : self.n_classes] += counts[:, : self.n_classes]
        self.counts[:, self.n_classes] += counts[:, self.n_classes :].sum(axis=1)

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
