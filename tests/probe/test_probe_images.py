"""Images of a probe: how many, how large, and windows that no pixel is made up for."""

import numpy as np
import pytest
import torch

from borderlab.errors import RunError
from borderlab.probe.images import Remembered


def test_images_are_spread_over_the_split_and_cropped_in_their_centre(make_images) -> None:
    images = make_images(n=20, n_images=4, size=(6, 8))
    batches = list(images.batches())
    assert [len(batch.image) for batch in batches] == [3, 1]
    assert images.indices == [2, 7, 12, 17]
    whole = images.source.samples[2][0]
    assert np.array_equal(batches[0].image[0], whole[5:11, 6:14])
    assert torch.cat([batch.target for batch in batches]).tolist() == [2, 1, 0, 5]


def test_labels_are_cropped_with_their_images(make_images) -> None:
    images = make_images(n=2, segments=True, size=(6, 8))
    (batch,) = images.batches()
    assert np.array_equal(batch.target[1], images.source.samples[1][1][5:11, 6:14])


def test_windows_are_parts_of_the_image(make_images) -> None:
    images = make_images(n=1, height=16, width=20)
    ((first, second),) = images.shifted_pairs((2, 4))
    assert first.shape == second.shape == (1, 14, 16, 3)
    assert torch.equal(first[:, 2:, 4:], second[:, :-2, :-4])
    assert np.array_equal(first[0], images.source.samples[0][0][:14, :16])


def test_windows_are_no_larger_than_the_probes_size(make_images) -> None:
    ((first, _),) = make_images(n=1, size=(8, 8)).shifted_pairs((0, 4))
    assert first.shape == (1, 8, 8, 3)


def test_classification_images_are_resized(make_images) -> None:
    (batch,) = make_images(n=2, resize=8, size=(8, 8)).batches()
    assert batch.image.shape == (2, 8, 8, 3)


def test_too_small_images_are_one_line(make_images) -> None:
    with pytest.raises(RunError, match="16x20 px is smaller than the probe's size"):
        next(make_images(size=(32, 32)).batches())
    with pytest.raises(RunError, match="has no two windows"):
        next(make_images().shifted_pairs((16, 0)))


def test_images_of_different_sizes_need_a_size(make_images) -> None:
    images = make_images(n=2, batch_size=1)
    images.source.samples[1] = (np.zeros((9, 9, 3), np.uint8), 0)
    with pytest.raises(RunError, match=r"set the probe's size"):
        list(images.batches())


class Counted:
    """A source that counts what is decoded."""

    def __init__(self):
        self.loads = []

    def __len__(self):
        return 3

    def load(self, index):
        self.loads.append(index)
        return np.full((4, 4, 3), index, np.uint8), np.zeros((4, 4), np.uint8)

    def sample_id(self, index):
        return str(index)


def test_images_are_decoded_once_as_far_as_there_is_room():
    """64 bytes each with their labels: the first two fit."""
    source = Counted()
    remembered = Remembered(source, limit_bytes=150)
    for _ in range(2):
        assert [int(remembered.load(index)[0][0, 0, 0]) for index in range(3)] == [0, 1, 2]
    assert source.loads == [0, 1, 2, 2]
