"""Fashion-MNIST: 70,000 grey images of clothes, 28x28.

Source: Xiao et al. 2017, arXiv:1708.07747. Files in the idx format: a header of big-endian numbers, then bytes.
"""

import gzip
import struct
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from borderlab.data.base import (
    ClassificationDataset,
    DatasetInfo,
    FetchSettings,
    LabelledImage,
    RemoteFile,
    check_split,
)
from borderlab.errors import DataError

ADDRESS = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
_STEMS = {"train": "train", "test": "t10k"}
# MD5 sums as the set's own page gives them.
_MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
# Debian's package dataset-fashion-mnist: gzip headers without file names, so other bytes.
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
_DEBIAN_SHA256 = {
    "train-images-idx3-ubyte.gz": "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    "train-labels-idx1-ubyte.gz": "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    "t10k-images-idx3-ubyte.gz": "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    "t10k-labels-idx1-ubyte.gz": "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
}
_IMAGES_MAGIC, _LABELS_MAGIC = 2051, 2049


class FashionMnist(ClassificationDataset):
    """Fashion-MNIST, grey values repeated over three channels."""

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="fashion_mnist",
        title="Fashion-MNIST",
        version="1",
        classes=(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
        ),
        access="public",
        homepage="https://github.com/zalandoresearch/fashion-mnist",
        licence="MIT",
    )  # fmt: skip
    splits: ClassVar[tuple[str, ...]] = ("train", "test")

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        from borderlab.data.fetch import fetch_files, is_whole

        check_split(self, split)
        names = [f"{_STEMS[split]}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1")]
        public = [RemoteFile(name, f"{ADDRESS}/{name}", md5=_MD5[name]) for name in names]
        packaged = [RemoteFile(name, f"{ADDRESS}/{name}", sha256=_DEBIAN_SHA256[name]) for name in names]
        # The set as Debian packages it serves as well, be it installed, in the mirror, or fetched before.
        for folder in (root, settings.mirror_folder, DEBIAN_FOLDER):
            if folder is not None and all(is_whole(folder / file.path, file) for file in packaged):
                fetch_files(packaged, root, settings.model_copy(update={"mirror": str(folder)}))
                return
        fetch_files(public, root, settings)

    def images(self, root: Path, split: str) -> list[LabelledImage]:
        check_split(self, split)
        pixels = read_idx(root / f"{_STEMS[split]}-images-idx3-ubyte.gz", _IMAGES_MAGIC, dimensions=3)
        classes = read_idx(root / f"{_STEMS[split]}-labels-idx1-ubyte.gz", _LABELS_MAGIC, dimensions=1)
        if len(pixels) != len(classes):
            raise DataError(f"{root}: {split} has {len(pixels)} images but {len(classes)} labels; fetch it again")
        if classes.max() >= len(self.info.classes):
            raise DataError(f"{root}: {split} holds class {classes.max()}, past the last one; fetch it again")
        return [
            LabelledImage(f"{split}/{index:05d}", np.repeat(grey[..., None], 3, axis=2), int(class_id))
            for index, (grey, class_id) in enumerate(zip(pixels, classes, strict=True))
        ]


def read_idx(path: Path, magic: int, dimensions: int) -> NDArray[np.uint8]:
    """The array in a gzipped idx file of bytes.

    Raises:
        DataError: if the file is missing, damaged, or of another kind.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as fault:
        raise DataError(f"{path}: cannot be read ({fault}); run `borderlab fetch fashion_mnist`") from fault
    offset = 4 * (1 + dimensions)
    header = struct.unpack_from(f">{1 + dimensions}I", content) if len(content) >= offset else (0,)
    if header[0] != magic or len(content) - offset != int(np.prod(header[1:], dtype=np.int64)):
        raise DataError(f"{path}: is no idx file of the right kind; fetch it again")
    return np.frombuffer(content, np.uint8, offset=offset).reshape(header[1:])
