"""Counts of each image of a split, so that a difference between runs can be judged over images as well as over seeds.

Training validates with `borderlab.evaluation.metric.measure`, whose code counts into the name of every run; what is
needed after training alone stands here, where it renames evaluations and nothing else.
"""

from typing import Any

import numpy as np
import torch
from torch import nn

from borderlab.evaluation.classification import add_outcomes, outcomes, top1_pct
from borderlab.evaluation.confusion import ConfusionMatrix
from borderlab.evaluation.image_counts import ImageCounts
from borderlab.evaluation.metric import Measurement
from borderlab.evaluation.rings import RingConfusion
from borderlab.evaluation.segmentation import SegmentationCounts, predictions
from borderlab.spec import RunSpec


def measure_images(
    spec: RunSpec, model: nn.Module, batches: Any, device: torch.device
) -> tuple[Measurement, ImageCounts]:
    """The metric of `model` over a whole split, and the counts of each image, in the split's order.

    Args:
        spec: the run.
        model: its network, on `device`.
        batches: the evaluation loader.
        device: where to compute.

    Returns:
        The measurement, equal to that of `borderlab.evaluation.metric.measure`, and int64 counts: classification
        (n 2), right (0 or 1) and 1; segmentation (n c 3), by class the pixels that are hit, in truth, and predicted
        where there is truth. Sums over images give the split's accuracy or IoU.
    """
    if spec.task == "classification":
        return _classify(spec, model, batches, device)
    rings, images = RingConfusion(batches.n_classes), []
    for target, pred in predictions(model, batches, spec.recipe.evaluation, device, spec.recipe.precision):
        rings.update(target, pred)
        own = ConfusionMatrix(batches.n_classes)
        own.update(target, pred)
        images.append(_class_counts(own))
    counts = SegmentationCounts(rings)
    return Measurement(100.0 * counts.overall.miou(), counts), np.stack(images)


def _classify(spec: RunSpec, model: nn.Module, batches: Any, device: torch.device) -> tuple[Measurement, ImageCounts]:
    classes = np.zeros((batches.n_classes, 2), dtype=np.int64)
    right = []
    for target, correct in outcomes(model, batches, device, spec.recipe.precision):
        add_outcomes(classes, target, correct)
        right.append(correct)
    outcome = np.concatenate(right).astype(np.int64)
    return Measurement(top1_pct(classes), classes), np.stack([outcome, np.ones_like(outcome)], axis=-1)


def _class_counts(matrix: ConfusionMatrix) -> ImageCounts:
    counts = matrix.counts
    return np.stack([np.diagonal(counts), counts.sum(axis=1), counts[:, : matrix.n_classes].sum(axis=0)], axis=-1)
