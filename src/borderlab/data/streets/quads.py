"""The only primitive of the world: a moving, textured parallelogram, called a quad.

A point of a quad is `origin + u * across + v * up` with u and v in 0..1; the three vectors are known at every time, so
a pixel of a quad is found again in any other frame. That gives the flow, exactly.
"""

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from borderlab.data.streets.camera import Camera
from borderlab.data.streets.taxonomy import StreetClass

Vector = tuple[float, float, float]

_ZERO: Vector = (0.0, 0.0, 0.0)
_MIN_DETERMINANT = 1e-9
# A little more than a pixel: a pole then covers a pixel centre in every row.
_THIN_PX = 1.05


@dataclass(frozen=True, slots=True)
class Quad:
    """One parallelogram at time 0 and how it moves.

    Attributes:
        page: name of its texture in the atlas.
        label: class of all its opaque texels.
        origin, across, up: corner and edges, in metres; (u, v) = (0, 0), (1, 0), (0, 1).
        tint: factors on the texture's colours.
        velocity: metres per second.
        swing: `up` gains `swing * wave(swing_hz * t + swing_phase)`, for limbs.
        thin: never narrower on screen than one pixel, so that a pole does not vanish between samples.
        with_camera: the origin is relative to the camera: the sky.
        on_ground: takes the shadow map.
        wraps: v is repeated, `repeat` times over the quad.
        standing: darkens as a whole in the shadow of buildings.
        normal_light: lit by its normal; otherwise evenly, as round things are.
    """

    page: str
    label: StreetClass
    origin: Vector
    across: Vector
    up: Vector
    tint: Vector = (1.0, 1.0, 1.0)
    velocity: Vector = _ZERO
    swing: Vector = _ZERO
    swing_hz: float = 0.0
    swing_phase: float = 0.0
    thin: bool = False
    with_camera: bool = False
    on_ground: bool = False
    repeat: float = 1.0
    standing: bool = False
    normal_light: bool = False


class QuadTable(NamedTuple):
    """The quads of a clip as arrays, one row each."""

    pages: list[str]
    label: NDArray[np.uint8]
    origin: NDArray[np.float64]
    across: NDArray[np.float64]
    up: NDArray[np.float64]
    tint: NDArray[np.float32]
    velocity: NDArray[np.float64]
    swing: NDArray[np.float64]
    swing_hz: NDArray[np.float64]
    swing_phase: NDArray[np.float64]
    thin: NDArray[np.bool_]
    with_camera: NDArray[np.bool_]
    on_ground: NDArray[np.bool_]
    repeat: NDArray[np.float64]
    standing: NDArray[np.bool_]
    normal_light: NDArray[np.bool_]


class Pose(NamedTuple):
    """All quads as one camera sees them.

    Attributes:
        to_screen: (n, 3, 3), (u, v, 1) -> depth * (x, y, 1).
        to_quad: (n, 3, 3), (x, y, 1) -> (u, v, 1) / depth.
        visible: (n,), False where the quad is seen edge on.
        origin: (n, 3), corner in the world, in metres.
    """

    to_screen: NDArray[np.float64]
    to_quad: NDArray[np.float64]
    visible: NDArray[np.bool_]
    origin: NDArray[np.float64]


def tabulate(quads: list[Quad]) -> QuadTable:
    """Turn quads into arrays."""
    columns = {field.name: [getattr(quad, field.name) for quad in quads] for field in fields(Quad)}

    def numbers(name: str) -> NDArray[np.float64]:
        return np.array(columns[name], np.float64)

    def flags(name: str) -> NDArray[np.bool_]:
        return np.array(columns[name], np.bool_)

    return QuadTable(
        pages=columns["page"],
        label=np.array(columns["label"], np.uint8),
        origin=numbers("origin"),
        across=numbers("across"),
        up=numbers("up"),
        tint=np.array(columns["tint"], np.float32),
        velocity=numbers("velocity"),
        swing=numbers("swing"),
        swing_hz=numbers("swing_hz"),
        swing_phase=numbers("swing_phase"),
        thin=flags("thin"),
        with_camera=flags("with_camera"),
        on_ground=flags("on_ground"),
        repeat=numbers("repeat"),
        standing=flags("standing"),
        normal_light=flags("normal_light"),
    )


def pose(table: QuadTable, camera: Camera, time_s: float) -> Pose:
    """Where all quads are at `time_s`, seen by `camera`."""
    wave = _periodic(table.swing_hz * time_s + table.swing_phase)[:, None]
    up = table.up + table.swing * wave
    origin = table.origin + table.velocity * time_s
    origin = origin + np.where(table.with_camera[:, None], camera.position, 0.0)
    origin, across = _widen(table, camera, origin)
    vectors = np.stack([across, up, origin - camera.position], axis=2)
    to_screen = matmul3(camera.matrix[None], vectors)
    adjugate, determinant = _adjugate(to_screen)
    visible = np.abs(determinant) > _MIN_DETERMINANT
    to_quad = adjugate / np.where(visible, determinant, 1.0)[:, None, None]
    return Pose(to_screen, to_quad, visible, origin)


def matmul3(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Product of stacks of 3 x 3 matrices, in an order of operations that no linear algebra library changes."""
    return (
        left[..., :, 0, None] * right[..., None, 0, :]
        + left[..., :, 1, None] * right[..., None, 1, :]
        + left[..., :, 2, None] * right[..., None, 2, :]
    )


def _widen(
    table: QuadTable, camera: Camera, origin: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Origins and widths, where thin quads grow about their middle to one pixel."""
    offset = origin - camera.position
    depth = offset[:, 0] * camera.matrix[2, 0] + offset[:, 1] * camera.matrix[2, 1] + offset[:, 2] * camera.matrix[2, 2]
    width = np.where(table.thin, np.abs(table.across[:, 0]), np.inf)
    scale = np.maximum(1.0, _THIN_PX * depth / (camera.focal_px * width))[:, None]
    return origin + table.across * (1 - scale) / 2, table.across * scale


def _periodic(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    """A wave of parabolas of period 1 and range -1..1: close to a sine, and of the same bits everywhere."""
    phase = 2 * (turns - np.floor(turns)) - 1
    return 4 * phase * (np.abs(phase) - 1)


def _adjugate(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Adjugate (n, 3, 3) and determinant (n,) of a stack of 3 x 3 matrices."""
    a, b, c = (matrix[:, :, column] for column in range(3))
    rows = [_cross(b, c), _cross(c, a), _cross(a, b)]
    determinant = a[:, 0] * rows[0][:, 0] + a[:, 1] * rows[0][:, 1] + a[:, 2] * rows[0][:, 2]
    return np.stack(rows, axis=1), determinant


def _cross(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack(
        [
            left[:, 1] * right[:, 2] - left[:, 2] * right[:, 1],
            left[:, 2] * right[:, 0] - left[:, 0] * right[:, 2],
            left[:, 0] * right[:, 1] - left[:, 1] * right[:, 0],
        ],
        axis=1,
    )
