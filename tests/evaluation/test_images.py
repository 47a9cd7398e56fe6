"""Counts of single images against the measurement of the whole split."""

import numpy as np
import pytest
import torch
from torch import nn

from borderlab.data.base import IGNORE_INDEX
from borderlab.data.batch import Normalisation
from borderlab.data.loader import EvaluationLoader
from borderlab.errors import RunError
from borderlab.evaluation.image_counts import read_image_counts, write_image_counts
from borderlab.evaluation.images import measure_images
from borderlab.evaluation.metric import measure
from borderlab.spec import DatasetSpec, EvaluationSpec, RecipeSpec, RunSpec
from borderlab.statistics.bootstrap import accuracy_pct, miou_pct

CPU = torch.device("cpu")
N_CLASSES = 4


class Noise:
    """Seven random images of two sizes, each with a label or a label map with some void."""

    def __init__(self, task):
        self.task = task

    def __len__(self):
        return 7

    def sample_id(self, index):
        return str(index)

    def load(self, index):
        random = np.random.default_rng(index)
        size = (12, 17) if index < 5 else (14, 11)
        image = random.integers(0, 256, (*size, 3)).astype(np.uint8)
        if self.task == "classification":
            return image, index % N_CLASSES
        target = random.integers(0, N_CLASSES - 1, size).astype(np.uint8)
        target[random.random(size) < 0.1] = IGNORE_INDEX
        return image, target


class Pooled(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network(image).mean(dim=(2, 3))


def measured(task, function, **evaluation):
    torch.manual_seed(0)
    network = nn.Conv2d(3, N_CLASSES, 3, padding=1)
    network = Pooled(network) if task == "classification" else network
    recipe = RecipeSpec(epochs=1, evaluation=EvaluationSpec(batch_size=3, **evaluation))
    spec = RunSpec(
        task=task,
        dataset=DatasetSpec(key="noise", name="noise", identity="0"),
        train_split="train",
        eval_split="val",
        backbone="conv",
        weights="random",
        padding_mode="zeros",
        recipe=recipe,
        seed=0,
    )
    normalisation = Normalisation((0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
    loader = EvaluationLoader(Noise(task), lambda image: image, normalisation, batch_size=3, n_classes=N_CLASSES)
    return function(spec, network, loader, CPU)


@pytest.mark.parametrize("evaluation", [{}, {"flip": True, "scales": (0.5, 1.0)}])
def test_images_of_segmentation_add_up_to_the_split(evaluation) -> None:
    expected = measured("segmentation", measure, **evaluation)
    found, images = measured("segmentation", measure_images, **evaluation)
    assert found.value_pct == expected.value_pct
    np.testing.assert_array_equal(found.counts.overall.counts, expected.counts.overall.counts)
    assert images.shape == (7, N_CLASSES, 3)
    assert miou_pct(images.sum(axis=0).astype(float)) == pytest.approx(expected.value_pct)
    # Image 2 by itself: its pixels in truth are the labelled ones of its own map.
    labels = Noise("segmentation").load(2)[1]
    assert images[2, :, 1].tolist() == [int((labels == k).sum()) for k in range(N_CLASSES)]


def test_images_of_classification_add_up_to_the_split() -> None:
    expected = measured("classification", measure)
    found, images = measured("classification", measure_images)
    assert found.value_pct == expected.value_pct
    np.testing.assert_array_equal(found.counts, expected.counts)
    assert images.shape == (7, 2)
    assert 0 < images[:, 0].sum() < 7
    assert accuracy_pct(images.sum(axis=0).astype(float)) == pytest.approx(expected.value_pct)


def test_counts_come_back_from_disk_with_equal_bytes(tmp_path) -> None:
    _, images = measured("segmentation", measure_images)
    for name in ("one", "other"):
        write_image_counts(tmp_path / name, images, np.array([0, 0, 1, 2, 2, 2, 0]))
    found, recordings = read_image_counts(tmp_path / "one")
    np.testing.assert_array_equal(found, images)
    assert recordings.tolist() == [0, 0, 1, 2, 2, 2, 0]
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x03\x04 cut off"])
def test_damaged_counts_are_named(tmp_path, content) -> None:
    path = tmp_path / "images.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError, match=r"images\.npz: .*evaluate the run again"):
        read_image_counts(path)
