"""The one number of a run, by task: top-1 accuracy or mIoU over the whole split, in percent."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from borderlab.evaluation.classification import count_correct, top1_pct
from borderlab.evaluation.segmentation import SegmentationCounts, segment
from borderlab.spec import RunSpec, Task

METRIC_NAMES: dict[Task, str] = {"classification": "top1_pct", "segmentation": "miou_pct"}


@dataclass(frozen=True)
class Measurement:
    """A metric and the counts that it comes from."""

    value_pct: float
    counts: NDArray[np.int64] | SegmentationCounts


def measure(spec: RunSpec, model: nn.Module, batches: Iterable[Any], device: torch.device) -> Measurement:
    """The metric of `model` over `batches`, which hold the whole split in whole images."""
    precision = spec.recipe.precision
    if spec.task == "classification":
        counts = count_correct(model, batches, _n_classes(batches), device, precision)
        return Measurement(top1_pct(counts), counts)
    matrix = segment(model, batches, spec.recipe.evaluation, device, precision)
    return Measurement(100.0 * matrix.overall.miou(), matrix)


def _n_classes(batches: Any) -> int:
    return int(batches.n_classes)
