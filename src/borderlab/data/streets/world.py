"""The layout of one clip: which things stand, drive and walk where."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from borderlab.data.streets.atlas import Atlas, build_atlas
from borderlab.data.streets.buildings import (
    GARDEN_X_M,
    Lot,
    building_row,
    end_of_street,
    paint_buildings,
)
from borderlab.data.streets.camera import FRAME_INTERVAL_S, Drive
from borderlab.data.streets.cars import car, paint_cars
from borderlab.data.streets.furniture import FENCES, fence, lamp, litter_bin, paint_furniture, sign, traffic_light
from borderlab.data.streets.greenery import hedge, paint_greenery, tree, treelines
from borderlab.data.streets.ground import KERB_X_M, PAVEMENT_END_M, ground_quads, paint_ground
from borderlab.data.streets.light import Light, draw_light, paint_sky, sky_quad
from borderlab.data.streets.people import cyclist_across, cyclist_along, on_pavement, paint_people, pedestrian
from borderlab.data.streets.quads import Quad, QuadTable, tabulate
from borderlab.data.streets.shadows import Caster, ShadowMap, build_shadows

SIGHT_M = 110.0

_LANE_M = 1.6
_PARKED_X_M = 4.02
_KIT_SEED = 20181129

Thing = tuple[list[Quad], Caster]


@dataclass(frozen=True)
class World:
    """Everything that decides the frames of a clip but their noise."""

    drive: Drive
    light: Light
    table: QuadTable
    atlas: Atlas
    shadows: ShadowMap


@dataclass
class _Layout:
    """A clip's world while it grows."""

    length_m: float
    travel_m: float
    eye_x: float
    sun_side: int
    rng: np.random.Generator
    quads: list[Quad] = field(default_factory=list)
    casters: list[Caster] = field(default_factory=list)

    def add(self, thing: Thing) -> None:
        """Take in one thing."""
        self.quads += thing[0]
        self.casters.append(thing[1])

    def along(self, start: float, stop: float, step: tuple[float, float], place: Callable[[float], None]) -> None:
        """Call `place` at random steps from `start` to `stop`, in metres along the street."""
        z = start + float(self.rng.uniform(0, step[1]))
        while z < stop:
            place(z)
            z += float(self.rng.uniform(*step))


def build_world(rng: np.random.Generator, frames: int) -> World:
    """A random street, long enough for `frames` frames."""
    drive, light = _draw_drive(rng), draw_light(rng)
    travel = drive.speed_m_s * frames * FRAME_INTERVAL_S
    sun_side = 1 if light.to_sun[0] > 0 else -1
    layout = _Layout(travel + SIGHT_M, travel, drive.lane_x_m, sun_side, rng)
    atlas = kit()
    rows = [building_row(side, layout.length_m, atlas, rng) for side in (-1, 1)]
    layout.quads += [sky_quad(), *ground_quads(layout.length_m, rng), end_of_street(layout.length_m)]
    layout.quads += treelines(layout.length_m, rng)
    for row in rows:
        layout.quads += row.quads
        for lot in row.lots:
            _place_edge(layout, lot)
    for side in (-1, 1):
        _place_pavement(layout, side)
        _place_parked(layout, side)
    _place_traffic(layout, drive)
    shadows = build_shadows(layout.length_m, [caster for row in rows for caster in row.casters], layout.casters, light)
    return World(drive, light, tabulate(layout.quads), atlas.with_pages({"sky": paint_sky(light, rng)}), shadows)


@cache
def kit() -> Atlas:
    """The textures that all worlds share, painted once per process."""
    rng = np.random.default_rng(_KIT_SEED)
    painted = [paint_ground(rng), paint_buildings(rng), paint_greenery(rng), paint_furniture(rng), paint_cars(rng)]
    canvases = {name: canvas for pages in [*painted, paint_people()] for name, canvas in pages.items()}
    return build_atlas(canvases)


def _draw_drive(rng: np.random.Generator) -> Drive:
    return Drive(
        speed_m_s=float(rng.uniform(3.5, 9.5)),
        lane_x_m=-_LANE_M,
        height_m=float(rng.uniform(1.35, 1.65)),
        yaw_rad=float(rng.uniform(-0.05, 0.05)),
        pan_rad=float(rng.uniform(0.05, 0.13)),
        sway_rad=float(rng.uniform(0.01, 0.03)),
        phase=float(rng.random()),
    )


def _place_edge(layout: _Layout, lot: Lot) -> None:
    """What separates a lot from the pavement: nothing before a house on the pavement, else a fence or a hedge."""
    rng = layout.rng
    if lot.height_m and lot.front_x < GARDEN_X_M:
        return
    x = PAVEMENT_END_M + 0.1
    if rng.random() < 0.72:
        layout.add(fence(lot.side, x, lot.z, FENCES[int(rng.integers(len(FENCES)))]))
    else:
        layout.add(hedge(lot.side, x, lot.z, float(rng.uniform(1.0, 1.6))))
    if lot.z[1] - lot.z[0] > 3 and rng.random() < 0.75:
        middle = float(rng.uniform(lot.z[0] + 1, lot.z[1] - 1))
        layout.add(tree(lot.side * (PAVEMENT_END_M + 2.2), middle, layout.sun_side, rng))


def _place_pavement(layout: _Layout, side: int) -> None:
    """Trees, lamps, signs, lights, bins and pedestrians of one pavement."""
    rng, far = layout.rng, layout.length_m
    kerb, inner = side * (KERB_X_M + 0.4), side * (PAVEMENT_END_M - 0.4)
    trees = (9.0, 22.0) if rng.random() < 0.7 else (25.0, 60.0)
    layout.along(4, far - 15, trees, lambda z: layout.add(tree(kerb + side * 0.4, z, layout.sun_side, rng)))
    layout.along(2, far - 30, (15, 24), lambda z: layout.add(lamp(side, kerb, z, rng)))
    layout.along(1, far - 45, (8, 20), lambda z: layout.add(sign(kerb + side * float(rng.uniform(-0.1, 0.5)), z, rng)))
    layout.along(6, far - 40, (30, 60), lambda z: layout.add(traffic_light(kerb, z, rng)))
    layout.along(4, far - 50, (14, 34), lambda z: layout.add(litter_bin(inner, z)))
    if rng.random() < 0.5:
        start = float(rng.uniform(2, 20))
        layout.add(fence(side, KERB_X_M + 0.15, (start, start + float(rng.uniform(6, 14))), "fence_guard"))

    def walker(z: float) -> None:
        speed = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.9, 1.6)) if rng.random() < 0.88 else 0.0
        x = side * float(rng.uniform(KERB_X_M + 0.8, PAVEMENT_END_M - 0.6))
        layout.add(on_pavement(speed, x, z, rng))
        if rng.random() < 0.3:
            layout.add(on_pavement(speed, x + side * 0.55, z + 0.2, rng))

    layout.along(5, far - 55, (2.5, 11), walker)


def _place_parked(layout: _Layout, side: int) -> None:
    """Parked cars of one side, bumper to bumper in places."""
    rng = layout.rng
    heading = 1 if side < 0 else -1
    share = float(rng.uniform(0.05, 0.7))
    z = float(rng.uniform(4, 12))
    while z < layout.length_m - 30:
        if rng.random() < share:
            x = side * _PARKED_X_M + float(rng.uniform(-0.12, 0.12))
            layout.add(car(x, z, heading, 0.0, layout.eye_x, rng))
        z += float(rng.uniform(5.4, 7))


def _place_traffic(layout: _Layout, drive: Drive) -> None:
    """A car ahead, oncoming cars, cyclists on both sides, and people who cross the street."""
    rng, far = layout.rng, layout.length_m
    if rng.random() < 0.7:
        ahead = float(rng.uniform(11, 26))
        layout.add(car(-_LANE_M, ahead, 1, drive.speed_m_s * float(rng.uniform(0.95, 1.1)), layout.eye_x, rng))
    z, speed = float(rng.uniform(8, 25)), float(rng.uniform(4, 10))
    while z < far + layout.travel_m:
        layout.add(car(_LANE_M, z, -1, speed, layout.eye_x, rng))
        z += float(rng.uniform(12, 40))
    # An open lane for the camera: who rides along keeps between the lane and the parked cars.
    place = float(rng.uniform(6, 12))
    for _ in range(int(rng.integers(1, 4))):
        layout.add(cyclist_along(-2.8, place, drive.speed_m_s * float(rng.uniform(0.5, 0.95)), rng))
        place += float(rng.uniform(5, 14))
    if rng.random() < 0.6:
        layout.add(cyclist_along(2.8, float(rng.uniform(10, 30)), -float(rng.uniform(3, 5)), rng))
    clear = layout.travel_m
    for _ in range(int(rng.integers(0, 4))):
        across = float(rng.choice([-1.0, 1.0]) * rng.uniform(1.0, 1.7))
        start = float(rng.uniform(-4.5, 4.5))
        layout.add(pedestrian(start, clear + float(rng.uniform(7, 20)), (across, 0.0), 0.0, rng))
    if rng.random() < 0.6:
        across = float(rng.choice([-1.0, 1.0]) * rng.uniform(2.0, 3.5))
        start = -across * float(rng.uniform(0.2, 1.5))
        layout.add(cyclist_across(start, clear + float(rng.uniform(8, 18)), across, rng))
