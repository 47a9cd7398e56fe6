"""Trees, hedges and the rows of trees behind the houses. A crown is two leaves of foliage, one behind the other."""

import numpy as np

from borderlab.data.streets.canvas import Canvas, Colour
from borderlab.data.streets.ground import KERB_HEIGHT_M
from borderlab.data.streets.noise import fractal_noise, value_noise
from borderlab.data.streets.quads import Quad
from borderlab.data.streets.shadows import Caster
from borderlab.data.streets.taxonomy import StreetClass

_CROWNS = 6
_LEAVES: tuple[Colour, ...] = (
    (92, 124, 58), (74, 108, 52), (116, 134, 62), (84, 116, 70), (150, 128, 58), (104, 124, 74)
)  # fmt: skip


def paint_greenery(rng: np.random.Generator) -> dict[str, Canvas]:
    """All textures of plants by name."""
    crowns = {f"crown_{index}": _crown(rng, _LEAVES[index % len(_LEAVES)]) for index in range(_CROWNS)}
    return crowns | {
        "trunk": _trunk(rng),
        "hedge": _hedge(rng),
        "treeline_0": _treeline(rng, (84, 110, 62)),
        "treeline_1": _treeline(rng, (98, 112, 60)),
    }


def tree(x: float, z: float, sun_side: int, rng: np.random.Generator) -> tuple[list[Quad], Caster]:
    """A street tree at (x, z) whose lighter side looks to `sun_side` (-1 left, 1 right)."""
    wide, high = float(rng.uniform(3.4, 5.6)), float(rng.uniform(3.4, 5.4))
    stem = float(rng.uniform(2.3, 3.2))
    base = KERB_HEIGHT_M
    bright = float(rng.uniform(0.85, 1.15))
    tint = (bright * float(rng.uniform(0.9, 1.12)), bright, bright * float(rng.uniform(0.85, 1.05)))
    trunk = Quad(
        "trunk", StreetClass.TREE, (x - 0.2, base, z), (0.4, 0, 0), (0, stem + 0.5 * high, 0), standing=True, thin=True
    )
    quads = [trunk]
    for behind, share in ((-0.5, 0.8), (0.4, 1.0)):
        page = f"crown_{int(rng.integers(_CROWNS))}"
        width, height = share * wide, share * high
        left = x - sun_side * width / 2 + float(rng.uniform(-0.3, 0.3))
        bottom = base + stem + (1 - share) * high * float(rng.uniform(0.2, 0.8))
        quads.append(
            Quad(page, StreetClass.TREE, (left, bottom, z + behind), (sun_side * width, 0, 0), (0, height, 0), tint)
        )
    radius = 0.42 * wide
    caster = Caster((x - radius, x + radius), (z - radius, z + radius), stem + 0.85 * high, stem, round=True)
    return quads, caster


def hedge(side: int, x: float, z: tuple[float, float], height: float) -> tuple[list[Quad], Caster]:
    """A clipped hedge along the pavement: its street side, its near end and its top."""
    near, far = z
    depth, base = side * 0.8, KERB_HEIGHT_M
    long = far - near
    front = Quad("hedge", StreetClass.TREE, (side * x, base, near), (0, 0, long), (0, height, 0), normal_light=True)
    end = Quad("hedge", StreetClass.TREE, (side * x, base, near), (depth, 0, 0), (0, height, 0), normal_light=True)
    top = Quad(
        "hedge", StreetClass.TREE, (side * x, base + height, near), (depth, 0, 0), (0, 0, long), normal_light=True
    )
    across = (x, x + 0.8) if side > 0 else (-x - 0.8, -x)
    return [front, end, top], Caster(across, z, height, contact=True)


def treelines(length_m: float, rng: np.random.Generator) -> list[Quad]:
    """Rows of trees behind the houses and at the end of the street, with silhouettes against the sky."""
    quads = []
    for side in (-1, 1):
        place = -12.0
        while place < length_m:
            page = f"treeline_{int(rng.integers(2))}"
            x, height = side * float(rng.uniform(24, 34)), float(rng.uniform(6, 10))
            quads.append(Quad(page, StreetClass.TREE, (x, 0, place), (0, 0, 40), (0, height, 0)))
            place += 38.0
    for left in (-60.0, -21.0, 18.0):
        page = f"treeline_{int(rng.integers(2))}"
        quads.append(
            Quad(page, StreetClass.TREE, (left, 0, length_m - 2), (40, 0, 0), (0, float(rng.uniform(6, 11)), 0))
        )
    return quads


def _crown(rng: np.random.Generator, colour: Colour) -> Canvas:
    """Foliage as tufts, painted from the dark inside to the lit outside; the light comes from the upper right."""
    canvas = Canvas(5.0, 5.0, 24.0)
    tufts = 90
    for step in range(tufts):
        share = step / tufts
        across, along = (float(value) for value in rng.standard_normal(2) * 0.38)
        # Dark tufts stay inside, lit ones reach the rim and lean towards the light.
        reach = (1.25 + 0.55 * share) / max(1.0, (across * across + along * along) ** 0.5 / 0.8)
        x, y = 2.5 + reach * across + 0.2 * share, 2.35 + reach * along + 0.25 * share
        lift = 0.38 + 0.5 * share + 0.13 * (y - 2.5) / 2 + 0.1 * (x - 2.5) / 2 + float(rng.uniform(-0.07, 0.07))
        radius = float(rng.uniform(0.3, 0.62)) * (1.15 - 0.45 * share)
        canvas.ellipse(
            (x, y), (radius * 1.15, radius), (colour[0] * lift * 1.25, colour[1] * lift * 1.25, colour[2] * lift)
        )
    leaves = value_noise(canvas.shape, (60, 60), rng)
    canvas.grain(leaves, 0.3)
    canvas.grain(rng.random(canvas.shape, dtype=np.float32), 0.18)
    canvas.cover &= ~((leaves < 0.2) & (fractal_noise(canvas.shape, (9, 9), rng) < 0.45))
    return canvas


def _trunk(rng: np.random.Generator) -> Canvas:
    canvas = Canvas(0.4, 4.0, 32.0)
    canvas.polygon([(0.03, 0), (0.37, 0), (0.3, 0.4), (0.27, 4), (0.13, 4), (0.1, 0.4)], (92, 76, 60))
    canvas.rgb *= (0.65 + 1.6 * canvas.x)[..., None]
    canvas.grain(value_noise(canvas.shape, (20, 6), rng), 0.3)
    return canvas


def _hedge(rng: np.random.Generator) -> Canvas:
    canvas = Canvas(6.0, 1.5, 20.0, (70, 96, 48))
    canvas.grain(fractal_noise(canvas.shape, (6, 24), rng, octaves=3), 0.5)
    canvas.grain(rng.random(canvas.shape, dtype=np.float32), 0.3)
    canvas.rgb *= (0.65 + 0.35 * canvas.y)[..., None]
    return canvas


def _treeline(rng: np.random.Generator, colour: Colour) -> Canvas:
    canvas = Canvas(40.0, 10.0, 8.0)
    for step in range(240):
        share = step / 240
        x, y = float(rng.uniform(0, 40)), float(rng.uniform(0.5, 8.2)) * (1 - 0.45 * share)
        lift = 0.6 + 0.35 * share + 0.04 * y
        radius = float(rng.uniform(0.9, 1.9))
        canvas.ellipse((x, y), (radius, radius), (colour[0] * lift, colour[1] * lift, colour[2] * lift))
    canvas.rect((0, 40), (0, 2), (52, 70, 40))
    canvas.grain(value_noise(canvas.shape, (60, 240), rng), 0.3)
    return canvas
