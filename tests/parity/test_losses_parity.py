"""The relaxed loss against equations 2 and 3 read literally: a loop over pixels in NumPy."""

import numpy as np
import pytest
import torch

from borderlab.losses import relaxed_cross_entropy


def literal_loss(logits, target, radius_px, strict_classes, class_weights):
    n, _, h, w = logits.shape
    total, weight_sum = 0.0, 0.0
    for i, y, x in np.ndindex(n, h, w):
        centre = target[i, y, x]
        if centre == 255:
            continue
        classes = {centre}
        if centre not in strict_classes:
            for down in range(-radius_px, radius_px + 1):
                for right in range(-radius_px, radius_px + 1):
                    inside = 0 <= y + down < h and 0 <= x + right < w
                    if inside and target[i, y + down, x + right] != 255:
                        classes.add(target[i, y + down, x + right])
        probability = np.exp(logits[i, :, y, x]) / np.exp(logits[i, :, y, x]).sum()
        weight = np.mean([class_weights[member] for member in classes])
        total -= weight * np.log(sum(probability[member] for member in classes))
        weight_sum += weight
    return total / weight_sum


@pytest.mark.parametrize("radius_px", [0, 1, 2, 9])
@pytest.mark.parametrize("strict_classes", [(), (1, 2)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_classes", [4, 70])
def test_loss_equals_its_definition(radius_px, strict_classes, weighted, n_classes):
    random = np.random.default_rng(radius_px)
    logits = random.normal(size=(2, n_classes, 6, 7))
    target = random.choice([0, 1, 2, n_classes - 1, 255], size=(2, 6, 7))
    weights = random.uniform(0.1, 3, size=n_classes) if weighted else np.ones(n_classes)
    expected = literal_loss(logits, target, radius_px, strict_classes, weights)
    class_weights = torch.from_numpy(weights) if weighted else None
    for memory_format in (torch.contiguous_format, torch.channels_last):
        image = torch.from_numpy(logits).to(memory_format=memory_format)
        loss = relaxed_cross_entropy(image, torch.from_numpy(target), radius_px, strict_classes, class_weights)
        assert loss.item() == pytest.approx(expected, rel=1e-12)
