"""Data sets that cannot be shipped, each on a small folder in its true layout."""

import gzip
import io
import struct
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from borderlab.data import create_dataset
from borderlab.data.base import ClassificationDataset, FetchSettings, SegmentationDataset
from borderlab.data.decode import read_label, read_pair
from borderlab.errors import DataError

QUIET = FetchSettings(progress=False, attempts=1)


def segmentation(name: str, **options: object) -> SegmentationDataset:
    dataset = create_dataset(name, options)
    assert isinstance(dataset, SegmentationDataset)
    return dataset


def classification(name: str, **options: object) -> ClassificationDataset:
    dataset = create_dataset(name, options)
    assert isinstance(dataset, ClassificationDataset)
    return dataset


def write_image(path: Path, pixels: np.ndarray | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((8, 16, 3), 90, np.uint8) if pixels is None else pixels)
    return path


# ------------------------------------------------------------------------------------------------------- Cityscapes


def cityscapes(root: Path, sequences: bool = True) -> Path:
    for split, city in (("train", "aachen"), ("train", "zurich"), ("val", "lindau")):
        for sequence in (0, 7):
            stem = f"{city}_{sequence:06d}_000019"
            write_image(root / "leftImg8bit" / split / city / f"{stem}_leftImg8bit.png")
            label = np.array([[0, 7, 8, 11, 26, 33, 4, 255]] * 8, np.uint8).repeat(2, axis=1)
            write_image(root / "gtFine" / split / city / f"{stem}_gtFine_labelIds.png", label)
            for frame in range(30) if sequences else ():
                name = f"{city}_{sequence:06d}_{frame:06d}_leftImg8bit.png"
                write_image(root / "leftImg8bit_sequence" / split / city / name)
    return root


def test_cityscapes_frames_and_label_ids(tmp_path: Path) -> None:
    dataset = segmentation("cityscapes", allow_partial=True)
    root = cityscapes(tmp_path)
    dataset.fetch(root, "train", QUIET)
    frames = dataset.frames(root, "train")
    assert [frame.sample_id for frame in frames][:2] == ["train/aachen_000000_000019", "train/aachen_000007_000019"]
    _, label = read_pair(frames[0], dataset.label_lut)
    assert label[0, ::2].tolist() == [255, 0, 1, 2, 13, 18, 255, 255]


def test_cityscapes_clip_has_the_label_on_its_twentieth_frame(tmp_path: Path) -> None:
    dataset = segmentation("cityscapes", allow_partial=True)
    clips = dataset.clips(cityscapes(tmp_path), "val")
    assert [len(clip.frames) for clip in clips] == [30, 30]
    assert [index for index, frame in enumerate(clips[0].frames) if frame.label is not None] == [19]


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        ("gtFine/train/aachen/aachen_000007_000019_gtFine_labelIds.png", "complete your copy of gtFine"),
        ("leftImg8bit_sequence/train/zurich/zurich_000000_000003_leftImg8bit.png", "missing from the clip"),
    ],
)
def test_cityscapes_says_which_file_is_missing(tmp_path: Path, harm: str, message: str) -> None:
    root = cityscapes(tmp_path)
    (root / harm).unlink()
    with pytest.raises(DataError, match=message) as caught:
        segmentation("cityscapes", allow_partial=True).clips(root, "train")
    assert harm in str(caught.value)


def test_cityscapes_counts_the_whole_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has 4 images, not 2975; .*csDownload"):
        segmentation("cityscapes").fetch(cityscapes(tmp_path), "train", QUIET)


def test_cityscapes_without_sequences_says_what_to_fetch(tmp_path: Path) -> None:
    root = cityscapes(tmp_path, sequences=False)
    with pytest.raises(DataError, match=r"leftImg8bit_sequence_trainvaltest\.zip"):
        segmentation("cityscapes", allow_partial=True).clips(root, "train")


# ------------------------------------------------------------------------------------------------------------ KITTI


def kitti(root: Path, n_scenes: int = 20) -> Path:
    for scene in range(n_scenes):
        for frame in range(21):
            write_image(root / "training" / "image_2" / f"{scene:06d}_{frame:02d}.png")
        label = np.full((8, 16), 26, np.uint8)
        write_image(root / "training" / "semantic" / f"{scene:06d}_10.png", label)
    return root


def test_kitti_folds_hold_out_every_scene_once(tmp_path: Path) -> None:
    root = kitti(tmp_path)
    held_out: list[str] = []
    for fold in range(10):
        dataset = segmentation("kitti", fold=fold, allow_partial=True)
        train, val = ([f.sample_id for f in dataset.frames(root, split)] for split in ("train", "val"))
        assert not set(train) & set(val)
        assert len(train) + len(val) == 20
        held_out += val
    assert len(held_out) == len(set(held_out)) == 20


def test_kitti_clip_has_the_label_in_its_middle(tmp_path: Path) -> None:
    dataset = segmentation("kitti", allow_partial=True)
    clip = dataset.clips(kitti(tmp_path, 10), "val")[0]
    assert [index for index, frame in enumerate(clip.frames) if frame.label is not None] == [10]
    assert len(clip.frames) == 21
    label = clip.frames[10].label
    assert label is not None
    assert (read_label(label, dataset.label_lut) == 13).all()


def test_kitti_counts_the_whole_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 20 labelled scenes, not 200; register at"):
        segmentation("kitti").fetch(kitti(tmp_path), "train", QUIET)


# --------------------------------------------------------------------------------------------------------- ImageNet


def tar(path: Path, members: dict[str, bytes], mode: str = "w") -> bytes:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path.read_bytes()


def test_imagenet_from_the_official_archives(tmp_path: Path) -> None:
    photograph = write_image(tmp_path / "photo.jpg").read_bytes()
    wnids = ["n01440764", "n01443537"]
    classes = {
        f"{wnid}.tar": tar(tmp_path / f"{wnid}.tar", {f"{wnid}_{i}.JPEG": photograph for i in range(3)})
        for wnid in wnids
    }
    root = tmp_path / "imagenet"
    root.mkdir()
    tar(root / "ILSVRC2012_img_train.tar", classes)
    tar(root / "ILSVRC2012_img_val.tar", {f"ILSVRC2012_val_{i:08d}.JPEG": photograph for i in (1, 2, 3)})
    meta = io.BytesIO()
    savemat(meta, {"synsets": np.array([(2, wnids[0]), (1, wnids[1])], dtype=[("ILSVRC2012_ID", "O"), ("WNID", "O")])})
    kit = {
        "ILSVRC2012_devkit_t12/data/meta.mat": meta.getvalue(),
        "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt": b"1\n2\n1\n",
    }
    tar(root / "ILSVRC2012_devkit_t12.tar.gz", kit, "w:gz")
    dataset = classification("imagenet", allow_partial=True)
    for split in dataset.splits:
        dataset.fetch(root, split, QUIET)
    assert [image.class_id for image in dataset.images(root, "train")] == [0, 0, 0, 1, 1, 1]
    found = {image.sample_id: image.class_id for image in dataset.images(root, "val")}
    assert found == {
        f"{wnids[0]}/ILSVRC2012_val_00000002": 0,
        f"{wnids[1]}/ILSVRC2012_val_00000001": 1,
        f"{wnids[1]}/ILSVRC2012_val_00000003": 1,
    }


def test_imagenet_counts_classes_and_says_what_to_do(tmp_path: Path) -> None:
    write_image(tmp_path / "train" / "n01440764" / "a.jpg")
    with pytest.raises(DataError, match="has 1 class folders, not 1000; ImageNet needs an account"):
        classification("imagenet").fetch(tmp_path, "train", QUIET)


# ------------------------------------------------------------------------------------------------ small public sets


def idx(path: Path, array: np.ndarray) -> None:
    magic = {3: 2051, 1: 2049}[array.ndim]
    path.write_bytes(gzip.compress(struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()))


def test_fashion_mnist_files(tmp_path: Path) -> None:
    pixels = np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)
    idx(tmp_path / "train-images-idx3-ubyte.gz", pixels)
    idx(tmp_path / "train-labels-idx1-ubyte.gz", np.array([9, 0], np.uint8))
    images = classification("fashion_mnist").images(tmp_path, "train")
    assert [image.class_id for image in images] == [9, 0]
    assert isinstance(images[1].image, np.ndarray)
    assert np.array_equal(images[1].image[..., 2], pixels[1])


def test_fashion_mnist_of_the_wrong_kind_is_one_line(tmp_path: Path) -> None:
    idx(tmp_path / "train-images-idx3-ubyte.gz", np.zeros(5, np.uint8))
    with pytest.raises(DataError, match="is no idx file of the right kind"):
        classification("fashion_mnist").images(tmp_path, "train")


def test_cifar10_records(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    records = np.zeros((10_000, 3073), np.uint8)
    records[:, 0] = np.arange(10_000) % 10
    records[5, 1 : 1 + 1024] = 200  # red plane of the sixth image
    (folder / "test_batch.bin").write_bytes(records.tobytes())
    images = classification("cifar10").images(tmp_path, "test")
    assert len(images) == 10_000
    assert images[7].class_id == 7
    assert isinstance(images[5].image, np.ndarray)
    assert images[5].image[3, 4].tolist() == [200, 0, 0]


def test_cifar10_truncated_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    (folder / "test_batch.bin").write_bytes(b"short")
    with pytest.raises(DataError, match="has 5 bytes, not 30730000"):
        classification("cifar10").images(tmp_path, "test")


def test_imagenette_folder_counts(tmp_path: Path) -> None:
    for index in range(10):
        write_image(tmp_path / "val" / f"n0{index}" / "a.jpg")
    dataset = classification("imagenette", size="96")
    assert len(dataset.images(tmp_path, "val")) == 10
    with pytest.raises(DataError, match="has 10 images, not 3925"):
        dataset.fetch(tmp_path, "val", QUIET)
