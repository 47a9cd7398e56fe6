"""The file with the counts of each image of a split; imports no torch, for tables are made from it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from borderlab.errors import RunError
from borderlab.files import DAMAGED_ARRAY, atomic_file

IMAGES_FILE = "images.npz"
ImageCounts = NDArray[np.int64]
"""What `borderlab.evaluation.images.measure_images` returns."""
Recordings = NDArray[np.int64]
"""Of each image (n), the number of the recording that it is of."""


def write_image_counts(path: Path, counts: ImageCounts, recordings: Recordings) -> None:
    """Write both to `path`, compressed; equal counts give equal bytes."""
    with atomic_file(path) as part, part.open("wb") as stream:
        # No image has 2^32 pixels.
        np.savez_compressed(stream, counts=counts.astype(np.uint32), recordings=recordings.astype(np.uint32))


def read_image_counts(path: Path) -> tuple[ImageCounts, Recordings]:
    """What `write_image_counts` wrote.

    Raises:
        RunError: if the file is missing or damaged.
    """
    try:
        with np.load(path) as stored:
            return np.asarray(stored["counts"], np.int64), np.asarray(stored["recordings"], np.int64)
    except FileNotFoundError:
        raise RunError(f"{path}: is missing; evaluate the run again") from None
    except DAMAGED_ARRAY as fault:
        raise RunError(f"{path}: cannot be read ({fault}); evaluate the run again") from fault
