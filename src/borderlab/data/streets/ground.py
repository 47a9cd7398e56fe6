"""The ground: carriageway with markings, kerbs, pavements and lawns.

Across the street, X in metres: carriageway -5..5 (two lanes and two rows of parking), pavements to +-8.2, then
lawns or house fronts. Textures repeat along the street, with periods long enough not to be noticed.
"""

import numpy as np

from borderlab.data.streets.canvas import Canvas, Colour
from borderlab.data.streets.noise import fractal_noise, smoothstep, value_noise
from borderlab.data.streets.quads import Quad, Vector
from borderlab.data.streets.taxonomy import StreetClass

KERB_X_M = 5.0
PAVEMENT_END_M = 8.2
KERB_HEIGHT_M = 0.12
STREET_START_M = -12.0

_LAWN_END_M = 46.0
_ROAD_PERIOD_M = 24.0
_PAVEMENT_PERIOD_M = 12.8
_LAWN_PERIOD_M = 12.8
_WHITE_PAINT: Colour = (214, 212, 204)
_YELLOW_PAINT: Colour = (206, 172, 74)


def paint_ground(rng: np.random.Generator) -> dict[str, Canvas]:
    """All textures of the ground by name."""
    return {
        "road_0": _road(rng, (92, 92, 96), dashes=True),
        "road_1": _road(rng, (112, 108, 104), dashes=False),
        "pavement_0": _slabs(rng, (158, 152, 144), 0.8),
        "pavement_1": _slabs(rng, (150, 128, 116), 0.4),
        "lawn": _lawn(rng),
        "kerb": _kerb(rng),
        "zebra": _zebra(rng),
        "manhole": _manhole(rng),
        "patch": _patch(rng),
    }


def ground_quads(length_m: float, rng: np.random.Generator) -> list[Quad]:
    """The strips of ground of a street that ends at `length_m`, with covers, patches and zebra crossings."""
    style, tint = int(rng.integers(2)), _grey(rng, 0.9, 1.1)
    flags = ("pavement_0", "pavement_1")[int(rng.integers(2))]
    pavement_tint = _grey(rng, 0.88, 1.08)
    quads = [_strip(f"road_{style}", StreetClass.ROAD, (-KERB_X_M, KERB_X_M), 0.0, length_m, _ROAD_PERIOD_M, tint)]
    for side in (-1, 1):
        inner, outer = sorted((side * KERB_X_M, side * PAVEMENT_END_M))
        near, far = sorted((side * PAVEMENT_END_M, side * _LAWN_END_M))
        height = KERB_HEIGHT_M
        quads += [
            _strip(flags, StreetClass.SIDEWALK, (inner, outer), height, length_m, _PAVEMENT_PERIOD_M, pavement_tint),
            _strip("lawn", StreetClass.TREE, (near, far), height, length_m, _LAWN_PERIOD_M, (1, 1, 1)),
            _kerb_quad(side, length_m, pavement_tint),
        ]
    return quads + _decals(length_m, rng)


def _strip(
    page: str,
    label: StreetClass,
    x: tuple[float, float],
    height: float,
    length_m: float,
    period_m: float,
    tint: Vector,
) -> Quad:
    length = length_m - STREET_START_M
    return Quad(
        page, label, (x[0], height, STREET_START_M), (x[1] - x[0], 0, 0), (0, 0, length), tint,
        on_ground=True, normal_light=True, repeat=length / period_m,
    )  # fmt: skip


def _kerb_quad(side: int, length_m: float, tint: Vector) -> Quad:
    length = length_m - STREET_START_M
    return Quad(
        "kerb", StreetClass.SIDEWALK, (side * KERB_X_M, 0, STREET_START_M), (0, KERB_HEIGHT_M, 0), (0, 0, length), tint,
        on_ground=True, repeat=length / _PAVEMENT_PERIOD_M,
    )  # fmt: skip


def _decals(length_m: float, rng: np.random.Generator) -> list[Quad]:
    """Flat things on the road, a hair above it."""
    quads = []
    place = float(rng.uniform(3, 9))
    while place < length_m - 30:
        if rng.random() < 0.5:
            quads.append(_decal("manhole", float(rng.uniform(-3, 3)), place, 0.7, 0.7, 0.002))
        else:
            wide, long = float(rng.uniform(0.8, 2.4)), float(rng.uniform(1.5, 6))
            quads.append(_decal("patch", float(rng.uniform(-4, 4)), place, wide, long, 0.001))
        place += float(rng.uniform(5, 14))
    crossing = float(rng.uniform(9, 45))
    while crossing < length_m - 40:
        quads.append(_decal("zebra", 0.0, crossing, 2 * KERB_X_M, 3.0, 0.003))
        crossing += float(rng.uniform(45, 90))
    return quads


def _decal(page: str, x: float, z: float, wide: float, long: float, height: float) -> Quad:
    return Quad(
        page, StreetClass.ROAD, (x - wide / 2, height, z - long / 2), (wide, 0, 0), (0, 0, long),
        on_ground=True, normal_light=True,
    )  # fmt: skip


def _grey(rng: np.random.Generator, low: float, high: float) -> Vector:
    value = float(rng.uniform(low, high))
    return (value, value, value)


def _road(rng: np.random.Generator, colour: Colour, dashes: bool) -> Canvas:
    """Asphalt with wheel tracks, stains, cracks and worn markings; 1024 rows, so that every level repeats."""
    canvas = Canvas(2 * KERB_X_M, _ROAD_PERIOD_M, 1024 / _ROAD_PERIOD_M, colour)
    shape = canvas.shape
    _mark(canvas, rng, dashes)
    canvas.grain(fractal_noise(shape, (16, 8), rng, octaves=3), 0.16)
    canvas.grain(value_noise(shape, (512, 240), rng), 0.12)
    canvas.grain(rng.random(shape, dtype=np.float32), 0.14)
    for lane in (-1.6, 1.6):
        for wheel in (-0.75, 0.75):
            distance = np.abs(canvas.x - np.float32(KERB_X_M + lane + wheel))
            canvas.mix(np.clip(0.16 - 0.32 * distance, 0, 1) + np.zeros(shape, np.float32), (52, 52, 56))
        oil = np.clip(0.3 - np.abs(canvas.x - np.float32(KERB_X_M + lane)), 0, 1)
        canvas.mix(oil * smoothstep(0.45, 0.7, fractal_noise(shape, (10, 5), rng)), (40, 40, 42))
    gutter = np.clip(1 - np.minimum(canvas.x, 2 * KERB_X_M - canvas.x) * 2.5, 0, 1)
    canvas.mix(gutter * np.float32(0.35) + np.zeros(shape, np.float32), (70, 64, 56))
    ridge = np.abs(fractal_noise(shape, (8, 5), rng, octaves=4) - np.float32(0.5))
    canvas.mix(smoothstep(0.006, 0.002, ridge) * np.float32(0.5), (44, 44, 46))
    return canvas


def _mark(canvas: Canvas, rng: np.random.Generator, dashes: bool) -> None:
    """Centre line, edge lines of the parking rows and double yellow lines, worn by traffic."""
    bare = canvas.rgb.copy()
    middle = KERB_X_M
    for start in range(0, int(_ROAD_PERIOD_M), 6):
        stop = start + (3 if dashes else 6)
        canvas.rect((middle - 0.07, middle + 0.07), (start, stop), _WHITE_PAINT)
    for side in (-1, 1):
        line = middle + side * 3.08
        if dashes:
            canvas.rect((line - 0.05, line + 0.05), (0, _ROAD_PERIOD_M), _WHITE_PAINT)
        for gap in (0.2, 0.42):
            yellow = middle + side * (KERB_X_M - gap)
            canvas.rect((yellow - 0.05, yellow + 0.05), (0, _ROAD_PERIOD_M), _YELLOW_PAINT)
    worn = smoothstep(0.5, 0.8, fractal_noise(canvas.shape, (48, 24), rng, octaves=3))
    canvas.rgb += (bare - canvas.rgb) * (np.float32(0.12) + np.float32(0.75) * worn)[..., None]


def _slabs(rng: np.random.Generator, colour: Colour, slab_m: float) -> Canvas:
    """Paving slabs, each of its own shade, with joints and dirt; 512 rows."""
    width = PAVEMENT_END_M - KERB_X_M
    canvas = Canvas(width, _PAVEMENT_PERIOD_M, 512 / _PAVEMENT_PERIOD_M, colour)
    shape = canvas.shape
    rows, columns = round(_PAVEMENT_PERIOD_M / slab_m), round(width / slab_m)
    shades = rng.random((rows, columns), dtype=np.float32)
    row = np.arange(shape[0]) * rows // shape[0]
    column = np.arange(shape[1]) * columns // shape[1]
    canvas.grain(shades[row[:, None], column[None, :]], 0.09)
    canvas.grain(fractal_noise(shape, (10, 4), rng), 0.16)
    canvas.grain(rng.random(shape, dtype=np.float32), 0.08)
    canvas.rgb[np.flatnonzero(np.diff(row, prepend=-1)), :] *= np.float32(0.72)
    canvas.rgb[:, np.flatnonzero(np.diff(column, prepend=-1))] *= np.float32(0.72)
    return canvas


def _lawn(rng: np.random.Generator) -> Canvas:
    canvas = Canvas(_LAWN_END_M - PAVEMENT_END_M, _LAWN_PERIOD_M, 20.0, (98, 122, 62))
    canvas.grain(fractal_noise(canvas.shape, (6, 18), rng), 0.35)
    canvas.grain(rng.random(canvas.shape, dtype=np.float32), 0.3)
    canvas.mix(smoothstep(0.55, 0.75, fractal_noise(canvas.shape, (4, 12), rng)) * np.float32(0.5), (132, 128, 74))
    return canvas


def _kerb(rng: np.random.Generator) -> Canvas:
    """Kerb stones of 0.8 m; the texture's x runs up the kerb."""
    canvas = Canvas(KERB_HEIGHT_M, _PAVEMENT_PERIOD_M, 20.0, (150, 147, 142))
    canvas.rgb *= (0.72 + 2.2 * canvas.x)[..., None]
    canvas.grain(fractal_noise(canvas.shape, (32, 1), rng, octaves=2), 0.2)
    canvas.rgb[::16] *= np.float32(0.7)
    return canvas


def _zebra(rng: np.random.Generator) -> Canvas:
    canvas = Canvas(2 * KERB_X_M, 3.0, 30.0)
    for stripe in range(8):
        left = 0.35 + 1.2 * stripe
        canvas.rect((left, left + 0.6), (0, 3), _WHITE_PAINT)
    worn = fractal_noise(canvas.shape, (6, 24), rng, octaves=3)
    canvas.cover &= worn < 0.66
    canvas.grain(worn, 0.3)
    canvas.grain(rng.random(canvas.shape, dtype=np.float32), 0.1)
    return canvas


def _manhole(rng: np.random.Generator) -> Canvas:
    canvas = Canvas(0.7, 0.7, 60.0)
    canvas.ellipse((0.35, 0.35), (0.34, 0.34), (60, 58, 56))
    canvas.ring((0.35, 0.35), 0.34, 0.05, (92, 90, 86))
    for line in range(4):
        canvas.stroke((0.15, 0.18 + 0.11 * line), (0.55, 0.18 + 0.11 * line), 0.03, (84, 82, 78))
    canvas.grain(rng.random(canvas.shape, dtype=np.float32), 0.2)
    return canvas


def _patch(rng: np.random.Generator) -> Canvas:
    canvas = Canvas(2.0, 4.0, 24.0, (76, 76, 78))
    canvas.grain(fractal_noise(canvas.shape, (8, 4), rng), 0.15)
    canvas.grain(rng.random(canvas.shape, dtype=np.float32), 0.2)
    for x in ((0, 0.05), (1.95, 2.0)):
        canvas.shade(x, (0, 4), 0.7)
    for y in ((0, 0.05), (3.95, 4.0)):
        canvas.shade((0, 2), y, 0.7)
    return canvas
