"""The shadow map: how much sun each spot of the ground gets, as seen from above.

Rows run along the street (Z), columns across it (X). Shadows of still things are drawn once per clip; those of moving
things are stamped onto a copy for each frame. 255 is full sun, `CAST` the shadow of something tall, `CONTACT` the dark
right under a thing.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from borderlab.data.streets.light import Light

CAST = 96
CONTACT = 20

_TEXELS_PER_M = 8.0
_HALF_WIDTH_M = 18.0
_START_M = -12.0
_CONTACT_MARGIN_M = 0.12


@dataclass(frozen=True)
class Caster:
    """A box that throws a shadow: footprint x[0]..x[1], z[0]..z[1] at time 0, from `bottom_m` to `top_m`."""

    x: tuple[float, float]
    z: tuple[float, float]
    top_m: float
    bottom_m: float = 0.0
    round: bool = False
    contact: bool = False
    velocity: tuple[float, float] = (0.0, 0.0)

    @property
    def moves(self) -> bool:
        """Whether it has to be stamped anew for each frame."""
        return self.velocity != (0.0, 0.0)


@dataclass(frozen=True)
class _Stamp:
    """The shadow of one moving thing: factors (rows, columns) in 0..255 and its corner at time 0, in metres."""

    factors: NDArray[np.uint8]
    corner: tuple[float, float]
    velocity: tuple[float, float]


@dataclass(frozen=True)
class ShadowMap:
    """Shadows of a clip.

    Attributes:
        tall: buildings alone: what decides whether a thing stands in the shade.
        still: everything that does not move.
        stamps: everything that moves.
    """

    tall: NDArray[np.uint8]
    still: NDArray[np.uint8]
    stamps: tuple[_Stamp, ...]

    def at(self, time_s: float) -> NDArray[np.uint8]:
        """The map at a time."""
        shade = self.still.copy()
        for stamp in self.stamps:
            _stamp(shade, stamp, time_s)
        return shade


def build_shadows(length_m: float, tall: list[Caster], casters: list[Caster], light: Light) -> ShadowMap:
    """Shadows of buildings (`tall`) and of everything else on a street of the given length."""
    rows = round((length_m - _START_M) * _TEXELS_PER_M)
    columns = round(2 * _HALF_WIDTH_M * _TEXELS_PER_M)
    shade = np.full((rows, columns), 255, np.uint8)
    for caster in tall:
        _draw(shade, caster, light, (-_HALF_WIDTH_M, _START_M))
    of_buildings = _soften(shade)
    for caster in casters:
        if not caster.moves:
            _draw(shade, caster, light, (-_HALF_WIDTH_M, _START_M))
    stamps = tuple(_make_stamp(caster, light) for caster in casters if caster.moves)
    return ShadowMap(of_buildings, _soften(_soften(shade)), stamps)


def map_index(shade: NDArray[np.uint8], x: NDArray[np.floating], z: NDArray[np.floating]) -> NDArray[np.int32]:
    """Flat index into a map of the texels at world x and z, in metres; places outside take the nearest texel."""
    rows, columns = shade.shape
    column = np.clip((x + _HALF_WIDTH_M) * _TEXELS_PER_M, 0, columns - 1).astype(np.int32)
    row = np.clip((z - _START_M) * _TEXELS_PER_M, 0, rows - 1).astype(np.int32)
    return row * np.int32(columns) + column


def _soften(shade: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mean of each 3 x 3 neighbourhood."""
    return np.asarray(cv2.blur(shade, (3, 3)), np.uint8)


def _draw(shade: NDArray[np.uint8], caster: Caster, light: Light, corner: tuple[float, float]) -> None:
    """Darken the shadow of one caster on a map whose first texel lies at `corner`."""
    _fill(shade, _shadow_outline(caster, light), corner, CAST)
    if caster.contact:
        _fill(shade, _outline(caster, _CONTACT_MARGIN_M), corner, CONTACT)


def _fill(shade: NDArray[np.uint8], outline: NDArray[np.float64], corner: tuple[float, float], value: int) -> None:
    texels = np.rint((outline - np.array(corner)) * _TEXELS_PER_M).astype(np.int32)
    x0, y0, width, height = cv2.boundingRect(texels)
    left, top = max(x0, 0), max(y0, 0)
    part = shade[top : max(y0 + height, 0), left : max(x0 + width, 0)]
    if part.size:
        mask = np.full_like(part, 255)
        cv2.fillConvexPoly(mask, texels - np.array([left, top], np.int32), value)
        np.minimum(part, mask, out=part)


def _outline(caster: Caster, margin_m: float = 0.0) -> NDArray[np.float64]:
    """Footprint: a rectangle, or an octagon for round things."""
    x0, x1 = caster.x[0] - margin_m, caster.x[1] + margin_m
    z0, z1 = caster.z[0] - margin_m, caster.z[1] + margin_m
    if not caster.round:
        return np.array([(x0, z0), (x1, z0), (x1, z1), (x0, z1)])
    bevel_x, bevel_z = 0.29 * (x1 - x0), 0.29 * (z1 - z0)
    return np.array(
        [
            (x0 + bevel_x, z0), (x1 - bevel_x, z0), (x1, z0 + bevel_z), (x1, z1 - bevel_z),
            (x1 - bevel_x, z1), (x0 + bevel_x, z1), (x0, z1 - bevel_z), (x0, z0 + bevel_z),
        ]
    )  # fmt: skip


def _shadow_outline(caster: Caster, light: Light) -> NDArray[np.float64]:
    """Convex hull of the footprint moved along the light from the bottom and from the top."""
    sun = light.to_sun
    slide = -np.array([sun[0], sun[2]]) / sun[1]
    outline = _outline(caster)
    both = np.concatenate([outline + slide * caster.bottom_m, outline + slide * caster.top_m])
    hull: NDArray[np.float64] = cv2.convexHull(both.astype(np.float32))[:, 0].astype(np.float64)
    return hull


def _make_stamp(caster: Caster, light: Light) -> _Stamp:
    points = np.concatenate([_shadow_outline(caster, light), _outline(caster)])
    low, high = points.min(axis=0) - 0.5, points.max(axis=0) + 0.5
    columns, rows = np.ceil((high - low) * _TEXELS_PER_M).astype(int)
    factors = np.full((rows, columns), 255, np.uint8)
    _draw(factors, caster, light, (float(low[0]), float(low[1])))
    soft = _soften(_soften(factors))
    return _Stamp(soft, (float(low[0]), float(low[1])), caster.velocity)


def _stamp(shade: NDArray[np.uint8], stamp: _Stamp, time_s: float) -> None:
    """Darken `shade` by a stamp where that lies at a time."""
    column = round((stamp.corner[0] + stamp.velocity[0] * time_s + _HALF_WIDTH_M) * _TEXELS_PER_M)
    row = round((stamp.corner[1] + stamp.velocity[1] * time_s - _START_M) * _TEXELS_PER_M)
    rows, columns = stamp.factors.shape
    first_row, first_column = max(row, 0), max(column, 0)
    part = shade[first_row : max(row + rows, 0), first_column : max(column + columns, 0)]
    factors = stamp.factors[first_row - row :, first_column - column :][: part.shape[0], : part.shape[1]]
    np.minimum(part, factors, out=part)
