"""Pedestrians and cyclists: a body, and limbs that swing about the hip as parts of their own, each with exact flow."""

from typing import NamedTuple

import numpy as np

from borderlab.data.streets.canvas import Canvas, Colour, scaled
from borderlab.data.streets.ground import KERB_HEIGHT_M
from borderlab.data.streets.quads import Quad, Vector
from borderlab.data.streets.shadows import Caster
from borderlab.data.streets.taxonomy import StreetClass

_HIP_M = 0.9
_BODY_M = (0.62, 0.98)
_LEG_M = (0.2, 0.9)


class _Outfit(NamedTuple):
    coat: Colour
    trousers: Colour
    skin: Colour
    hair: Colour
    helmet: Colour
    bag: bool


_OUTFITS = (
    _Outfit((156, 44, 48), (48, 52, 66), (214, 172, 144), (60, 42, 30), (196, 60, 48), False),
    _Outfit((52, 84, 128), (92, 82, 70), (188, 140, 108), (34, 28, 26), (226, 226, 220), True),
    _Outfit((196, 176, 130), (50, 48, 50), (226, 188, 162), (150, 112, 62), (50, 54, 60), False),
    _Outfit((62, 66, 70), (64, 74, 100), (118, 82, 62), (24, 20, 20), (230, 190, 40), True),
    _Outfit((78, 116, 84), (58, 50, 46), (206, 164, 132), (90, 60, 40), (52, 96, 170), False),
    _Outfit((206, 204, 198), (70, 84, 120), (156, 112, 86), (30, 26, 24), (40, 42, 46), False),
    _Outfit((202, 128, 44), (44, 46, 54), (220, 180, 152), (120, 116, 112), (200, 204, 208), True),
    _Outfit((104, 70, 118), (36, 38, 44), (198, 152, 122), (46, 34, 28), (214, 110, 40), False),
)


def paint_people() -> dict[str, Canvas]:
    """All textures of people and bicycles by name."""
    pages: dict[str, Canvas] = {}
    for index, outfit in enumerate(_OUTFITS):
        pages[f"person_{index}_body"] = _body(outfit)
        pages[f"person_{index}_leg"] = _leg(outfit)
        pages[f"rider_{index}_back"] = _rider_back(outfit)
        pages[f"rider_{index}_side"] = _rider_side(outfit)
    return pages | {"bike_back": _bike_back(), "bike_side": _bike_side()}


def pedestrian(
    x: float, z: float, velocity: tuple[float, float], base: float, rng: np.random.Generator
) -> tuple[list[Quad], Caster]:
    """A walker at (x, z) with `velocity` along X and Z, in m/s, on ground of height `base`."""
    who, size = int(rng.integers(len(_OUTFITS))), float(rng.uniform(0.88, 1.08))
    speed = (velocity[0] ** 2 + velocity[1] ** 2) ** 0.5
    stride = 0.38 * size * min(1.0, speed / 1.2)
    direction = (velocity[0] / speed, velocity[1] / speed) if speed else (0.0, 0.0)
    phase, pace_hz = float(rng.random()), 0.95 * speed / 1.3
    moves: Vector = (velocity[0], 0.0, velocity[1])
    hip = base + _HIP_M * size
    quads = []
    for foot, shift in ((-1, 0.0), (1, 0.5)):
        wide, long = _LEG_M[0] * size, _LEG_M[1] * size
        centre = x + foot * 0.085 * size * (0.35 + 0.65 * abs(direction[1]))
        quads.append(
            Quad(
                f"person_{who}_leg", StreetClass.PEDESTRIAN, (centre - wide / 2, hip, z + 0.02 * foot), (wide, 0, 0),
                (0, -long, 0), velocity=moves, swing=(stride * direction[0], 0.03, stride * direction[1]),
                swing_hz=pace_hz, swing_phase=phase + shift, standing=True,
            )
        )  # fmt: skip
    wide, high = _BODY_M[0] * size, _BODY_M[1] * size
    quads.append(
        Quad(
            f"person_{who}_body", StreetClass.PEDESTRIAN, (x - wide / 2, hip - 0.12 * size, z - 0.05), (wide, 0, 0),
            (0, high, 0), velocity=moves, swing=(0.02 * size, 0, 0), swing_hz=pace_hz, swing_phase=phase, standing=True,
        )
    )  # fmt: skip
    caster = Caster((x - 0.22, x + 0.22), (z - 0.15, z + 0.15), 1.7 * size, round=True, contact=True, velocity=velocity)
    return quads, caster


def cyclist_along(x: float, z: float, speed_m_s: float, rng: np.random.Generator) -> tuple[list[Quad], Caster]:
    """A cyclist who rides along the street; a negative speed is towards the camera."""
    who, phase = int(rng.integers(len(_OUTFITS))), float(rng.random())
    moves: Vector = (0.0, 0.0, speed_m_s)
    label, pace_hz = StreetClass.BICYCLIST, 1.1
    quads = [
        Quad("bike_back", label, (x - 0.29, 0, z), (0.58, 0, 0), (0, 1.08, 0), velocity=moves, standing=True),
        Quad(
            f"rider_{who}_back", label, (x - 0.31, 0.86, z - 0.03), (0.62, 0, 0), (0, 0.95, 0), velocity=moves,
            swing=(0.03, 0, 0), swing_hz=pace_hz, swing_phase=phase, standing=True,
        ),
    ]  # fmt: skip
    for foot, shift in ((-1, 0.0), (1, 0.5)):
        quads.append(
            Quad(
                f"person_{who}_leg", label, (x + foot * 0.13 - 0.085, 0.98, z - 0.04), (0.17, 0, 0), (0, -0.66, 0),
                velocity=moves, swing=(0, 0.15, 0.05), swing_hz=pace_hz, swing_phase=phase + shift, standing=True,
            )
        )  # fmt: skip
    return quads, Caster((x - 0.25, x + 0.25), (z - 0.2, z + 1.3), 1.6, contact=True, velocity=(0.0, speed_m_s))


def cyclist_across(x: float, z: float, speed_m_s: float, rng: np.random.Generator) -> tuple[list[Quad], Caster]:
    """A cyclist seen from the side; positive speed is to the right, 0 waits."""
    who, phase = int(rng.integers(len(_OUTFITS))), float(rng.random())
    ahead = -1 if speed_m_s < 0 else 1
    moves: Vector = (speed_m_s, 0.0, 0.0)
    label, pace_hz = StreetClass.BICYCLIST, abs(speed_m_s) / 3
    quads = [
        Quad("bike_side", label, (x - ahead * 0.88, 0, z), (ahead * 1.76, 0, 0), (0, 1.08, 0), velocity=moves,
             standing=True),
        Quad(f"rider_{who}_side", label, (x - ahead * 0.5, 0.86, z - 0.03), (ahead * 1.0, 0, 0), (0, 0.92, 0),
             velocity=moves, standing=True),
    ]  # fmt: skip
    for shift in (0.0, 0.5):
        quads.append(
            Quad(
                f"person_{who}_leg", label, (x - 0.2 * ahead - 0.09, 0.98, z - 0.04 + 0.06 * shift), (0.18, 0, 0),
                (0.22 * ahead, -0.7, 0), velocity=moves, swing=(0.15, 0.08, 0), swing_hz=pace_hz,
                swing_phase=phase + shift, standing=True,
            )
        )  # fmt: skip
    return quads, Caster((x - 0.8, x + 0.8), (z - 0.15, z + 0.15), 1.6, contact=True, velocity=(speed_m_s, 0.0))


def on_pavement(velocity_z: float, x: float, z: float, rng: np.random.Generator) -> tuple[list[Quad], Caster]:
    """A pedestrian on the pavement."""
    return pedestrian(x, z, (0.0, velocity_z), KERB_HEIGHT_M, rng)


def _head(canvas: Canvas, x: float, y: float, outfit: _Outfit, helmet: bool = False) -> None:
    canvas.rect((x - 0.05, x + 0.05), (y - 0.2, y), outfit.skin)
    canvas.ellipse((x, y), (0.105, 0.135), outfit.skin)
    canvas.ellipse((x, y + 0.055), (0.118, 0.1), outfit.helmet if helmet else outfit.hair)
    if helmet:
        canvas.rect((x - 0.09, x + 0.09), (y + 0.07, y + 0.1), (40, 40, 44))


def _round(canvas: Canvas) -> None:
    """Shade a figure as something round lit from the upper right."""
    middle = np.float32(canvas.size_m[0] / 2)
    canvas.rgb *= (0.84 + 0.45 * (canvas.x - middle) + 0.16 * canvas.y)[..., None]


def _body(outfit: _Outfit) -> Canvas:
    """Coat, arms and head; the lower edge lies below the hip."""
    canvas = Canvas(*_BODY_M, 64.0)
    canvas.polygon([(0.15, 0.0), (0.47, 0.0), (0.46, 0.3), (0.52, 0.62), (0.1, 0.62), (0.16, 0.3)], outfit.coat)
    for x in (0.02, 0.48):
        canvas.polygon([(x + 0.02, 0.08), (x + 0.1, 0.08), (x + 0.12, 0.62), (x, 0.6)], scaled(outfit.coat, 0.82))
        canvas.ellipse((x + 0.06, 0.07), (0.045, 0.05), outfit.skin)
    canvas.ellipse((0.31, 0.6), (0.24, 0.08), outfit.coat)
    canvas.rect((0.29, 0.33), (0.02, 0.6), scaled(outfit.coat, 0.7))
    if outfit.bag:
        canvas.rect((0.4, 0.58), (0.0, 0.26), (70, 50, 36))
    _head(canvas, 0.31, 0.82, outfit)
    _round(canvas)
    return canvas


def _leg(outfit: _Outfit) -> Canvas:
    """One leg, hip first: v runs down."""
    canvas = Canvas(*_LEG_M, 64.0)
    canvas.polygon([(0.02, 0.0), (0.18, 0.0), (0.15, 0.8), (0.05, 0.8)], outfit.trousers)
    canvas.rect((0.02, 0.18), (0.8, 0.9), (36, 30, 28))
    canvas.rgb *= (0.8 + 2.0 * canvas.x)[..., None]
    return canvas


def _rider_back(outfit: _Outfit) -> Canvas:
    canvas = Canvas(0.62, 0.95, 64.0)
    canvas.polygon([(0.17, 0.0), (0.45, 0.0), (0.5, 0.55), (0.12, 0.55)], outfit.coat)
    for x in (0.02, 0.5):
        canvas.polygon([(x, 0.2), (x + 0.1, 0.2), (x + 0.1, 0.55), (x + 0.02, 0.5)], scaled(outfit.coat, 0.8))
    canvas.rect((0.2, 0.42), (0.22, 0.3), (214, 214, 120))
    _head(canvas, 0.31, 0.72, outfit, helmet=True)
    _round(canvas)
    return canvas


def _rider_side(outfit: _Outfit) -> Canvas:
    """Rider in profile, looking to the right, leaning on the handlebar."""
    canvas = Canvas(1.0, 0.92, 64.0)
    canvas.polygon([(0.12, 0.02), (0.4, 0.0), (0.66, 0.52), (0.42, 0.62), (0.22, 0.4)], outfit.coat)
    canvas.stroke((0.58, 0.5), (0.9, 0.14), 0.1, scaled(outfit.coat, 0.8))
    canvas.ellipse((0.9, 0.13), (0.05, 0.05), outfit.skin)
    _head(canvas, 0.66, 0.72, outfit, helmet=True)
    _round(canvas)
    return canvas


def _bike_back() -> Canvas:
    canvas = Canvas(0.58, 1.08, 64.0)
    canvas.rect((0.25, 0.33), (0.0, 0.7), (26, 26, 28))
    canvas.rect((0.27, 0.31), (0.7, 0.95), (120, 60, 50))
    canvas.rect((0.19, 0.39), (0.88, 0.96), (30, 28, 28))
    canvas.rect((0.0, 0.58), (1.0, 1.06), (60, 62, 66))
    canvas.rect((0.27, 0.31), (0.62, 0.68), (220, 30, 26))
    return canvas


def _bike_side() -> Canvas:
    """A bicycle that looks to the right."""
    canvas = Canvas(1.76, 1.08, 64.0)
    rear, front, radius = (0.36, 0.35), (1.4, 0.35), 0.35
    for centre in (rear, front):
        canvas.ellipse(centre, (radius, radius), (26, 26, 28))
        canvas.ellipse(centre, (radius - 0.06, radius - 0.06), (112, 110, 108))
        canvas.ellipse(centre, (0.06, 0.06), (150, 150, 152))
    seat, crank, head = (0.66, 0.9), (0.82, 0.33), (1.24, 0.86)
    for start, stop in ((rear, crank), (crank, seat), (rear, seat), (crank, head), ((0.69, 0.78), head), (head, front)):
        canvas.stroke(start, stop, 0.06, (150, 40, 40))
    canvas.rect((0.52, 0.8), (0.88, 0.96), (30, 28, 28))
    canvas.stroke(head, (1.22, 1.05), 0.05, (60, 62, 66))
    canvas.rect((1.12, 1.34), (0.99, 1.06), (40, 40, 44))
    return canvas
