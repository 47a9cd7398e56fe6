"""A street as numbers: what stands where, and how it moves. Drawn once for each clip from its seed.

Convention: metres. X points right, Y up from the ground, Z forward along the street; frames are 1/15 s apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

STEP_M = 0.25
LENGTH_M = 240.0
START_M = -20.0
VIEW_M = 48.0

Colour = tuple[float, float, float]

_WALLS: tuple[Colour, ...] = (
    (176, 92, 74), (198, 170, 136), (150, 140, 132), (206, 196, 178), (122, 98, 88), (168, 126, 96), (136, 148, 156),
)  # fmt: skip
_CLOTHES: tuple[Colour, ...] = ((180, 50, 50), (40, 70, 130), (60, 110, 70), (60, 60, 64), (190, 160, 70))
_PAINTS: tuple[Colour, ...] = (
    (150, 30, 36), (34, 60, 112), (176, 178, 182), (40, 42, 46), (226, 226, 222), (66, 96, 76),
)  # fmt: skip


@dataclass(frozen=True)
class Thing:
    """An upright flat object that faces along the street.

    `x`, `z`: its foot at frame 0; `vx`, `vz`: metres per frame; `turn`: -1 or 1, which way it looks.
    """

    kind: str
    x: float
    z: float
    width: float
    height: float
    colour: Colour
    vx: float = 0.0
    vz: float = 0.0
    turn: int = 1
    phase: float = 0.0


@dataclass(frozen=True)
class Side:
    """What lines one side of the street, sampled every `STEP_M` along Z."""

    wall_x: float
    wall_height: NDArray[np.float32]
    wall_colour: NDArray[np.float32]
    wall_start: NDArray[np.float32]
    fence_x: float
    fence_height: NDArray[np.float32]


@dataclass(frozen=True)
class Light:
    """Time of day: sky from zenith to horizon, sunlight, how bright each side's walls are, and haze."""

    zenith: Colour
    horizon: Colour
    sun: Colour
    left: float
    right: float
    haze_m: float


@dataclass(frozen=True)
class World:
    """One clip's street, light, and the camera's drive through it."""

    road_half_width: float
    left: Side
    right: Side
    things: tuple[Thing, ...]
    light: Light
    camera_x: float
    camera_height: float
    speed: float
    sway: tuple[float, float, float]
    yaw: tuple[float, float, float]
    noise: NDArray[np.float32]


def draw_world(random: Generator) -> World:
    """A street drawn from `random`."""
    road = random.uniform(3.4, 4.3)
    things = [
        *_street_furniture(random, road),
        *_parked_cars(random, road),
        *_traffic(random),
        *_people(random, road),
    ]
    return World(
        road_half_width=road,
        left=_side(random, road),
        right=_side(random, road),
        things=tuple(things),
        light=_light(random),
        camera_x=random.uniform(-1.9, -1.3),
        camera_height=random.uniform(1.35, 1.7),
        speed=random.uniform(0.3, 0.6),
        sway=(random.uniform(0.05, 0.2), random.uniform(0.15, 0.35), random.uniform(0, 6)),
        yaw=(random.uniform(0.015, 0.05), random.uniform(0.12, 0.3), random.uniform(0, 6)),
        noise=_noise(random),
    )


def _side(random: Generator, road: float) -> Side:
    n = int(LENGTH_M / STEP_M)
    height, start = np.zeros(n, np.float32), np.zeros(n, np.float32)
    colour = np.zeros((n, 3), np.float32)
    place = 0
    while place < n:
        length = int(random.uniform(6, 15) / STEP_M)
        if random.random() > 0.18:
            height[place : place + length] = random.uniform(5, 14)
            colour[place : place + length] = random.choice(np.array(_WALLS)) * random.uniform(0.85, 1.1)
        start[place : place + length] = place * STEP_M
        place += length
    return Side(
        wall_x=road + random.uniform(3.2, 4.6),
        wall_height=height,
        wall_colour=colour,
        wall_start=start,
        fence_x=road + random.uniform(2.4, 2.9),
        fence_height=_fence(random, n),
    )


def _fence(random: Generator, n: int) -> NDArray[np.float32]:
    height = np.zeros(n, np.float32)
    place = int(random.uniform(0, 8) / STEP_M)
    while place < n:
        length = int(random.uniform(6, 16) / STEP_M)
        height[place : place + length] = random.uniform(0.9, 1.4)
        place += length + int(random.uniform(6, 20) / STEP_M)
    return height


def _street_furniture(random: Generator, road: float) -> list[Thing]:
    things = []
    for sign in (-1, 1):
        z = random.uniform(4, 14)
        while z < 130:
            kind = random.choice(["lamp", "tree", "tree", "sign", "sign"])
            x = sign * (road + random.uniform(0.35, 0.8) + (1.0 if kind == "tree" else 0.0))
            things.append(_fixture(random, str(kind), x, z, -sign))
            z += random.uniform(4, 9)
    return things


def _fixture(random: Generator, kind: str, x: float, z: float, turn: int) -> Thing:
    phase = random.uniform(0, 1)
    if kind == "tree":
        green = (random.uniform(50, 90), random.uniform(95, 135), random.uniform(40, 66))
        height = random.uniform(4.0, 7.0)
        return Thing(kind, x, z, height * random.uniform(0.6, 0.85), height, green, phase=phase, turn=turn)
    if kind == "lamp":
        return Thing(kind, x, z, 1.8, random.uniform(5, 6.5), (86, 90, 94), phase=phase, turn=turn)
    paint: Colour = ((196, 36, 40), (36, 84, 170), (228, 190, 40))[int(random.integers(3))]
    return Thing(kind, x, z, 0.85, random.uniform(2.5, 3.2), paint, phase=phase, turn=turn)


def _parked_cars(random: Generator, road: float) -> list[Thing]:
    cars = []
    for sign in (-1, 1):
        z = random.uniform(9, 18)
        while z < 120:
            if random.random() < 0.7:
                cars.append(_car(random, sign * (road - 1.0), z, 0.0, turn=sign))
            z += random.uniform(6.5, 16)
    return cars


def _traffic(random: Generator) -> list[Thing]:
    ahead = _car(random, random.uniform(-1.7, -1.3), random.uniform(11, 22), random.uniform(0.2, 0.65), turn=1)
    oncoming = [
        _car(random, random.uniform(1.2, 1.7), z + random.uniform(0, 8), -random.uniform(0.3, 0.7), turn=-1)
        for z in (22, 50, 80)
    ]
    return [ahead, *oncoming]


def _car(random: Generator, x: float, z: float, vz: float, turn: int) -> Thing:
    paint = _PAINTS[int(random.integers(len(_PAINTS)))]
    return Thing("car", x, z, random.uniform(1.7, 1.95), random.uniform(1.4, 1.75), paint, vz=vz, turn=turn)


def _people(random: Generator, road: float) -> list[Thing]:
    people = []
    for sign in (-1, 1):
        z = random.uniform(5, 9)
        while z < 100:
            x = sign * (road + random.uniform(0.7, 2.1))
            vz = float(random.choice([-1, 1])) * random.uniform(0.05, 0.11)
            people.append(_person(random, "pedestrian", x, z, 0.0, vz))
            z += random.uniform(5, 14)
        z = random.uniform(8, 22)
        while z < 90:
            people.append(_person(random, "bicyclist", sign * (road - 2.2), z, 0.0, -sign * random.uniform(0.15, 0.4)))
            z += random.uniform(12, 30)
    crossing = random.uniform(12, 26)
    people.append(_person(random, "pedestrian", -road, crossing, random.uniform(0.06, 0.1), 0.0))
    return people


def _person(random: Generator, kind: str, x: float, z: float, vx: float, vz: float) -> Thing:
    cloth = _CLOTHES[int(random.integers(len(_CLOTHES)))]
    height = random.uniform(1.6, 1.9)
    width = 0.62 if kind == "pedestrian" else 0.75
    return Thing(kind, x, z, width, height, cloth, vx, vz, turn=int(random.choice([-1, 1])), phase=random.random())


def _light(random: Generator) -> Light:
    day = Light((92, 146, 206), (214, 226, 234), (255, 248, 232), 0.0, 0.0, 90.0)
    evening = Light((108, 122, 170), (244, 196, 146), (255, 214, 168), 0.0, 0.0, 70.0)
    overcast = Light((160, 168, 178), (208, 212, 214), (228, 232, 236), 0.0, 0.0, 55.0)
    base = (day, evening, overcast)[int(random.integers(3))]
    bright, dark = 1.0, 0.88 if base is overcast else random.uniform(0.55, 0.75)
    left, right = (bright, dark) if random.random() < 0.5 else (dark, bright)
    return Light(base.zenith, base.horizon, base.sun, left, right, base.haze_m * random.uniform(0.8, 1.3))


def _noise(random: Generator, size: int = 256) -> NDArray[np.float32]:
    """Seamless noise in -1..1 with equal strength in four octaves, so that it has detail near and far."""
    total = np.zeros((size, size), np.float32)
    rows, columns = np.mgrid[:size, :size]
    for octave in (1, 2, 4, 8):
        grid = random.uniform(-1, 1, (size // octave, size // octave)).astype(np.float32)
        total += np.roll(grid[rows // octave, columns // octave], random.integers(size, size=2), axis=(0, 1))
    return (total / 4).astype(np.float32)
