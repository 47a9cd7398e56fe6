"""Sizes that budgets count with, against the data sets themselves where those are at hand."""

from pathlib import Path

import pytest

from borderlab.data import DATASETS, camvid_full, create_dataset, imagenette
from borderlab.data.base import FetchSettings, SegmentationDataset
from borderlab.data.sizes import Video, n_samples, video


@pytest.mark.parametrize("name", DATASETS)
def test_every_split_of_every_data_set_has_a_size(name: str) -> None:
    dataset = create_dataset(name)
    for split in dataset.splits:
        assert (n_samples(dataset, split) or 0) > 0
    assert n_samples(dataset, "everything") is None


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_digits_are_as_many_as_scikit_learn_holds(split: str, tmp_path: Path) -> None:
    digits = create_dataset("digits")
    digits.fetch(tmp_path, split, FetchSettings(progress=False))
    assert n_samples(digits, split) == digits.count(tmp_path, split)
    assert video(digits, split) is None


def test_streets_follow_their_options(tmp_path: Path) -> None:
    options = {"height": 24, "width": 32, "clips_train": 2, "clips_val": 1, "clips_test": 1, "frames_per_clip": 3}
    streets = create_dataset("streets", options)
    assert isinstance(streets, SegmentationDataset)
    streets.fetch(tmp_path, "train", FetchSettings(progress=False))
    assert n_samples(streets, "train") == streets.count(tmp_path, "train") == 6
    assert video(streets, "train") == Video(2, 3, 24, 32)
    assert len(streets.clips(tmp_path, "train")) == 2


def test_public_and_own_copies_are_as_large_as_their_own_checks_want() -> None:
    camvid = create_dataset("camvid")
    assert {split: n_samples(camvid, split) for split in ("train", "val", "test")} == {
        "train": 367,
        "val": 101,
        "test": 233,
    }
    full = create_dataset("camvid_full")
    assert {split: n_samples(full, split) for split in full.splits} == {
        split: len(camvid_full._names(split)) for split in full.splits
    }
    own = create_dataset("imagenette")
    assert {split: n_samples(own, split) for split in own.splits} == imagenette._COUNTS
