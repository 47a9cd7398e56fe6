"""CIFAR-10: 60,000 colour images, 32x32, in the binary version (the Python version is pickled, and never opened).

Source: Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images".
"""

import shutil
from pathlib import Path
from typing import ClassVar

import numpy as np

from borderlab.data.archive import extract
from borderlab.data.base import (
    ClassificationDataset,
    DatasetInfo,
    FetchSettings,
    LabelledImage,
    RemoteFile,
    check_split,
)
from borderlab.data.lock import exclusive
from borderlab.errors import DataError

ARCHIVE, FOLDER = "cifar-10-binary.tar.gz", "cifar-10-batches-bin"
ADDRESS = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
# As the set's own page gives it.
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
_BATCHES = {"train": [f"data_batch_{number}.bin" for number in range(1, 6)], "test": ["test_batch.bin"]}
_SIDE = 32
_RECORD_BYTES = 1 + 3 * _SIDE * _SIDE
_RECORDS = 10_000
_MAX_BYTES = 1 << 30


class Cifar10(ClassificationDataset):
    """CIFAR-10."""

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="cifar10",
        title="CIFAR-10",
        version="binary",
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        access="public",
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
        licence="none is stated",
    )
    splits: ClassVar[tuple[str, ...]] = ("train", "test")

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        from borderlab.data.fetch import fetch_files

        check_split(self, split)
        if not (root / FOLDER).is_dir():
            with exclusive(root):
                fetch_files([RemoteFile(ARCHIVE, ADDRESS, md5=MD5)], root, settings)
                _extract(root)
        self.images(root, split)

    def images(self, root: Path, split: str) -> list[LabelledImage]:
        check_split(self, split)
        samples = []
        for name in _BATCHES[split]:
            records = _read_batch(root / FOLDER / name)
            pixels = records[:, 1:].reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1)
            stem = Path(name).stem
            samples += [
                LabelledImage(f"{stem}/{index:05d}", np.ascontiguousarray(image), int(class_id))
                for index, (image, class_id) in enumerate(zip(pixels, records[:, 0], strict=True))
            ]
        return samples


def _extract(root: Path) -> None:
    if (root / FOLDER).is_dir():
        # Another process did it while this one waited.
        return
    extract(root / ARCHIVE, root / "extracted", max_bytes=_MAX_BYTES)
    (root / "extracted" / FOLDER).replace(root / FOLDER)
    shutil.rmtree(root / "extracted")


def _read_batch(path: Path) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Records (10000, 3073): a class, then 3 x 32 x 32 pixels."""
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise DataError(f"{path}: cannot be read ({fault.strerror}); run `borderlab fetch cifar10`") from fault
    if len(content) != _RECORDS * _RECORD_BYTES:
        raise DataError(f"{path}: has {len(content)} bytes, not {_RECORDS * _RECORD_BYTES}; delete it and fetch again")
    records = np.frombuffer(content, np.uint8).reshape(_RECORDS, _RECORD_BYTES)
    if records[:, 0].max() >= len(Cifar10.info.classes):
        raise DataError(f"{path}: holds class {records[:, 0].max()}, past the last one; delete it and fetch again")
    return records
