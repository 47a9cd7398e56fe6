"""Which copy of a data set is there, and what it counts for."""

import copy
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.data.test_data_layouts import cityscapes, classification, segmentation, write_image
from tests.workflow.running import TINY, write_config
from typer.testing import CliRunner

from borderlab.cli import app
from borderlab.data import create_dataset
from borderlab.data.base import FetchSettings
from borderlab.data.content import content_of
from borderlab.data.imagenette import WNIDS
from borderlab.data.receipt import fetch_split
from borderlab.errors import DataError
from borderlab.explanation import read_identity
from borderlab.files import read_json
from borderlab.workflow import Workflow

OTHER = np.full((8, 16, 3), 91, np.uint8)


def test_every_byte_of_a_video_set_counts_and_its_place_does_not(tmp_path: Path) -> None:
    dataset, root = segmentation("cityscapes", allow_partial=True), cityscapes(tmp_path / "one")
    first = content_of(dataset, root, "train")
    assert list(first) == ["train", "train_video"]
    moved = shutil.copytree(root, tmp_path / "other place")
    assert content_of(dataset, moved, "train") == first
    write_image(moved / "leftImg8bit_sequence/train/zurich/zurich_000000_000003_leftImg8bit.png", OTHER)
    video = content_of(dataset, moved, "train")
    assert video["train"] == first["train"]
    assert video["train_video"] != first["train_video"]
    write_image(moved / "gtFine/train/zurich/zurich_000000_000019_gtFine_labelIds.png", np.zeros((8, 16), np.uint8))
    assert content_of(dataset, moved, "train")["train"] != first["train"]
    shutil.rmtree(root / "leftImg8bit_sequence")
    assert content_of(dataset, root, "train") == {"train": first["train"]}


def photographs(root: Path) -> Path:
    for split in ("train", "val"):
        for index in range(4):
            pixels = np.random.default_rng(index).integers(0, 255, (40, 40, 3)).astype(np.uint8)
            write_image(root / split / ("n01440764", "n01443537")[index % 2] / f"{index}.jpg", pixels)
    return root


def test_classes_count(tmp_path: Path) -> None:
    dataset, root = classification("imagenet", allow_partial=True), photographs(tmp_path)
    first = content_of(dataset, root, "train")
    (root / "train/n01440764/0.jpg").replace(root / "train/n01443537/0.jpg")
    assert content_of(dataset, root, "train") != first


@pytest.mark.parametrize(("name", "options"), [("camvid", {}), ("digits", {}), ("streets", {}), ("imagenette", {})])
def test_sets_whose_files_are_checked_need_no_hash(name: str, options: dict[str, object], tmp_path: Path) -> None:
    assert content_of(create_dataset(name, options), tmp_path, "train") == {}


def test_what_lies_in_a_folder_of_ones_own_is_hashed_whatever_the_set(tmp_path: Path) -> None:
    imagenette = create_dataset("imagenette", {"size": "160"})
    for wnid in WNIDS:
        write_image(tmp_path / "train" / wnid / "0.jpg", OTHER)
    first = content_of(imagenette, tmp_path, "train", own_folder=True)
    write_image(tmp_path / "train" / WNIDS[0] / "0.jpg", OTHER[:, :8])
    assert content_of(imagenette, tmp_path, "train", own_folder=True) != first
    # A set whose images are no files.
    digits = create_dataset("digits")
    digits.fetch(tmp_path / "digits", "train", FetchSettings())
    assert list(content_of(digits, tmp_path / "digits", "train", own_folder=True)) == ["train"]


def test_own_copies_and_encoded_ones_are_not_fixed() -> None:
    assert not create_dataset("imagenette", {"size": "96"}).has_fixed_content
    assert not any(create_dataset(name).has_fixed_content for name in ("imagenet", "kitti", "mapillary", "camvid_full"))


def test_another_copy_than_the_one_asked_for_gets_no_receipt(tmp_path: Path) -> None:
    dataset, root = classification("imagenet", allow_partial=True), photographs(tmp_path / "data")
    receipt = tmp_path / "receipt.json"
    content = fetch_split(dataset, root, "train", mirror=None, receipt=receipt)["content"]
    assert read_json(receipt)["content"] == content
    fetch_split(dataset, root, "train", mirror=None, receipt=receipt, wanted=content)
    receipt.unlink()
    write_image(root / "train/n01440764/0.jpg", OTHER)
    with pytest.raises(
        DataError, match=rf"data: train is another copy [^\n]* says: [0-9a-f]{{64}}, not {content['train']}"
    ):
        fetch_split(dataset, root, "train", mirror=None, receipt=receipt, wanted=content)
    with pytest.raises(DataError, match=r"train_video is another copy [^\n]* says: absent, not 0"):
        fetch_split(dataset, root, "train", mirror=None, receipt=receipt, wanted={"train_video": "0"})
    assert not receipt.exists()
    # What is asked of another split is not this one's.
    fetch_split(dataset, root, "train", mirror=None, receipt=receipt, wanted={"val": "0"})


def experiment(place: Path, **entry: object) -> Workflow:
    values = copy.deepcopy(TINY)
    recipe = {"epochs": 1, "batch_size": 2, "augment": {"crop": [32, 32]}}
    recipe["evaluation"] = {"resize": 32, "crop": [32, 32]}
    study = {"name": "one", "dataset": "imagenet", "recipe": "one", "backbones": ["resnet10t"]}
    values.update(
        datasets={"imagenet": {"options": {"allow_partial": True}, **entry}},
        recipes={"one": recipe},
        studies=[{**study, "padding_modes": ["zeros"]}],
        motion_models={},
        propagation_quality=[],
        probes=[],
    )
    return Workflow.from_file(place / write_config(place, values))


def test_the_copy_asked_for_names_results_and_receipts(tmp_path: Path) -> None:
    plain, own, whole = experiment(tmp_path), experiment(tmp_path, folder="mine"), experiment(tmp_path, options={})
    pinned = [experiment(tmp_path, content={"train": digit * 64}) for digit in "01"]
    runs = {next(iter(workflow.plan.runs)) for workflow in (plain, own, *pinned)}
    # The folder of a copy decides no number, what it holds does.
    assert len(runs) == 3
    receipts = {workflow.receipt_of("imagenet", "train") for workflow in (plain, own, whole, *pinned)}
    assert len(receipts) == 5


def test_training_keeps_which_copy_it_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    photographs(tmp_path / "mine")
    workflow = experiment(tmp_path, folder="mine")
    (run,) = workflow.plan.runs
    commands = [["fetch", "imagenet", "--split", split] for split in ("train", "val")] + [["train", run]]
    said = [
        CliRunner().invoke(app, [*command, "--config", "tiny.yaml"], catch_exceptions=False) for command in commands
    ]
    assert [done.exit_code for done in said] == [0, 0, 0]
    content = read_identity(Path(workflow.paths.run_folder(run))).data
    assert list(content) == ["imagenet.train", "imagenet.val"]
    assert f"content: train: {content['imagenet.train']}\n" in said[0].stdout
