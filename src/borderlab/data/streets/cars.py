"""Cars: a side view pulled across the car's width, as a pastry cutter pulls a shape through dough.

A model is the outline of its side, from the rear bumper (s = 0) to the front, in metres. The camera drives ahead, so it
sees one side and the strips of the nearer end: rear, rear window and roof, or front, bonnet and windscreen.
"""

from dataclasses import dataclass

import numpy as np

from borderlab.data.streets.canvas import Canvas, Colour, Point
from borderlab.data.streets.noise import fractal_noise
from borderlab.data.streets.quads import Quad, Vector
from borderlab.data.streets.shadows import Caster
from borderlab.data.streets.taxonomy import StreetClass

_SILL_M = 0.24
_TYRE: Colour = (26, 26, 28)
_GLASS: Colour = (44, 52, 60)


@dataclass(frozen=True)
class _Model:
    """Width, outline (rear to front, over the roof; the first and last point on the sill), wheels and windows."""

    width_m: float
    outline: tuple[Point, ...]
    roof: int
    wheels: tuple[float, float]
    wheel_radius_m: float
    windows: tuple[tuple[Point, ...], ...]

    @property
    def length_m(self) -> float:
        return self.outline[-1][0]

    @property
    def height_m(self) -> float:
        return max(point[1] for point in self.outline)


_HATCHBACK = _Model(
    1.74,
    ((0.05, _SILL_M), (0.0, 0.95), (0.45, 1.46), (2.3, 1.5), (3.0, 1.0), (3.95, 0.76), (4.0, _SILL_M)),
    2,
    (0.75, 3.2),
    0.32,
    (((0.35, 1.0), (0.62, 1.38), (1.45, 1.4), (1.45, 1.0)), ((1.55, 1.0), (1.55, 1.4), (2.25, 1.4), (2.72, 1.0))),
)
_SALOON = _Model(
    1.8,
    ((0.05, _SILL_M), (0.0, 0.92), (0.6, 1.0), (1.25, 1.4), (2.75, 1.42), (3.45, 0.96), (4.5, 0.76), (4.55, _SILL_M)),
    3,
    (0.85, 3.65),
    0.32,
    (((0.95, 1.0), (1.38, 1.3), (1.98, 1.32), (1.98, 1.0)), ((2.08, 1.0), (2.08, 1.32), (2.7, 1.32), (3.16, 1.0))),
)
_VAN = _Model(
    1.9,
    ((0.05, _SILL_M), (0.0, 1.15), (0.08, 2.05), (3.6, 2.1), (4.3, 1.3), (4.85, 1.0), (4.9, _SILL_M)),
    2,
    (0.9, 3.95),
    0.35,
    (((3.0, 1.25), (3.0, 1.85), (3.5, 1.85), (4.0, 1.25)),),
)
_ESTATE = _Model(
    1.86,
    ((0.05, _SILL_M), (0.0, 1.05), (0.3, 1.62), (2.9, 1.68), (3.5, 1.14), (4.45, 0.98), (4.5, _SILL_M)),
    2,
    (0.85, 3.6),
    0.36,
    (((0.42, 1.14), (0.6, 1.52), (1.7, 1.56), (1.7, 1.14)), ((1.82, 1.14), (1.82, 1.56), (2.8, 1.56), (3.26, 1.14))),
)
_FLEET: tuple[tuple[_Model, Colour], ...] = (
    (_HATCHBACK, (168, 34, 34)),
    (_SALOON, (52, 66, 96)),
    (_HATCHBACK, (196, 198, 200)),
    (_ESTATE, (44, 46, 50)),
    (_VAN, (226, 226, 222)),
    (_SALOON, (150, 154, 158)),
    (_ESTATE, (70, 98, 84)),
    (_HATCHBACK, (60, 112, 168)),
    (_SALOON, (204, 196, 176)),
    (_HATCHBACK, (196, 140, 48)),
)


def paint_cars(rng: np.random.Generator) -> dict[str, Canvas]:
    """All textures of cars by name."""
    pages: dict[str, Canvas] = {}
    for index, (model, paint) in enumerate(_FLEET):
        pages[f"car_{index}_side"] = _side(model, paint, rng)
        pages[f"car_{index}_rear"] = _end(model, 0, paint, rng)
        pages[f"car_{index}_front"] = _end(model, -1, paint, rng)
        pages[f"car_{index}_panel"] = _panel(paint)
    pages["car_glass"] = _glass()
    return pages


def car(
    x: float, z: float, heading: int, speed_m_s: float, eye_x: float, rng: np.random.Generator
) -> tuple[list[Quad], Caster]:
    """A car whose middle is at `x` and whose nearer end is at `z`.

    `heading` is 1 away from the camera and -1 towards it; `eye_x` is the camera's lane, which decides the visible side.
    """
    index = int(rng.integers(len(_FLEET)))
    model = _FLEET[index][0]
    half, long = model.width_m / 2, model.length_m
    velocity = (0.0, 0.0, heading * speed_m_s)
    side_x = x - half if x > eye_x else x + half
    rear_z = z if heading > 0 else z + long
    quads = [_quad(f"car_{index}_side", (side_x, 0, rear_z), (0, 0, heading * long), (0, model.height_m, 0), velocity)]
    for page, (start, stop) in _strips(index, heading):
        bottom = 0.0 if start[1] == _SILL_M else start[1]
        begin, end = rear_z + heading * start[0], rear_z + heading * stop[0]
        up = (0.0, stop[1] - bottom, end - begin)
        quads.append(_quad(page, (x - half, bottom, begin), (model.width_m, 0, 0), up, velocity))
    footprint = (z, z + long)
    return quads, Caster(
        (x - half, x + half), footprint, model.height_m * 0.9, contact=True, velocity=(0.0, velocity[2])
    )


def _strips(index: int, heading: int) -> list[tuple[str, tuple[Point, Point]]]:
    """Pages and edges of the visible strips of a car of the fleet, from the nearer bumper up to the roof."""
    model = _FLEET[index][0]
    edges = list(zip(model.outline, model.outline[1:], strict=False))
    if heading > 0:
        name, near = "rear", edges[: model.roof + 1]
    else:
        name, near = "front", [(stop, start) for start, stop in reversed(edges[model.roof :])]
    pages = [f"car_{index}_{name}"] + [f"car_{index}_panel"] * (len(near) - 1)
    if name == "front" or model is not _VAN:
        pages[-2] = "car_glass"
    return list(zip(pages, near, strict=True))


def _quad(page: str, origin: Vector, across: Vector, up: Vector, velocity: Vector) -> Quad:
    return Quad(page, StreetClass.CAR, origin, across, up, velocity=velocity, standing=True, normal_light=True)


def _side(model: _Model, paint: Colour, rng: np.random.Generator) -> Canvas:
    """Body with a darker flank below the shoulder line, windows, door gaps, handles, lamps and wheels."""
    canvas = Canvas(model.length_m, model.height_m, 40.0)
    canvas.polygon(model.outline, paint)
    bright = np.clip(0.78 + 0.32 * (canvas.y / np.float32(model.height_m)), 0, 2)
    canvas.rgb *= np.where(canvas.y < 0.62, bright * np.float32(0.86), bright)[..., None]
    canvas.mix(
        np.clip(1 - np.abs(canvas.y - np.float32(0.8)) * 14, 0, 1) * np.float32(0.3) + 0 * canvas.x, (250, 250, 250)
    )
    for window in model.windows:
        canvas.polygon(window, _GLASS)
        middle = [((a[0] + window[0][0]) / 2, (a[1] + window[1][1]) / 2) for a in window]
        canvas.polygon(middle, (96, 108, 118))
    for x in {window[-1][0] for window in model.windows} | {model.wheels[0] + 0.55, model.wheels[1] - 0.55}:
        canvas.shade((x + 0.03, x + 0.055), (0.3, 0.98), 0.55)
    canvas.shade((0, model.length_m), (_SILL_M, 0.36), 0.6)
    canvas.rect((0.02, 0.16), (0.66, 0.82), (170, 24, 24))
    canvas.rect((model.length_m - 0.26, model.length_m - 0.06), (0.56, 0.68), (232, 230, 214))
    canvas.cover &= _under(canvas, model)
    for x in model.wheels:
        _wheel(canvas, x, model.wheel_radius_m)
    canvas.grain(fractal_noise(canvas.shape, (4, 8), rng), 0.06)
    return canvas


def _under(canvas: Canvas, model: _Model) -> np.ndarray:
    """Texels inside the outline (nothing below the sill)."""
    mask = Canvas(model.length_m, model.height_m, canvas.texels_per_m)
    mask.polygon(model.outline, (0, 0, 0))
    return mask.cover


def _wheel(canvas: Canvas, x: float, radius: float) -> None:
    canvas.ellipse((x, radius + 0.02), (radius + 0.06, radius + 0.06), (14, 14, 16))
    canvas.cover[: max(1, round(0.02 * canvas.texels_per_m))] = False
    canvas.ellipse((x, radius), (radius, radius), _TYRE)
    canvas.ellipse((x, radius), (0.62 * radius, 0.62 * radius), (150, 152, 156))
    canvas.ellipse((x, radius), (0.44 * radius, 0.44 * radius), (92, 94, 98))
    canvas.ellipse((x, radius), (0.16 * radius, 0.16 * radius), (180, 182, 184))


def _end(model: _Model, end: int, paint: Colour, rng: np.random.Generator) -> Canvas:
    """Rear (`end` 0) or front (-1) from the ground to the first edge: bumper, lamps, plate and tyres."""
    top = model.outline[1 if end == 0 else -2][1]
    width = model.width_m
    canvas = Canvas(width, top, 50.0)
    for x in (0.06, width - 0.3):
        canvas.rect((x, x + 0.24), (0, 0.4), _TYRE)
    canvas.rect((0, width), (0.22, top), paint)
    canvas.rgb *= (0.75 + 0.3 * canvas.y)[..., None]
    canvas.rect((0.02, width - 0.02), (0.24, 0.44), (58, 58, 60))
    lamp: Colour = (176, 22, 22) if end == 0 else (236, 234, 220)
    for x in (0.05, width - 0.37):
        canvas.rect((x, x + 0.32), (top - 0.28, top - 0.1), lamp)
        canvas.shade((x, x + 0.32), (top - 0.28, top - 0.23), 0.6)
    plate: Colour = (220, 186, 60) if end == 0 else (228, 228, 224)
    canvas.rect((width / 2 - 0.26, width / 2 + 0.26), (0.46, 0.58), plate)
    canvas.rect((width / 2 - 0.2, width / 2 + 0.2), (0.5, 0.54), (50, 50, 50))
    if end == -1:
        canvas.rect((width / 2 - 0.42, width / 2 + 0.42), (top - 0.26, top - 0.1), (30, 32, 34))
    canvas.shade((0, width), (top - 0.04, top), 1.2)
    canvas.grain(fractal_noise(canvas.shape, (4, 6), rng), 0.05)
    return canvas


def _panel(paint: Colour) -> Canvas:
    """Roof, boot or bonnet: paint that mirrors the sky."""
    canvas = Canvas(1.8, 1.6, 20.0, paint)
    shine = np.clip(1 - np.abs(canvas.x - np.float32(0.9)) * 0.9, 0, 1) + 0 * canvas.y
    canvas.mix(np.float32(0.12) + np.float32(0.18) * shine, (236, 240, 246))
    canvas.shade((0, 0.06), (0, 1.6), 0.75)
    canvas.shade((1.74, 1.8), (0, 1.6), 0.75)
    return canvas


def _glass() -> Canvas:
    """Front or rear window: dark, with a mirrored sky that fades downwards, and the pillars at its sides."""
    canvas = Canvas(1.8, 0.8, 40.0, _GLASS)
    slant = np.clip((canvas.y - 0.25) * 1.2 + 0.25 * (canvas.x - 0.9), 0, 0.6)
    canvas.mix(slant, (150, 166, 178))
    canvas.rect((0.35, 0.65), (0.0, 0.28), (34, 36, 38))
    canvas.rect((1.15, 1.45), (0.0, 0.28), (34, 36, 38))
    for x in ((0, 0.1), (1.7, 1.8)):
        canvas.rect(x, (0, 0.8), (46, 46, 48))
    return canvas
