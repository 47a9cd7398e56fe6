"""Top-1 accuracy over a whole split."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from borderlab.spec import Precision
from borderlab.training.autocasting import autocast


@torch.no_grad()
def outcomes(
    model: nn.Module, batches: Iterable[Any], device: torch.device, precision: Precision
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Classes (n) of each batch, and whether `model` names them (n)."""
    model.eval()
    for batch in batches:
        with autocast(device, precision):
            logits = model(batch.image.to(device))
        target = batch.target.numpy()
        yield target, logits.argmax(dim=1).cpu().numpy() == target


def count_correct(
    model: nn.Module, batches: Iterable[Any], n_classes: int, device: torch.device, precision: Precision
) -> NDArray[np.int64]:
    """Images by class and outcome.

    Returns:
        Array (n_classes, 2): correct and all images of each class.
    """
    counts = np.zeros((n_classes, 2), dtype=np.int64)
    for target, correct in outcomes(model, batches, device, precision):
        add_outcomes(counts, target, correct)
    return counts


def add_outcomes(counts: NDArray[np.int64], target: NDArray[np.int64], correct: NDArray[np.bool_]) -> None:
    """Add a batch to `counts` (n_classes, 2), in place."""
    counts[:, 0] += np.bincount(target[correct], minlength=len(counts))
    counts[:, 1] += np.bincount(target, minlength=len(counts))


def top1_pct(counts: NDArray[np.int64]) -> float:
    """Share of correct images, in percent."""
    return float(100.0 * counts[:, 0].sum() / counts[:, 1].sum())
