"""Data sets that cannot be shipped, each on a small folder in its true layout."""

import gzip
import hashlib
import io
import os
import shutil
import struct
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from borderlab.data import cifar10, create_dataset, fashion_mnist, imagenette
from borderlab.data.base import ClassificationDataset, FetchSettings, SegmentationDataset
from borderlab.data.cityscapes import PACKAGES
from borderlab.data.decode import read_label, read_pair
from borderlab.errors import DataError
from borderlab.files import read_json

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


def test_cityscapes_clip_of_a_long_sequence_goes_by_running_numbers(tmp_path: Path) -> None:
    """Hamburg's labelled frames are the twentieth of thirty too, but its files are numbered through the whole drive."""
    root = cityscapes(tmp_path, sequences=False)
    shutil.rmtree(root / "leftImg8bit" / "train")
    write_image(root / "leftImg8bit" / "train" / "hamburg" / "hamburg_000000_000042_leftImg8bit.png")
    label = np.full((8, 16), 7, np.uint8)
    write_image(root / "gtFine" / "train" / "hamburg" / "hamburg_000000_000042_gtFine_labelIds.png", label)
    for frame in range(20, 60):
        name = f"hamburg_000000_{frame:06d}_leftImg8bit.png"
        write_image(root / "leftImg8bit_sequence" / "train" / "hamburg" / name)
    (clip,) = segmentation("cityscapes", allow_partial=True).clips(root, "train")
    numbers = [int(frame.image.name.split("_")[2]) for frame in clip.frames]
    assert numbers == list(range(23, 53))
    assert [number for number, frame in zip(numbers, clip.frames, strict=True) if frame.label is not None] == [42]


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


def test_cityscapes_test_labels_are_not_taken_for_truth(tmp_path: Path) -> None:
    stem = "berlin_000000_000019"
    write_image(tmp_path / "leftImg8bit" / "test" / "berlin" / f"{stem}_leftImg8bit.png")
    write_image(tmp_path / "gtFine" / "test" / "berlin" / f"{stem}_gtFine_labelIds.png", np.zeros((8, 16), np.uint8))
    (frame,) = segmentation("cityscapes").frames(tmp_path, "test")
    assert frame.label is None


def test_cityscapes_names_the_image_that_a_label_lacks(tmp_path: Path) -> None:
    root = cityscapes(tmp_path)
    name = "leftImg8bit/train/aachen/aachen_000007_000019_leftImg8bit.png"
    (root / name).unlink()
    with pytest.raises(DataError, match=rf"{name}: is missing, though its label is there"):
        segmentation("cityscapes", allow_partial=True).fetch(root, "train", QUIET)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder with both packages in small; their sums stand in for the official ones."""
    source = cityscapes(tmp_path / "source", sequences=False)
    folder = tmp_path / "site"
    folder.mkdir()
    for kind, package in PACKAGES.items():
        with zipfile.ZipFile(folder / package.path, "w") as archive:
            archive.writestr("README", "of the package")
            for path in sorted((source / kind).rglob("*.png")):
                archive.write(path, path.relative_to(source))
        md5 = hashlib.md5((folder / package.path).read_bytes()).hexdigest()
        monkeypatch.setitem(PACKAGES, kind, replace(package, md5=md5))
    return folder


def fake_downloader(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a `csDownload` on the path that runs `script` with the destination as $1 and the package as $2."""
    folder.mkdir()
    command = folder / "csDownload"
    command.write_text(f'#!/bin/sh\n[ "$1 $3" = "-d -r" ] || exit 9\nset -- "$2" "$4"\n{script}\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_cityscapes_calls_the_official_downloader_once_for_each_package(
    tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls"
    fake_downloader(tmp_path / "bin", monkeypatch, f'echo "$2" >> {calls}\ncp {packages}/"$2" "$1"')
    dataset = segmentation("cityscapes", allow_partial=True)
    for split in ("train", "val", "train"):
        dataset.fetch(tmp_path / "data", split, QUIET)
    assert calls.read_text().split() == [package.path for package in PACKAGES.values()]
    assert [dataset.count(tmp_path / "data", split) for split in ("train", "val")] == [4, 2]
    assert not list((tmp_path / "data").glob("*.extracted"))


def test_cityscapes_package_that_broke_off_is_resumed(
    tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    root.mkdir()
    for package in PACKAGES.values():
        (root / package.path).write_bytes((packages / package.path).read_bytes()[:100])
    fake_downloader(tmp_path / "bin", monkeypatch, f'tail -c +101 {packages}/"$2" >> "$1/$2"')
    dataset = segmentation("cityscapes", allow_partial=True)
    dataset.fetch(root, "val", QUIET)
    assert dataset.count(root, "val") == 2


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 3", "csDownload ended with 3; run it by hand: "),
        ('echo no > "$1/$2"', r"is not whole \(MD5\); delete it"),
    ],
)
def test_cityscapes_downloader_that_fails_is_one_line(
    tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    fake_downloader(tmp_path / "bin", monkeypatch, script)
    with pytest.raises(DataError, match=message) as caught:
        segmentation("cityscapes", allow_partial=True).fetch(tmp_path / "data", "val", QUIET)
    assert f"csDownload -d {tmp_path / 'data'} -r gtFine_trainvaltest.zip" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data" / "gtFine").exists()


def test_cityscapes_does_not_overwrite_a_copy_that_lacks_a_split(tmp_path: Path, packages: Path) -> None:
    root = cityscapes(tmp_path / "data", sequences=False)
    shutil.rmtree(root / "gtFine" / "val")
    with pytest.raises(DataError, match="gtFine: lacks this split; complete your copy or remove it"):
        segmentation("cityscapes", allow_partial=True).fetch(root, "val", QUIET)
    assert (root / "gtFine" / "train").is_dir()


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


def devkit(wnids: Sequence[str], truth: str | None) -> dict[str, bytes]:
    """The two files of the development kit that matter; its class numbers run against the sorted ids."""
    meta = io.BytesIO()
    rows = [(len(wnids) - index, wnid) for index, wnid in enumerate(wnids)]
    savemat(meta, {"synsets": np.array(rows, dtype=[("ILSVRC2012_ID", "O"), ("WNID", "O")])})
    files = {"ILSVRC2012_devkit_t12/data/meta.mat": meta.getvalue()}
    if truth is not None:
        files["ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt"] = truth.encode()
    return files


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
    tar(root / "ILSVRC2012_devkit_t12.tar.gz", devkit(wnids, "1\n2\n1\n"), "w:gz")
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


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ("2\n1\n", r"img_val\.tar: holds 3 images but ILSVRC2012_devkit_t12\.tar\.gz tells 2"),
        ("2\n1\n7\n", r"devkit_t12\.tar\.gz: has no WordNet id for class number 7"),
        ("2\none\n2\n", r"devkit_t12\.tar\.gz: does not tell the validation classes"),
        (None, r"devkit_t12\.tar\.gz: does not tell the validation classes"),
    ],
)
def test_imagenet_archives_that_do_not_fit_are_one_line(tmp_path: Path, truth: str | None, message: str) -> None:
    photograph = write_image(tmp_path / "photo.jpg").read_bytes()
    tar(tmp_path / "ILSVRC2012_img_val.tar", {f"ILSVRC2012_val_{i:08d}.JPEG": photograph for i in (1, 2, 3)})
    tar(tmp_path / "ILSVRC2012_devkit_t12.tar.gz", devkit(["n01440764", "n01443537"], truth), "w:gz")
    with pytest.raises(DataError, match=message) as caught:
        classification("imagenet", allow_partial=True).fetch(tmp_path, "val", QUIET)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "val").exists()


def test_imagenet_part_keeps_the_class_ids_of_the_whole(tmp_path: Path) -> None:
    write_image(tmp_path / "val" / "n15075141" / "a.jpg")
    write_image(tmp_path / "val" / "n01443537" / "a.jpg")
    dataset = classification("imagenet", allow_partial=True)
    assert [image.class_id for image in dataset.images(tmp_path, "val")] == [1, 999]
    assert dataset.info.classes[999] == "toilet tissue"
    write_image(tmp_path / "val" / "n00000000" / "a.jpg")
    with pytest.raises(DataError, match="n00000000: is no class of this set"):
        dataset.images(tmp_path, "val")


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


def test_cifar10_class_past_the_last_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    records = np.zeros((10_000, 3073), np.uint8)
    records[17, 0] = 10
    (folder / "test_batch.bin").write_bytes(records.tobytes())
    with pytest.raises(DataError, match=r"test_batch\.bin: holds class 10, past the last one"):
        classification("cifar10").images(tmp_path, "test")


def test_cifar10_archive_is_verified_and_extracted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    content = tar(mirror / "cifar-10-binary.tar.gz", {"cifar-10-batches-bin/test_batch.bin": bytes(30_730_000)}, "w:gz")
    settings = QUIET.model_copy(update={"mirror": str(mirror)})
    dataset = classification("cifar10")
    monkeypatch.setattr(cifar10, "ADDRESS", "http://127.0.0.1:9/cifar-10-binary.tar.gz")
    with pytest.raises(DataError, match="has another MD5 than the one on record"):
        dataset.fetch(tmp_path / "data", "test", settings)
    monkeypatch.setattr(cifar10, "MD5", hashlib.md5(content).hexdigest())
    dataset.fetch(tmp_path / "data", "test", settings)
    shutil.rmtree(mirror)
    dataset.fetch(tmp_path / "data", "test", settings)
    assert dataset.count(tmp_path / "data", "test") == 10_000


def test_fashion_mnist_as_debian_packages_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    debian = tmp_path / "debian"
    debian.mkdir()
    names = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
    idx(debian / names[0], np.zeros((1, 28, 28), np.uint8))
    idx(debian / names[1], np.array([3], np.uint8))
    sums = {name: hashlib.sha256((debian / name).read_bytes()).hexdigest() for name in names}
    monkeypatch.setattr(fashion_mnist, "_DEBIAN_SHA256", sums)
    monkeypatch.setattr(fashion_mnist, "DEBIAN_FOLDER", debian)
    monkeypatch.setattr(fashion_mnist, "ADDRESS", "http://127.0.0.1:9")
    dataset = classification("fashion_mnist")
    dataset.fetch(tmp_path / "data", "test", QUIET)
    assert [image.class_id for image in dataset.images(tmp_path / "data", "test")] == [3]
    monkeypatch.setattr(fashion_mnist, "DEBIAN_FOLDER", tmp_path / "removed")
    dataset.fetch(tmp_path / "data", "test", QUIET)
    (tmp_path / "data" / names[1]).write_bytes(b"damaged")
    with pytest.raises(DataError, match="2 of 2 files could not be fetched"):
        dataset.fetch(tmp_path / "data", "test", QUIET)


def test_fashion_mnist_class_past_the_last_is_one_line(tmp_path: Path) -> None:
    idx(tmp_path / "train-images-idx3-ubyte.gz", np.zeros((1, 28, 28), np.uint8))
    idx(tmp_path / "train-labels-idx1-ubyte.gz", np.array([10], np.uint8))
    with pytest.raises(DataError, match="train holds class 10, past the last one"):
        classification("fashion_mnist").images(tmp_path, "train")


# ------------------------------------------------------------------------------------------------------- Imagenette


def imagenette_folders(root: Path, size: tuple[int, int], suffix: str) -> Path:
    for split in ("train", "val"):
        for index, wnid in enumerate(imagenette.WNIDS):
            path = root / split / wnid / f"{split}_{index}.jpg"
            write_image(path, np.full((*size, 3), 20 * index, np.uint8)).rename(path.with_suffix(suffix))
    return root


@pytest.fixture
def small_imagenette(monkeypatch: pytest.MonkeyPatch) -> None:
    """One image of each class in each split is the whole set."""
    monkeypatch.setattr(imagenette, "_COUNTS", {"train": 10, "val": 10})
    monkeypatch.setattr(imagenette, "ADDRESS", "http://127.0.0.1:9")


@pytest.mark.usefixtures("small_imagenette")
@pytest.mark.parametrize("size", ["160", "96"])
def test_imagenette_from_its_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    source = imagenette_folders(tmp_path / "source", (160, 200), ".JPEG")
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    members = {f"imagenette2-160/{path.relative_to(source)}": path.read_bytes() for path in source.rglob("*.JPEG")}
    content = tar(mirror / "imagenette2-160.tgz", members, "w:gz")
    monkeypatch.setitem(imagenette._MD5, "imagenette2-160", hashlib.md5(content).hexdigest())
    dataset = classification("imagenette", size=size)
    root = tmp_path / "data"
    dataset.fetch(root, "val", QUIET.model_copy(update={"mirror": str(mirror)}))
    dataset.fetch(root, "train", QUIET)
    images = dataset.images(root, "train")
    assert [image.class_id for image in images] == list(range(10))
    assert isinstance(images[3].image, Path)
    pixels = cv2.imread(str(images[3].image))
    assert pixels.shape == ((160, 200, 3) if size == "160" else (96, 96, 3))
    assert abs(int(pixels.mean()) - 60) <= 2
    assert not (root / "extracted").exists()


@pytest.mark.usefixtures("small_imagenette")
def test_imagenette_fetch_leaves_a_split_alone_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = imagenette_folders(tmp_path / "source", (160, 160), ".JPEG")
    members = {f"imagenette2-160/{path.relative_to(source)}": path.read_bytes() for path in source.rglob("*.JPEG")}
    root = tmp_path / "data"
    root.mkdir()
    content = tar(root / "imagenette2-160.tgz", members, "w:gz")
    monkeypatch.setitem(imagenette._MD5, "imagenette2-160", hashlib.md5(content).hexdigest())
    dataset = classification("imagenette")
    dataset.fetch(root, "train", QUIET)
    in_use = (root / "train").stat().st_ino
    shutil.rmtree(root / "val")
    dataset.fetch(root, "val", QUIET)
    assert (root / "train").stat().st_ino == in_use
    assert dataset.count(root, "val") == 10


@pytest.mark.usefixtures("small_imagenette")
def test_imagenette_96_from_a_copy_says_which_copy_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mirror = imagenette_folders(tmp_path / "mirror", (96, 96), ".jpg")
    dataset = classification("imagenette", size="96")
    dataset.fetch(tmp_path / "data", "val", QUIET.model_copy(update={"mirror": str(mirror)}))
    assert dataset.count(tmp_path / "data", "val") == 10
    content = read_json(tmp_path / "data" / "content_val.json")
    assert content["sha256"] == imagenette.content_sha256(mirror / "val") != content["reference_sha256"]
    assert "other bytes than the copy that published results used" in caplog.text


@pytest.mark.usefixtures("small_imagenette")
@pytest.mark.parametrize(("harm", "message"), [("size", "is 64x96, not 96x96"), ("content", "is no JPEG image")])
def test_imagenette_96_from_a_wrong_copy_is_one_line(tmp_path: Path, harm: str, message: str) -> None:
    mirror = imagenette_folders(tmp_path / "mirror", (96, 96), ".jpg")
    victim = mirror / "val" / imagenette.WNIDS[4] / "val_4.jpg"
    if harm == "size":
        write_image(victim, np.zeros((64, 96, 3), np.uint8))
    else:
        victim.write_bytes(b"not an image")
    with pytest.raises(DataError, match=rf"val_4\.jpg: {message}"):
        classification("imagenette", size="96").fetch(
            tmp_path / "data", "val", QUIET.model_copy(update={"mirror": str(mirror)})
        )
    assert not (tmp_path / "data" / "val").exists()


def test_imagenette_96_mirror_is_the_reference_copy(repository: Path) -> None:
    named = os.environ.get("BORDERLAB_MIRROR_IMAGENETTE")
    mirror = Path(named) if named else repository.parent / "shared" / "data" / "imagenette-96"
    if not (mirror / "val").is_dir():
        pytest.skip("no 96-pixel Imagenette here: set BORDERLAB_MIRROR_IMAGENETTE to a folder with train/ and val/")
    assert imagenette.content_sha256(mirror / "val") == imagenette._SQUARE_SHA256["val"]


def test_imagenette_folder_counts(tmp_path: Path) -> None:
    for wnid in imagenette.WNIDS:
        write_image(tmp_path / "val" / wnid / "a.jpg")
    dataset = classification("imagenette", size="96")
    assert len(dataset.images(tmp_path, "val")) == 10
    with pytest.raises(DataError, match="has 10 images, not 3925"):
        dataset.fetch(tmp_path, "val", QUIET)
