"""Segmentation over a whole split: one confusion matrix, and one for each ring of distance from the image border."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from borderlab.evaluation.confusion import ConfusionMatrix
from borderlab.evaluation.inference import Inference
from borderlab.evaluation.rings import RingConfusion
from borderlab.spec import EvaluationSpec, Precision
from borderlab.training.autocasting import autocast

Ids = NDArray[np.uint8]


@dataclass(frozen=True)
class SegmentationCounts:
    """Pixels by target and prediction: overall, and by distance from the image border."""

    rings: RingConfusion

    @property
    def overall(self) -> ConfusionMatrix:
        """Counts of all pixels."""
        return self.rings.overall()

    def class_iou_pct(self, names: Sequence[str]) -> dict[str, float | None]:
        """IoU of each class in percent; None for a class that occurs neither in target nor in prediction."""
        values = (100.0 * self.overall.iou()).tolist()
        return {name: None if value != value else value for name, value in zip(names, values, strict=True)}

    def rings_pct(self) -> list[dict[str, float | int | None]]:
        """MIoU of each ring in percent, nearest to the border first."""
        return [
            {
                "from_px": ring.from_px,
                "to_px": ring.to_px,
                "value": 100.0 * ring.matrix.miou() if ring.matrix.total else None,
                "n_pixels": ring.matrix.total,
            }
            for ring in self.rings
        ]


def segment(
    model: nn.Module, batches: Any, evaluation: EvaluationSpec, device: torch.device, precision: Precision
) -> SegmentationCounts:
    """Counts of `model` over an evaluation loader, which holds whole images, looked at as `evaluation` says."""
    counts = SegmentationCounts(RingConfusion(batches.n_classes))
    for target, pred in predictions(model, batches, evaluation, device, precision):
        counts.rings.update(target, pred)
    return counts


@torch.no_grad()
def predictions(
    model: nn.Module, batches: Any, evaluation: EvaluationSpec, device: torch.device, precision: Precision
) -> Iterator[tuple[Ids, Ids]]:
    """Truth and prediction (h w) of each image of an evaluation loader, in its order."""
    model.eval()
    if evaluation.is_plain:
        for batch in batches:
            for target, pred in zip(batch.target, predict(model, batch.image, device, precision), strict=True):
                yield target.to(torch.uint8).numpy(), pred.numpy()
        return
    inference = Inference(model, batches.normalisation, evaluation, batches.n_classes, device, precision)
    for raw in batches.raw():
        yield raw.target[0].numpy(), inference.predict(raw.image[0].numpy())


def predict(model: nn.Module, image: torch.Tensor, device: torch.device, precision: Precision) -> torch.Tensor:
    """Predicted train ids (n h w) of normalised images, on the CPU."""
    with autocast(device, precision):
        logits = model(image.to(device))
    # max() is faster than argmax() over a strided class axis.
    return logits.max(dim=1).indices.to(torch.uint8).cpu()
