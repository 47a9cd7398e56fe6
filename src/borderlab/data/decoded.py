"""All images of a classification split, decoded once and laid one behind the other.

Many runs on one machine decode a split once between them: its bytes are kept below the data set's folder and mapped
into memory, where all runs share the same pages.

    pixels.bin   RGB bytes, row by row, one image behind the other
    index.npz    height and width of each image, and what the bytes were made from
"""

import io
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from borderlab.codehash import code_hash
from borderlab.data.base import LabelledImage
from borderlab.data.decode import read_image
from borderlab.data.lock import exclusive
from borderlab.errors import DataError
from borderlab.files import DAMAGED_ARRAY, atomic_folder, sha256_of_json
from borderlab.libraries import library_versions

_GIB = 2**30
# Enough to judge a split's size by.
_SAMPLED_IMAGES = 64

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DecodedImages:
    """Decoded images; as a source of samples it gives sizes and places in this list, not pixels.

    Attributes:
        pixels: uint8 (p 3), all images one behind the other.
        sizes: int64 (n 2), height and width of each image.
        targets: int64 (n), its class.
        names: its name.
    """

    pixels: NDArray[np.uint8]
    sizes: NDArray[np.int64]
    targets: NDArray[np.int64]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.sizes)

    def load(self, index: int) -> Any:
        """Height and width of one image, and its index."""
        return self.sizes[index], index

    def sample_id(self, index: int) -> str:
        """Name of one image."""
        return self.names[index]

    @property
    def first(self) -> NDArray[np.int64]:
        """Where each image begins among the pixels (n)."""
        return np.concatenate([[0], np.cumsum(self.sizes.prod(axis=1))[:-1]])


def decoded_images(images: Sequence[LabelledImage], folder: Path, content: str, limit_bytes: float) -> DecodedImages:
    """`images`, decoded: from `folder` if they are kept there, else kept there for the next run.

    Args:
        images: the split.
        folder: where its bytes are kept: `<data set>/<any>/<split>`. If nothing can be written into the data set's
            folder they are held in memory alone.
        content: identity of the data set.
        limit_bytes: what the decoded images may take.

    Raises:
        DataError: if an image cannot be read, there is none, or together they take more than `limit_bytes`.
    """
    if not images:
        raise DataError(f"{folder.parents[1]}: has no image of split {folder.name}; fetch the data set")
    _check_room(images, limit_bytes)
    pixels, sizes = _kept_or_made(images, folder, content, limit_bytes)
    targets = np.array([image.class_id for image in images], dtype=np.int64)
    return DecodedImages(pixels, sizes, targets, tuple(image.sample_id for image in images))


def _kept_or_made(
    images: Sequence[LabelledImage], folder: Path, content: str, limit_bytes: float
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    files = [image.image for image in images if isinstance(image.image, Path)]
    if not files or not os.access(folder.parents[1], os.W_OK):
        stream = io.BytesIO()
        sizes = _decode_into(stream, images, limit_bytes)
        return np.frombuffer(stream.getbuffer(), np.uint8).reshape(-1, 3), sizes
    key = _key(images, content)
    with exclusive(folder.parent):
        kept = _read(folder, key)
        if kept is None:
            log.info("decoding %d images into %s", len(images), folder)
            with atomic_folder(folder) as part:
                with (part / "pixels.bin").open("wb") as file:
                    sizes = _decode_into(file, images, limit_bytes)
                np.savez(part / "index.npz", sizes=sizes, key=np.array(key))
            kept = _read(folder, key)
    if kept is None:
        raise DataError(f"{folder}: was changed while it was written; try again")
    return kept


def _decode_into(stream: BinaryIO, images: Sequence[LabelledImage], limit_bytes: float) -> NDArray[np.int64]:
    """Write the bytes of all images to `stream`; return their sizes (n 2)."""
    sizes: list[tuple[int, ...]] = []
    taken = 0
    for image in images:
        pixels = _pixels(image)
        taken += pixels.nbytes
        if taken > limit_bytes:
            raise _too_large(len(images), taken * len(images) / (len(sizes) + 1), limit_bytes)
        stream.write(np.ascontiguousarray(pixels).data)
        sizes.append(pixels.shape[:2])
    return np.array(sizes, dtype=np.int64)


def _check_room(images: Sequence[LabelledImage], limit_bytes: float) -> None:
    """Refuse a large split before it is decoded, by some of its images."""
    sampled = images[:: -(-len(images) // _SAMPLED_IMAGES)]
    expected = sum(_pixels(image).nbytes for image in sampled) * len(images) / len(sampled)
    if expected > limit_bytes:
        raise _too_large(len(images), expected, limit_bytes)


def _too_large(n_images: int, n_bytes: float, limit_bytes: float) -> DataError:
    return DataError(
        f"{n_images} decoded images take about {n_bytes / _GIB:.2f} GiB, and resident images may take "
        f"{limit_bytes / _GIB:.2f} GiB here: set `resident: false` in the recipe"
    )


def _pixels(image: LabelledImage) -> NDArray[np.uint8]:
    return read_image(image.image) if isinstance(image.image, Path) else image.image


def _key(images: Sequence[LabelledImage], content: str) -> str:
    """Hash of what decides the bytes: the files as they lie there, and what decodes them."""
    files = [
        [image.sample_id, (stat := image.image.stat()).st_size, stat.st_mtime_ns]
        for image in images
        if isinstance(image.image, Path)
    ]
    return sha256_of_json([content, files, library_versions(), code_hash((__name__,))])


def _read(folder: Path, key: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]] | None:
    """Bytes and sizes in `folder`, if they are whole and made from what `key` says."""
    try:
        with np.load(folder / "index.npz") as index:
            if str(index["key"]) != key:
                return None
            sizes: NDArray[np.int64] = index["sizes"]
        # Copy on write, and nobody writes: torch warns of arrays that must not be written to.
        pixels = np.memmap(folder / "pixels.bin", np.uint8, mode="c")
    except DAMAGED_ARRAY:
        return None
    return (pixels.reshape(-1, 3), sizes) if pixels.size == 3 * sizes.prod(axis=1).sum() else None
