"""Houses: painted fronts, gable ends, roofs and chimneys, and the row of lots along each side of the street."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from borderlab.data.streets.atlas import Atlas
from borderlab.data.streets.canvas import Canvas, Colour, scaled
from borderlab.data.streets.ground import KERB_HEIGHT_M, PAVEMENT_END_M, STREET_START_M
from borderlab.data.streets.noise import fractal_noise
from borderlab.data.streets.quads import Quad, Vector
from borderlab.data.streets.shadows import Caster
from borderlab.data.streets.taxonomy import StreetClass

GARDEN_X_M = 12.0

_FRONTS = 16
_DEPTH_M = 9.0
_FLOOR_M = 3.0
_TEXELS_PER_M = 18.0
_WALLS: tuple[Colour, ...] = (
    (150, 84, 64), (168, 104, 78), (196, 168, 128), (214, 206, 190), (176, 152, 120),
    (122, 88, 76), (206, 186, 152), (160, 164, 166), (188, 142, 112), (224, 214, 186),
)  # fmt: skip
_DOORS: tuple[Colour, ...] = ((46, 74, 60), (96, 34, 34), (36, 48, 84), (60, 44, 34), (140, 110, 40))
_AWNINGS: tuple[Colour, ...] = ((150, 44, 40), (40, 84, 66), (44, 62, 110), (190, 150, 60), (200, 196, 186))


class Lot(NamedTuple):
    """A stretch of one side of the street: front at |x| = `front_x`; without a house where `height_m` is 0."""

    side: int
    z: tuple[float, float]
    front_x: float
    height_m: float


@dataclass(frozen=True)
class Row:
    """The houses of one side: their quads, what throws shadows, and the lots."""

    quads: list[Quad]
    casters: list[Caster]
    lots: list[Lot]


def paint_buildings(rng: np.random.Generator) -> dict[str, Canvas]:
    """All textures of houses by name."""
    fronts = {f"front_{index}": _front(rng, index) for index in range(_FRONTS)}
    ends = {f"gable_{index}": _gable(rng, colour) for index, colour in enumerate(_WALLS[:4])}
    tops = {f"top_{index}": _gable_top(rng, colour) for index, colour in enumerate(_WALLS[:4])}
    return fronts | ends | tops | {"roof_0": _roof(rng, (112, 66, 54)), "roof_1": _roof(rng, (84, 86, 94)),
                            "chimney": _chimney(rng), "skyline": _skyline(rng)}  # fmt: skip


def building_row(side: int, length_m: float, atlas: Atlas, rng: np.random.Generator) -> Row:
    """Fill one side (-1 left, 1 right) with houses on the pavement, houses behind gardens, and gaps."""
    row = Row([], [], [])
    place, fronts = STREET_START_M, atlas.names("front_")
    garden = bool(rng.random() < 0.35)
    while place < length_m:
        if rng.random() < 0.22:
            garden = not garden
            gap = float(rng.uniform(2.5, 7))
            row.lots.append(Lot(side, (place, place + gap), GARDEN_X_M, 0.0))
            place += gap
        page = fronts[int(rng.integers(len(fronts)))]
        width, height = atlas.pages[page].size_m
        lot = Lot(side, (place, place + width), GARDEN_X_M if garden else PAVEMENT_END_M, height)
        _add_house(row, lot, page, rng)
        place += width
    return row


def end_of_street(length_m: float) -> Quad:
    """Distant houses where the street runs out of sight."""
    return Quad("skyline", StreetClass.BUILDING, (-90, 0, length_m), (180, 0, 0), (0, 24, 0))


def _add_house(row: Row, lot: Lot, page: str, rng: np.random.Generator) -> None:
    red, green, blue = (float(value) for value in rng.uniform(0.82, 1.12) * rng.uniform(0.95, 1.05, 3))
    tint = (red, green, blue)
    side, (near, far), x, height = lot
    wide, back = far - near, side * _DEPTH_M
    flip = bool(rng.random() < 0.5)
    start, across = (far, -wide) if flip else (near, wide)
    base = KERB_HEIGHT_M
    row.quads.append(_wall(page, (side * x, base, start), (0, 0, across), (0, height, 0), tint))
    gable = f"gable_{int(rng.integers(4))}"
    pitched = bool(rng.random() < 0.7)
    if not _hides_end(row.lots, lot):
        row.quads.append(_wall(gable, (side * x, base, near), (back, 0, 0), (0, height, 0), tint))
    if pitched:
        rise = float(rng.uniform(2.2, 3.4))
        roof = f"roof_{int(rng.integers(2))}"
        over = side * 0.3
        row.quads.append(
            _wall(roof, (side * x - over, base + height - 0.2, near), (0, 0, wide), (back / 2 + over, rise, 0), tint)
        )
        row.quads.append(_wall(f"top_{gable[-1]}", (side * x, base + height, near), (back, 0, 0), (0, rise, 0), tint))
        row.quads.append(_chimney_quad(lot, rise, rng, tint))
        height += rise / 2
    x_range = (x, x + _DEPTH_M) if side > 0 else (-x - _DEPTH_M, -x)
    row.casters.append(Caster(x_range, (near, far), height))
    row.lots.append(lot)


def _hides_end(lots: list[Lot], lot: Lot) -> bool:
    """Whether the house before `lot` hides its near end; its far end is never seen."""
    before = lots[-1] if lots else None
    return before is not None and before.height_m >= lot.height_m and before.front_x <= lot.front_x


def _wall(page: str, origin: Vector, across: Vector, up: Vector, tint: Vector) -> Quad:
    return Quad(page, StreetClass.BUILDING, origin, across, up, tint, normal_light=True)


def _chimney_quad(lot: Lot, rise: float, rng: np.random.Generator, tint: Vector) -> Quad:
    z = float(rng.uniform(lot.z[0] + 0.8, lot.z[1] - 0.8))
    x = lot.side * (lot.front_x + _DEPTH_M / 2) - 0.6
    return Quad("chimney", StreetClass.BUILDING, (x, lot.height_m + rise - 1.0, z), (1.2, 0, 0), (0, 2.2, 0), tint)


def _front(rng: np.random.Generator, index: int) -> Canvas:
    """One front: wall, storeys of windows, and shops or a door on the ground floor."""
    floors, bays = int(rng.integers(2, 5)), int(rng.integers(2, 5))
    bay = float(rng.uniform(2.3, 3.1))
    height = floors * _FLOOR_M + 0.9
    wall = _WALLS[index % len(_WALLS)]
    canvas = Canvas(bays * bay, height, _TEXELS_PER_M, wall)
    _masonry(canvas, rng, brick=index % len(_WALLS) in (0, 1, 5, 8))
    trim: Colour = (226, 220, 208) if rng.random() < 0.7 else (90, 84, 78)
    size = (float(rng.uniform(0.9, 1.4)), float(rng.uniform(1.4, 1.9)))
    for floor in range(1, floors):
        for column in range(bays):
            _window(canvas, (column + 0.5) * bay, floor * _FLOOR_M + 0.8, size, trim, rng)
    if rng.random() < 0.5:
        _shops(canvas, bay, bays, rng)
    else:
        _ground_floor(canvas, bay, bays, size, trim, rng)
    _cornice(canvas, height, trim)
    canvas.rgb *= np.clip(0.72 + 0.2 * canvas.y, 0, 1)[..., None]
    return canvas


def _masonry(canvas: Canvas, rng: np.random.Generator, brick: bool) -> None:
    canvas.grain(fractal_noise(canvas.shape, (4, 4), rng), 0.14)
    canvas.grain(rng.random(canvas.shape, dtype=np.float32), 0.08)
    if brick:
        rows, columns = (canvas.shape[0] // 2 + 1, canvas.shape[1] // 4 + 1)
        tone = np.repeat(np.repeat(rng.random((rows, columns), dtype=np.float32), 2, axis=0), 4, axis=1)
        canvas.grain(tone[: canvas.shape[0], : canvas.shape[1]], 0.13)
        canvas.rgb[::3] *= np.float32(0.92)
    streak = fractal_noise((1, canvas.shape[1]), (1, 24), rng, octaves=2)
    canvas.grain(np.broadcast_to(streak, canvas.shape), 0.07)


def _window(
    canvas: Canvas, x: float, y: float, size: tuple[float, float], trim: Colour, rng: np.random.Generator
) -> None:
    """A window with frame, sill, lintel and panes that mirror the sky in their upper part."""
    half, high = size[0] / 2, size[1]
    canvas.shade((x - half - 0.12, x + half + 0.18), (y - 0.3, y + high), 0.8)
    canvas.rect((x - half - 0.1, x + half + 0.1), (y - 0.08, y + high + 0.16), trim)
    canvas.rect((x - half - 0.16, x + half + 0.16), (y - 0.16, y - 0.04), scaled(trim, 0.9))
    base = float(rng.uniform(34, 62))
    canvas.rect((x - half, x + half), (y, y + high), (base, base + 6, base + 14))
    shine = float(rng.uniform(70, 150))
    canvas.rect((x - half, x + half), (y + 0.55 * high, y + high), (shine * 0.8, shine * 0.92, shine * 1.05))
    if rng.random() < 0.45:
        curtain = float(rng.uniform(150, 205))
        canvas.rect((x - half, x - half * 0.45), (y, y + high), (curtain, curtain * 0.96, curtain * 0.88))
        canvas.rect((x + half * 0.45, x + half), (y, y + high), (curtain, curtain * 0.96, curtain * 0.88))
    canvas.shade((x - half, x + half), (y + high - 0.14, y + high), 0.5)
    canvas.rect((x - 0.035, x + 0.035), (y, y + high), trim)
    canvas.rect((x - half, x + half), (y + 0.5 * high, y + 0.5 * high + 0.07), trim)


def _shops(canvas: Canvas, bay: float, bays: int, rng: np.random.Generator) -> None:
    """A shop in each pair of bays: dark plate glass with goods, a fascia and perhaps an awning."""
    width = canvas.size_m[0]
    canvas.rect((0, width), (0, 3.0), (70, 62, 56))
    fascia = _AWNINGS[int(rng.integers(len(_AWNINGS)))]
    for column in range(bays):
        left, right = column * bay + 0.15, (column + 1) * bay - 0.15
        canvas.rect((left, right), (0.45, 2.3), (44, 50, 56))
        for _ in range(7):
            x, y = float(rng.uniform(left, right - 0.4)), float(rng.uniform(0.5, 1.2))
            goods = rng.uniform(70, 220, 3)
            canvas.rect((x, x + 0.35), (0.5, y), (float(goods[0]), float(goods[1]), float(goods[2])))
        canvas.rect((left, right), (1.7, 2.3), (104, 118, 128))
        canvas.rect(((left + right) / 2 - 0.03, (left + right) / 2 + 0.03), (0.45, 2.3), (60, 54, 50))
    canvas.rect((0.05, width - 0.05), (2.35, 2.95), fascia)
    letters = float(rng.uniform(0.25, 0.5)) * width
    for x in np.arange(width / 2 - letters / 2, width / 2 + letters / 2, 0.3):
        canvas.rect((float(x), float(x) + 0.18), (2.5, 2.8), (236, 228, 206))
    if rng.random() < 0.6:
        awning = _AWNINGS[int(rng.integers(len(_AWNINGS)))]
        for number, x in enumerate(np.arange(0.1, width - 0.2, 0.35)):
            colour = awning if number % 2 else (228, 222, 210)
            canvas.rect((float(x), float(x) + 0.35), (1.95, 2.4), colour)
        canvas.shade((0.1, width - 0.1), (1.6, 1.95), 0.6)


def _ground_floor(
    canvas: Canvas, bay: float, bays: int, size: tuple[float, float], trim: Colour, rng: np.random.Generator
) -> None:
    """Windows and one door above a plinth."""
    canvas.shade((0, canvas.size_m[0]), (0, 0.5), 0.75)
    door = int(rng.integers(bays))
    for column in range(bays):
        x = (column + 0.5) * bay
        if column != door:
            _window(canvas, x, 0.9, size, trim, rng)
            continue
        canvas.rect((x - 0.62, x + 0.62), (0, 2.6), trim)
        canvas.rect((x - 0.48, x + 0.48), (0, 2.1), _DOORS[int(rng.integers(len(_DOORS)))])
        canvas.rect((x - 0.48, x + 0.48), (2.15, 2.45), (60, 70, 80))
        canvas.shade((x - 0.35, x - 0.05), (0.3, 1.8), 0.8)
        canvas.shade((x + 0.05, x + 0.35), (0.3, 1.8), 0.8)


def _cornice(canvas: Canvas, height: float, trim: Colour) -> None:
    width = canvas.size_m[0]
    canvas.rect((0, width), (height - 0.45, height - 0.1), trim)
    canvas.shade((0, width), (height - 0.75, height - 0.45), 0.7)
    canvas.shade((0, width), (height - 0.1, height), 0.6)
    canvas.shade((0, 0.12), (0, height), 0.8)
    canvas.shade((width - 0.12, width), (0, height), 0.8)


def _gable(rng: np.random.Generator, wall: Colour) -> Canvas:
    canvas = Canvas(_DEPTH_M, 9.0, 10.0, wall)
    _masonry(canvas, rng, brick=True)
    for x in (2.5, 6.0):
        if rng.random() < 0.6:
            _window(canvas, x, 4.2, (0.9, 1.4), (214, 208, 196), rng)
    canvas.rgb *= np.clip(0.7 + 0.1 * canvas.y, 0, 1)[..., None]
    return canvas


def _gable_top(rng: np.random.Generator, wall: Colour) -> Canvas:
    canvas = Canvas(_DEPTH_M, 3.0, 10.0, wall)
    _masonry(canvas, rng, brick=True)
    canvas.keep_polygon([(0, 0), (_DEPTH_M, 0), (_DEPTH_M / 2, 3.0)])
    return canvas


def _roof(rng: np.random.Generator, colour: Colour) -> Canvas:
    canvas = Canvas(8.0, 5.0, 12.0, colour)
    tone = np.repeat(np.repeat(rng.random((20, 48), dtype=np.float32), 3, axis=0), 2, axis=1)
    canvas.grain(tone, 0.2)
    canvas.rgb[::3] *= np.float32(0.75)
    canvas.grain(fractal_noise(canvas.shape, (3, 5), rng), 0.3)
    canvas.shade((0, 8), (0, 0.2), 0.5)
    return canvas


def _chimney(rng: np.random.Generator) -> Canvas:
    canvas = Canvas(1.2, 2.2, 16.0)
    canvas.rect((0.1, 1.1), (0, 1.7), (128, 80, 64))
    canvas.rect((0.0, 1.2), (1.5, 1.75), (150, 120, 100))
    canvas.rect((0.2, 0.45), (1.7, 2.2), (150, 84, 60))
    canvas.rect((0.75, 1.0), (1.7, 2.1), (150, 84, 60))
    canvas.grain(rng.random(canvas.shape, dtype=np.float32), 0.15)
    return canvas


def _skyline(rng: np.random.Generator) -> Canvas:
    """Silhouettes of blocks, dim windows, a spire."""
    canvas = Canvas(180.0, 24.0, 4.0)
    place = 0.0
    while place < 180:
        width, height = float(rng.uniform(5, 14)), float(rng.uniform(7, 17))
        tone = float(rng.uniform(96, 150))
        canvas.rect((place, place + width), (0, height), (tone, tone * 0.96, tone * 0.93))
        for x in np.arange(place + 0.75, place + width - 0.5, 1.5):
            for y in np.arange(1.5, height - 1.5, 3):
                canvas.rect(
                    (float(x), float(x) + 0.75), (float(y), float(y) + 1.5), (tone * 0.6, tone * 0.65, tone * 0.7)
                )
        place += width
    canvas.polygon([(100, 0), (103, 0), (103, 16), (101.5, 24), (100, 16)], (120, 116, 110))
    return canvas
