"""One contract for every registered data set."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from borderlab.data import DATASETS, create_dataset
from borderlab.data.base import (
    IGNORE_INDEX,
    ClassificationDataset,
    FetchSettings,
    SegmentationDataset,
)
from borderlab.data.digits import Digits
from borderlab.errors import BorderlabError, ConfigError, DataError

QUIET = FetchSettings(progress=False, attempts=1, timeout_s=0.5)


@pytest.mark.parametrize("name", DATASETS)
def test_information_is_complete(name: str) -> None:
    info = DATASETS[name].info
    assert info.name == name
    assert len(info.classes) == len(set(info.classes)) >= 2
    assert all((info.title, info.version, info.homepage, info.licence))


@pytest.mark.parametrize("name", DATASETS)
def test_identity_is_stable_and_its_own(name: str) -> None:
    assert create_dataset(name).identity == create_dataset(name).identity
    others = {create_dataset(other).identity for other in DATASETS if other != name}
    assert create_dataset(name).identity not in others


@pytest.mark.parametrize("name", DATASETS)
def test_unknown_split_is_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{name}: no split 'everything'; it has "):
        create_dataset(name).fetch(tmp_path, "everything", QUIET)


@pytest.mark.parametrize("name", [name for name in DATASETS if name not in ("digits", "streets")])
def test_missing_data_is_one_line_that_says_what_to_do(name: str, tmp_path: Path) -> None:
    dataset = create_dataset(name)
    with pytest.raises(BorderlabError) as caught:
        dataset.count(tmp_path / name, dataset.splits[0])
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path / name) in message
    assert any(
        hint in message for hint in ("borderlab fetch", "needs an account", "account at", "register at", "clone https")
    )


@pytest.mark.parametrize("name", [name for name in DATASETS if issubclass(DATASETS[name], SegmentationDataset)])
def test_label_table_gives_train_ids_void_or_invalid(name: str) -> None:
    dataset = create_dataset(name)
    assert isinstance(dataset, SegmentationDataset)
    allowed = {*range(len(dataset.info.classes)), IGNORE_INDEX, -1}
    assert set(dataset.label_lut.tolist()) <= allowed
    assert set(range(len(dataset.info.classes))) <= set(dataset.label_lut.tolist())
    assert dataset.label_lut[200] == -1


def test_unknown_name_and_option_are_one_line() -> None:
    with pytest.raises(ConfigError, match="data set 'mnist' does not exist; allowed: camvid, camvid_full, cifar10"):
        create_dataset("mnist")
    with pytest.raises(ConfigError, match=r"clip_train: got 3; .* \(options: height, width"):
        create_dataset("streets", {"clip_train": 3})


def test_registry_is_light() -> None:
    heavy = ("torch", "sklearn", "scipy", "httpx", "cv2", "rich")
    code = f"import sys, borderlab.data; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_digits_are_real_and_split_without_overlap(tmp_path: Path) -> None:
    digits = create_dataset("digits")
    assert isinstance(digits, ClassificationDataset)
    with pytest.raises(DataError, match=r"train\.npz is missing; fetch it first: borderlab fetch digits"):
        digits.images(tmp_path, "train")
    for split in digits.splits:
        digits.fetch(tmp_path, split, FetchSettings())
    splits = {split: digits.images(tmp_path, split) for split in digits.splits}
    names = [image.sample_id for images in splits.values() for image in images]
    assert len(names) == len(set(names)) == 1797
    for images in splits.values():
        assert {image.class_id for image in images} == set(range(10))
    pixels = splits["train"][0].image
    assert isinstance(pixels, np.ndarray)
    assert pixels.shape == (8, 8, 3)
    assert 200 <= pixels.max() <= 255


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_damaged_digits_are_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "val.npz").write_bytes(content)
    with pytest.raises(
        DataError, match=r"val\.npz is damaged \(.*\); delete it and run: borderlab fetch digits --split val"
    ):
        Digits().images(tmp_path, "val")
