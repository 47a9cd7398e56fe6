"""All textures in one flat memory, each with ever smaller copies (a mip pyramid) for distance.

A texel has one address (`int32`) in the planes `red`, `green`, `blue` and `opaque`, so that a whole frame of
different materials is coloured by three gathers.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from borderlab.data.streets.canvas import Canvas

_LEVELS = 7


@dataclass(frozen=True)
class Page:
    """One texture: address of the first texel, rows and columns of each level, finest first."""

    size_m: tuple[float, float]
    first: NDArray[np.int32]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]


@dataclass(frozen=True)
class Atlas:
    """The planes (texels,) and the pages by name."""

    red: NDArray[np.uint8]
    green: NDArray[np.uint8]
    blue: NDArray[np.uint8]
    opaque: NDArray[np.bool_]
    pages: dict[str, Page]

    def with_pages(self, canvases: dict[str, Canvas]) -> "Atlas":
        """A larger atlas that holds `canvases` too."""
        more = build_atlas(canvases, first=self.opaque.size)
        return Atlas(
            np.concatenate([self.red, more.red]),
            np.concatenate([self.green, more.green]),
            np.concatenate([self.blue, more.blue]),
            np.concatenate([self.opaque, more.opaque]),
            self.pages | more.pages,
        )

    def names(self, prefix: str) -> list[str]:
        """Names of the pages that start with `prefix`, in the order of painting."""
        return [name for name in self.pages if name.startswith(prefix)]


def build_atlas(canvases: dict[str, Canvas], first: int = 0) -> Atlas:
    """Lay the pyramids of all canvases one after the other, the first texel at address `first`."""
    colours: list[NDArray[np.uint8]] = []
    covers: list[NDArray[np.bool_]] = []
    pages: dict[str, Page] = {}
    for name, canvas in canvases.items():
        levels = _pyramid(canvas)
        shapes = np.array([cover.shape for _, cover in levels], np.int32)
        sizes = shapes[:, 0] * shapes[:, 1]
        starts = (first + np.concatenate([[0], np.cumsum(sizes)[:-1]])).astype(np.int32)
        pages[name] = Page(canvas.size_m, starts, shapes[:, 0].copy(), shapes[:, 1].copy())
        colours += [rgb.reshape(-1, 3) for rgb, _ in levels]
        covers += [cover.ravel() for _, cover in levels]
        first += int(sizes.sum())
    red, green, blue = np.ascontiguousarray(np.concatenate(colours).T)
    return Atlas(red, green, blue, np.concatenate(covers), pages)


def _pyramid(canvas: Canvas) -> list[tuple[NDArray[np.uint8], NDArray[np.bool_]]]:
    """Levels (colour, cover) of a canvas; a coarse texel is opaque where at least half of it is covered."""
    cover = canvas.cover.astype(np.float32)
    weighted = np.clip(canvas.rgb, 0, 255) * cover[..., None]
    levels = []
    for level in range(_LEVELS):
        if level:
            cover, weighted = _halve(cover), _halve(weighted)
        rgb = weighted / np.maximum(cover, np.float32(1e-6))[..., None]
        levels.append(((rgb + np.float32(0.5)).astype(np.uint8), cover >= np.float32(0.5)))
        if min(cover.shape) < 2:
            break
    return levels


def _halve(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of every 2 x 2 block; an odd last row or column is repeated."""
    if image.shape[0] % 2:
        image = np.concatenate([image, image[-1:]])
    if image.shape[1] % 2:
        image = np.concatenate([image, image[:, -1:]], axis=1)
    return (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]) * np.float32(0.25)
