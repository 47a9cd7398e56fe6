"""A stand-in for Imagenette where it is not at hand: noise in its layout, sizes and numbers, for timing alone."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.random import default_rng

from borderlab.data.imagenette import WNIDS

COUNTS = {"train": 9469, "val": 3925}


def make_photographs(folder: Path, counts: dict[str, int] = COUNTS, side: int = 160) -> None:
    """Fill `folder` with JPEG files whose shorter side is `side` pixels, evenly spread over the classes."""
    names = [(split, index) for split, count in counts.items() for index in range(count)]
    for split in counts:
        for wnid in WNIDS:
            (folder / split / wnid).mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor() as pool:
        list(pool.map(partial(_write, folder, side), names, chunksize=200))


def _write(folder: Path, side: int, name: tuple[str, int]) -> None:
    split, index = name
    random = default_rng(index)
    longer = int(random.integers(side, 2 * side))
    size = (longer, side) if random.random() < 0.3 else (side, longer)
    coarse = random.integers(0, 256, (size[0] // 8, size[1] // 8, 3), dtype=np.uint8)
    pixels = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    path = folder / split / WNIDS[index % len(WNIDS)] / f"{index:05d}.JPEG"
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])
