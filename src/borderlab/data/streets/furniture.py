"""Street furniture: lamp posts, traffic signs and lights, fences, and bins (which are void)."""

import numpy as np

from borderlab.data.streets.canvas import Canvas, Colour
from borderlab.data.streets.ground import KERB_HEIGHT_M
from borderlab.data.streets.noise import fractal_noise
from borderlab.data.streets.quads import Quad
from borderlab.data.streets.shadows import Caster
from borderlab.data.streets.taxonomy import StreetClass

FENCES = ("fence_planks", "fence_railing", "fence_guard", "fence_mesh")

_PANEL_M = 2.4
_RED: Colour = (188, 30, 34)
_WHITE: Colour = (232, 232, 228)
_BLUE: Colour = (30, 76, 156)


def paint_furniture(rng: np.random.Generator) -> dict[str, Canvas]:
    """All textures of street furniture by name."""
    return {
        "post": _post(rng),
        "lamp_arm": _lamp_arm(),
        "sign_limit": _limit(),
        "sign_warning": _warning(),
        "sign_blue": _blue(),
        "sign_board": _board(),
        "sign_stop": _no_entry(),
        "signal_red": _signal((230, 60, 40), (30, 44, 34)),
        "signal_green": _signal((54, 20, 20), (70, 220, 130)),
        "fence_planks": _planks(rng).turned(),
        "fence_railing": _railing(rng).turned(),
        "fence_guard": _guard_rail(rng).turned(),
        "fence_mesh": _mesh(rng).turned(),
        "bin": _bin(rng),
    }


def lamp(side: int, x: float, z: float, rng: np.random.Generator) -> tuple[list[Quad], Caster]:
    """A lamp post at (x, z) with an arm over the carriageway."""
    height, base = float(rng.uniform(5.5, 7.5)), KERB_HEIGHT_M
    post = _post_quad(x, z, height, 0.15)
    foot = Quad("post", StreetClass.POLE, (x - 0.13, base, z - 0.02), (0.26, 0, 0), (0, 1.1, 0), standing=True)
    arm = Quad("lamp_arm", StreetClass.POLE, (x, base + height - 0.55, z), (-side * 1.5, 0, 0), (0, 0.6, 0))
    return [post, foot, arm], Caster((x - 0.09, x + 0.09), (z - 0.09, z + 0.09), height)


def sign(x: float, z: float, rng: np.random.Generator) -> tuple[list[Quad], Caster]:
    """A traffic sign on a thin post."""
    page = ("sign_limit", "sign_warning", "sign_blue", "sign_board", "sign_stop")[int(rng.integers(5))]
    width = float(rng.uniform(0.75, 0.95)) * (1.25 if page == "sign_board" else 1.0)
    height = width * (1.3 if page == "sign_board" else 1.0)
    foot = float(rng.uniform(1.9, 2.4))
    bottom = KERB_HEIGHT_M + foot
    face = Quad(page, StreetClass.SIGN, (x - width / 2, bottom, z - 0.05), (width, 0, 0), (0, height, 0))
    caster = Caster((x - 0.3, x + 0.3), (z - 0.05, z + 0.05), foot + height, foot)
    return [_post_quad(x, z, foot + 0.7 * height, 0.08), face], caster


def traffic_light(x: float, z: float, rng: np.random.Generator) -> tuple[list[Quad], Caster]:
    """A traffic light, red or green for the whole clip."""
    page = "signal_red" if rng.random() < 0.5 else "signal_green"
    head = Quad(page, StreetClass.SIGN, (x - 0.22, KERB_HEIGHT_M + 2.3, z - 0.05), (0.44, 0, 0), (0, 1.15, 0))
    return [_post_quad(x, z, 2.6, 0.12), head], Caster((x - 0.2, x + 0.2), (z - 0.1, z + 0.1), 3.4, 2.3)


def fence(side: int, x: float, z: tuple[float, float], page: str) -> tuple[list[Quad], Caster]:
    """A fence along the street in panels of about 2.4 m; its texture lies on its side, for v is what repeats."""
    near, far = z
    long = far - near
    height = {"fence_planks": 1.7, "fence_railing": 1.2, "fence_guard": 0.95, "fence_mesh": 1.5}[page]
    quad = Quad(
        page, StreetClass.FENCE, (side * x, KERB_HEIGHT_M, near), (0, height, 0), (0, 0, long),
        normal_light=True, standing=True, repeat=max(1, round(long / _PANEL_M)),
    )  # fmt: skip
    return [quad], Caster((side * x - 0.06, side * x + 0.06), z, height)


def litter_bin(x: float, z: float) -> tuple[list[Quad], Caster]:
    """A bin: none of the eleven classes, hence void."""
    quad = Quad("bin", StreetClass.VOID, (x - 0.3, KERB_HEIGHT_M, z), (0.6, 0, 0), (0, 1.1, 0), standing=True)
    return [quad], Caster((x - 0.28, x + 0.28), (z - 0.28, z + 0.28), 1.1, contact=True)


def _post_quad(x: float, z: float, height: float, width: float) -> Quad:
    return Quad(
        "post", StreetClass.POLE, (x - width / 2, KERB_HEIGHT_M, z), (width, 0, 0), (0, height, 0),
        thin=True, standing=True,
    )  # fmt: skip


def _post(rng: np.random.Generator) -> Canvas:
    canvas = Canvas(0.16, 4.0, 50.0, (118, 122, 124))
    canvas.rgb *= (0.6 + 0.75 * np.clip(1 - np.abs(canvas.x - 0.1) * 12, 0, 1))[..., None]
    canvas.grain(fractal_noise(canvas.shape, (24, 2), rng), 0.12)
    return canvas


def _lamp_arm() -> Canvas:
    canvas = Canvas(1.5, 0.6, 50.0)
    canvas.polygon([(0, 0.1), (0.4, 0.36), (1.5, 0.5), (1.5, 0.6), (0.35, 0.48), (0, 0.28)], (108, 112, 114))
    canvas.polygon([(0.85, 0.28), (1.5, 0.36), (1.5, 0.56), (0.85, 0.5)], (88, 92, 96))
    canvas.polygon([(0.88, 0.28), (1.48, 0.34), (1.45, 0.4), (0.9, 0.34)], (236, 230, 204))
    return canvas


def _limit() -> Canvas:
    canvas = Canvas(0.8, 0.8, 70.0)
    canvas.ellipse((0.4, 0.4), (0.39, 0.39), _RED)
    canvas.ellipse((0.4, 0.4), (0.29, 0.29), _WHITE)
    for x in (0.24, 0.44):
        canvas.rect((x, x + 0.14), (0.28, 0.54), (30, 30, 34))
    canvas.rect((0.48, 0.54), (0.34, 0.48), _WHITE)
    return canvas


def _warning() -> Canvas:
    canvas = Canvas(0.9, 0.8, 70.0)
    canvas.polygon([(0.01, 0.02), (0.89, 0.02), (0.45, 0.79)], _RED)
    canvas.polygon([(0.17, 0.11), (0.73, 0.11), (0.45, 0.6)], _WHITE)
    canvas.rect((0.41, 0.49), (0.24, 0.46), (30, 30, 34))
    canvas.rect((0.41, 0.49), (0.14, 0.2), (30, 30, 34))
    return canvas


def _blue() -> Canvas:
    canvas = Canvas(0.8, 0.8, 70.0)
    canvas.ellipse((0.4, 0.4), (0.39, 0.39), _WHITE)
    canvas.ellipse((0.4, 0.4), (0.36, 0.36), _BLUE)
    canvas.polygon([(0.2, 0.36), (0.5, 0.36), (0.5, 0.24), (0.66, 0.43), (0.5, 0.6), (0.5, 0.48), (0.2, 0.48)], _WHITE)
    return canvas


def _board() -> Canvas:
    canvas = Canvas(0.9, 1.2, 60.0, _WHITE)
    canvas.rect((0.04, 0.86), (0.04, 1.16), (26, 92, 66))
    for row, length in enumerate((0.6, 0.45, 0.55)):
        y = 0.9 - 0.3 * row
        canvas.rect((0.14, 0.14 + length), (y, y + 0.12), _WHITE)
    return canvas


def _no_entry() -> Canvas:
    canvas = Canvas(0.8, 0.8, 70.0)
    canvas.ellipse((0.4, 0.4), (0.39, 0.39), _WHITE)
    canvas.ellipse((0.4, 0.4), (0.36, 0.36), _RED)
    canvas.rect((0.16, 0.64), (0.33, 0.47), _WHITE)
    return canvas


def _signal(top: Colour, bottom: Colour) -> Canvas:
    canvas = Canvas(0.44, 1.15, 60.0, (34, 36, 38))
    for y, colour in ((0.95, top), (0.58, (60, 46, 22)), (0.21, bottom)):
        canvas.ellipse((0.22, y), (0.16, 0.16), (20, 20, 22))
        canvas.ellipse((0.22, y - 0.01), (0.13, 0.13), colour)
    return canvas


def _planks(rng: np.random.Generator) -> Canvas:
    canvas = Canvas(2.4, 1.7, 40.0, (136, 104, 72))
    tone = np.repeat(rng.random((1, 16), dtype=np.float32), 6, axis=1)
    canvas.grain(np.broadcast_to(tone, canvas.shape), 0.2)
    canvas.grain(fractal_noise(canvas.shape, (3, 48), rng), 0.25)
    canvas.rgb[:, ::6] *= np.float32(0.55)
    for y in (0.35, 1.3):
        canvas.shade((0, 2.4), (y - 0.04, y), 0.7)
    for number in range(16):
        middle = 0.075 + 0.15 * number
        canvas.cut((middle - 0.075, middle - 0.045), (1.6, 1.7))
        canvas.cut((middle + 0.045, middle + 0.075), (1.6, 1.7))
    canvas.rgb *= np.clip(0.65 + 0.6 * canvas.y, 0, 1)[..., None]
    return canvas


def _railing(rng: np.random.Generator) -> Canvas:
    """Iron bars on a low wall, so close that the space between counts as fence, as annotators have it."""
    canvas = Canvas(2.4, 1.2, 50.0, (74, 84, 62))
    canvas.grain(fractal_noise(canvas.shape, (8, 16), rng), 0.5)
    for x in np.arange(0.06, 2.4, 0.15):
        canvas.rect((float(x), float(x) + 0.04), (0.3, 1.14), (34, 38, 40))
    canvas.rect((0, 2.4), (1.02, 1.08), (34, 38, 40))
    canvas.rect((0, 2.4), (0, 0.36), (142, 112, 94))
    canvas.shade((0, 2.4), (0.3, 0.36), 1.25)
    canvas.cut((0, 2.4), (1.14, 1.2))
    for x in np.arange(0.06, 2.4, 0.15):
        canvas.rect((float(x), float(x) + 0.04), (1.1, 1.2), (34, 38, 40))
    return canvas


def _guard_rail(rng: np.random.Generator) -> Canvas:
    """Two steel rails on posts; the space between is open."""
    canvas = Canvas(2.4, 0.95, 50.0)
    canvas.rect((1.1, 1.3), (0, 0.9), (104, 108, 110))
    for low in (0.3, 0.68):
        for step, tone in enumerate((120, 150, 172, 186, 160, 124)):
            canvas.rect((0, 2.4), (low + 0.04 * step, low + 0.04 * (step + 1)), (tone, tone + 2, tone + 4))
    canvas.grain(fractal_noise(canvas.shape, (4, 24), rng), 0.12)
    return canvas


def _mesh(rng: np.random.Generator) -> Canvas:
    """Green welded mesh grown through with ivy."""
    canvas = Canvas(2.4, 1.5, 40.0, (66, 84, 58))
    canvas.grain(fractal_noise(canvas.shape, (10, 16), rng), 0.5)
    for x in np.arange(0.1, 2.4, 0.2):
        canvas.rect((float(x), float(x) + 0.05), (0, 1.5), (150, 160, 152))
    for y in np.arange(0.1, 1.5, 0.35):
        canvas.rect((0, 2.4), (float(y), float(y) + 0.05), (150, 160, 152))
    canvas.rect((0, 0.08), (0, 1.5), (44, 84, 62))
    return canvas


def _bin(rng: np.random.Generator) -> Canvas:
    canvas = Canvas(0.6, 1.1, 60.0)
    canvas.polygon([(0.06, 0), (0.54, 0), (0.6, 0.95), (0, 0.95)], (44, 70, 58))
    canvas.ellipse((0.3, 0.95), (0.3, 0.13), (30, 48, 42))
    canvas.rect((0.12, 0.48), (0.72, 0.86), (18, 22, 20))
    canvas.rgb *= (0.7 + np.clip(0.5 - np.abs(canvas.x - np.float32(0.38)), 0, 1))[..., None]
    canvas.grain(rng.random(canvas.shape, dtype=np.float32), 0.1)
    return canvas
