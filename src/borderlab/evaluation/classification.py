"""Top-1 accuracy over a whole split."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from borderlab.spec import Precision
from borderlab.training.autocasting import autocast


@torch.no_grad()
def count_correct(
    model: nn.Module, batches: Iterable[Any], n_classes: int, device: torch.device, precision: Precision
) -> NDArray[np.int64]:
    """Images by class and outcome.

    Returns:
        Array (n_classes, 2): correct and all images of each class.
    """
    model.eval()
    counts = np.zeros((n_classes, 2), dtype=np.int64)
    for batch in batches:
        with autocast(device, precision):
            logits = model(batch.image.to(device))
        target = batch.target.numpy()
        correct = logits.argmax(dim=1).cpu().numpy() == target
        np.add.at(counts, (target, 0), correct)
        np.add.at(counts, (target, 1), 1)
    return counts


def top1_pct(counts: NDArray[np.int64]) -> float:
    """Share of correct images, in percent."""
    return float(100.0 * counts[:, 0].sum() / counts[:, 1].sum())
