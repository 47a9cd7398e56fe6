"""A small painter for textures: metres in, texels out.

Convention: x grows to the right and y grows upwards, both in metres from the lower left corner; row 0 of the arrays
is the lowest row, so that a texture's v coordinate grows with height. Colours are sRGB, 0..255.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]
Point = tuple[float, float]

_SHIFT = 4


def scaled(colour: Colour, factor: float) -> Colour:
    """A colour made lighter or darker."""
    return (factor * colour[0], factor * colour[1], factor * colour[2])


class Canvas:
    """Colour (rows, columns, 3) and cover (rows, columns) of a texture while it is painted."""

    def __init__(self, width_m: float, height_m: float, texels_per_m: float, colour: Colour | None = None) -> None:
        rows, columns = round(height_m * texels_per_m), round(width_m * texels_per_m)
        self.size_m = (width_m, height_m)
        self.texels_per_m = texels_per_m
        self.rgb = np.zeros((rows, columns, 3), np.float32)
        self.cover = np.full((rows, columns), colour is not None)
        if colour is not None:
            self.rgb[:] = colour

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.cover.shape
        return rows, columns

    @property
    def x(self) -> NDArray[np.float32]:
        """Abscissa of each column's middle, (1, columns), in metres."""
        return ((np.arange(self.shape[1], dtype=np.float32) + 0.5) / np.float32(self.texels_per_m))[None, :]

    @property
    def y(self) -> NDArray[np.float32]:
        """Height of each row's middle, (rows, 1), in metres."""
        return ((np.arange(self.shape[0], dtype=np.float32) + 0.5) / np.float32(self.texels_per_m))[:, None]

    def rect(self, x: Point, y: Point, colour: Colour) -> None:
        """Fill the rectangle x[0]..x[1], y[0]..y[1]."""
        box = self._box(x, y)
        self.rgb[box] = colour
        self.cover[box] = True

    def shade(self, x: Point, y: Point, factor: float) -> None:
        """Multiply the colours of a rectangle by `factor`."""
        self.rgb[self._box(x, y)] *= np.float32(factor)

    def cut(self, x: Point, y: Point) -> None:
        """Make a rectangle transparent."""
        self.cover[self._box(x, y)] = False

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon."""
        self._paint(self._polygon_mask(points), colour)

    def keep_polygon(self, points: Sequence[Point]) -> None:
        """Make everything outside a polygon transparent."""
        self.cover &= self._polygon_mask(points)

    def ellipse(self, centre: Point, radii: Point, colour: Colour) -> None:
        """Fill an upright ellipse."""
        self._paint(self._ellipse_mask(centre, radii), colour)

    def ring(self, centre: Point, radius: float, thickness: float, colour: Colour) -> None:
        """Fill the ring between `radius - thickness` and `radius`."""
        inner = radius - thickness
        hole = self._ellipse_mask(centre, (inner, inner))
        self._paint(self._ellipse_mask(centre, (radius, radius)) & ~hole, colour)

    def stroke(self, start: Point, end: Point, width: float, colour: Colour) -> None:
        """Draw a straight stroke of the given width with flat ends."""
        (x0, y0), (x1, y1) = start, end
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        dx, dy = (y0 - y1) / length * width / 2, (x1 - x0) / length * width / 2
        self.polygon([(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)], colour)

    def grain(self, noise: NDArray[np.float32], amount: float) -> None:
        """Multiply by 1 + amount * (2 * noise - 1), noise in [0, 1] of the canvas's shape."""
        self.rgb *= (1 + np.float32(amount) * (2 * noise - 1))[..., None]

    def mix(self, share: NDArray[np.float32], colour: Colour) -> None:
        """Move colours towards `colour` by a share in [0, 1] per texel."""
        self.rgb += (np.asarray(colour, np.float32) - self.rgb) * share[..., None]

    def turned(self) -> "Canvas":
        """The same picture with x and y exchanged."""
        turned = Canvas(self.size_m[1], self.size_m[0], self.texels_per_m)
        turned.rgb = np.ascontiguousarray(self.rgb.transpose(1, 0, 2))
        turned.cover = np.ascontiguousarray(self.cover.T)
        return turned

    def _box(self, x: Point, y: Point) -> tuple[slice, slice]:
        low_y, high_y = (max(0, round(value * self.texels_per_m)) for value in y)
        low_x, high_x = (max(0, round(value * self.texels_per_m)) for value in x)
        return slice(low_y, max(high_y, low_y + 1)), slice(low_x, max(high_x, low_x + 1))

    def _paint(self, mask: NDArray[np.bool_], colour: Colour) -> None:
        self.rgb[mask] = colour
        self.cover |= mask

    def _polygon_mask(self, points: Sequence[Point]) -> NDArray[np.bool_]:
        scaled = (np.asarray(points) * self.texels_per_m - 0.5) * (1 << _SHIFT)
        mask = np.zeros(self.shape, np.uint8)
        cv2.fillPoly(mask, [np.rint(scaled).astype(np.int32)], 1, cv2.LINE_8, _SHIFT)
        return mask.astype(np.bool_)

    def _ellipse_mask(self, centre: Point, radii: Point) -> NDArray[np.bool_]:
        across = (self.x - np.float32(centre[0])) / np.float32(radii[0])
        along = (self.y - np.float32(centre[1])) / np.float32(radii[1])
        return across * across + along * along <= 1
