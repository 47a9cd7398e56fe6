"""Sample pictures inside the page: re-encoded small, and never more than a budget."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from borderlab.errors import RunError

MAX_WIDTH_PX = 400
JPEG_QUALITY = 84
BUDGET_BYTES = 7_000_000

# Photographs compress well as JPEG; label colours must stay exact.
PHOTOGRAPHS = ("frame", "moved_frame")


@dataclass
class Album:
    """Pictures as data addresses, in order of arrival; `left_out` counts those that no longer fitted.

    Pictures that a script looks up are stored once, however often they are shown. Those that stand in the page itself
    (`repeats`) cost their size each time.
    """

    budget_bytes: int = BUDGET_BYTES
    repeats: bool = False
    addresses: list[str] = field(default_factory=list)
    used_bytes: int = 0
    left_out: int = 0
    _places: dict[str, int] = field(default_factory=dict)

    def add(self, paths: dict[str, Path]) -> dict[str, int] | None:
        """Indices in `addresses` of pictures that only make sense together; None if they do not all fit.

        Raises:
            RunError: if a file is missing or no picture.
        """
        addresses = {name: data_address(path) for name, path in paths.items()}
        new = [address for address in addresses.values() if self.repeats or address not in self._places]
        cost = sum(map(len, new if self.repeats else set(new)))
        if self.used_bytes + cost > self.budget_bytes:
            self.left_out += len(new)
            return None
        self.used_bytes += cost
        return {name: self._place(address) for name, address in addresses.items()}

    def _place(self, address: str) -> int:
        if self.repeats or address not in self._places:
            self._places[address] = len(self.addresses)
            self.addresses.append(address)
        return self._places[address]


def read_picture(path: Path) -> NDArray[np.uint8]:
    """The picture in `path`, RGB (h w 3).

    Raises:
        RunError: if the file is missing or no picture.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) if path.is_file() else None
    if image is None:
        raise RunError(f"{path}: is missing or no picture; make the result in that folder again")
    return image.astype(np.uint8, copy=False)


def data_address(path: Path) -> str:
    """The picture in `path` as a data address, at most `MAX_WIDTH_PX` wide.

    Raises:
        RunError: if the file is missing or no picture.
    """
    return encoded(read_picture(path), path.stem in PHOTOGRAPHS)


def encoded(image: NDArray[np.uint8], photograph: bool) -> str:
    """An RGB (h w 3) or grey (h w) picture as a data address, at most `MAX_WIDTH_PX` wide; JPEG if a photograph."""
    height, width = image.shape[:2]
    if width > MAX_WIDTH_PX:
        size = (MAX_WIDTH_PX, max(1, round(height * MAX_WIDTH_PX / width)))
        # Nearest neighbour: colours between two classes would mean nothing.
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if photograph else cv2.INTER_NEAREST)
    kind = "jpeg" if photograph else "png"
    settings = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if photograph else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    stored = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(f".{kind}", stored, settings)
    return f"data:image/{kind};base64,{base64.b64encode(content.tobytes()).decode()}"


def sample_folders(folder: Path) -> list[Path]:
    """Sample folders below `folder`/pictures, sorted by name; none if there are no pictures."""
    pictures = folder / "pictures"
    return sorted(path for path in pictures.iterdir() if path.is_dir()) if pictures.is_dir() else []
