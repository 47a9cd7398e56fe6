"""Sample pictures inside the page: re-encoded small, each stored once, and never more than a budget."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from borderlab.errors import RunError

MAX_WIDTH_PX = 400
JPEG_QUALITY = 84
BUDGET_BYTES = 12_000_000

# Photographs compress well as JPEG; label colours must stay exact.
PHOTOGRAPHS = ("frame", "moved_frame")


@dataclass
class Album:
    """Pictures as data addresses, in order of arrival; `left_out` counts those that no longer fitted."""

    budget_bytes: int = BUDGET_BYTES
    addresses: list[str] = field(default_factory=list)
    used_bytes: int = 0
    left_out: int = 0
    _places: dict[str, int] = field(default_factory=dict)

    def add(self, path: Path) -> int | None:
        """Index of the picture in `path` among `addresses`; None if the album is full.

        Raises:
            RunError: if the file is missing or no picture.
        """
        address = data_address(path)
        if address in self._places:
            return self._places[address]
        if self.used_bytes + len(address) > self.budget_bytes:
            self.left_out += 1
            return None
        self.used_bytes += len(address)
        self.addresses.append(address)
        self._places[address] = len(self.addresses) - 1
        return self._places[address]

    def add_all(self, paths: dict[str, Path]) -> dict[str, int] | None:
        """Indices of pictures that only make sense together; None if one of them does not fit."""
        found = {name: self.add(path) for name, path in paths.items()}
        kept = {name: index for name, index in found.items() if index is not None}
        return kept if len(kept) == len(paths) else None


def data_address(path: Path) -> str:
    """The picture in `path` as a data address, at most `MAX_WIDTH_PX` wide."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if image is None:
        raise RunError(f"{path}: is missing or no picture; make the result in that folder again")
    photograph = path.stem in PHOTOGRAPHS
    height, width = image.shape[:2]
    if width > MAX_WIDTH_PX:
        size = (MAX_WIDTH_PX, max(1, round(height * MAX_WIDTH_PX / width)))
        # Nearest neighbour: colours between two classes would mean nothing.
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if photograph else cv2.INTER_NEAREST)
    kind = "jpeg" if photograph else "png"
    settings = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if photograph else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    _, encoded = cv2.imencode(f".{kind}", image, settings)
    return f"data:image/{kind};base64,{base64.b64encode(encoded.tobytes()).decode()}"


def sample_folders(folder: Path) -> list[Path]:
    """Sample folders below `folder`/pictures, sorted by name; none if there are no pictures."""
    pictures = folder / "pictures"
    return sorted(path for path in pictures.iterdir() if path.is_dir()) if pictures.is_dir() else []
