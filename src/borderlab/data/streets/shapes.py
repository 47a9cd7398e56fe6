"""What upright objects look like: functions of the place on the object.

`across` runs from -0.5 (left) to 0.5, `up` from 0 (foot) to 1 (top). Each function returns a mask of the object's
pixels, their RGB colours in 0..255, and their train ids.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from borderlab.data.streets.classes import BICYCLIST, CAR, PEDESTRIAN, POLE, SIGN, TREE
from borderlab.data.streets.world import Thing

Array = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
Look = tuple[Mask, Array, NDArray[np.uint8]]


def look(thing: Thing, across: Array, up: Array, texture: Array) -> Look:
    """Mask, colours and train ids of `thing` at the given places; `texture` is noise in -1..1 of the same shape."""
    return _LOOKS[thing.kind](thing, across, up, texture)


def _canvas(across: Array, colour: tuple[float, ...], train_id: int) -> tuple[Array, NDArray[np.uint8]]:
    colours = np.empty((*across.shape, 3), np.float32)
    colours[:] = colour
    return colours, np.full(across.shape, train_id, np.uint8)


def _tree(thing: Thing, across: Array, up: Array, texture: Array) -> Look:
    x, y = across / 0.5, (up - 0.64) / 0.36
    angle = np.arctan2(y, x)
    rim = 0.86 + 0.09 * np.sin(5 * angle + 9 * thing.phase) + 0.06 * np.sin(11 * angle + 4 * thing.phase)
    distance = np.sqrt(x * x + y * y)
    crown = distance + 0.12 * texture < rim
    trunk = (np.abs(across) < 0.035 + 0.02 * (0.5 - up)) & (up < 0.5)
    colours, ids = _canvas(across, thing.colour, TREE)
    # Lit from above, with leaves as texture.
    colours *= (0.78 + 0.3 * y - 0.12 * distance + 0.38 * texture)[..., None]
    bark = trunk & ~crown
    colours[bark] = (84, 66, 50)
    colours[bark] *= (0.9 + 0.3 * texture[bark])[:, None]
    return crown | trunk, colours, ids


def _lamp(thing: Thing, across: Array, up: Array, texture: Array) -> Look:
    mast = np.abs(across) < 0.034 + 0.02 * (1 - up)
    reach = across * thing.turn
    arm = (np.abs(up - 0.965) < 0.012) & (reach > -0.01) & (reach < 0.42)
    head = (np.abs(up - 0.95) < 0.02) & (reach > 0.26) & (reach < 0.46)
    colours, ids = _canvas(across, thing.colour, POLE)
    colours *= (0.85 + 4.5 * np.clip(across, -0.04, 0.04) + 0.06 * texture)[..., None]
    colours[head] = (226, 222, 200)
    return mast | arm | head, colours, ids


def _sign(thing: Thing, across: Array, up: Array, texture: Array) -> Look:
    post = (np.abs(across) < 0.045) & (up < 0.9)
    x, y = across / 0.46, (up - 0.86) / 0.14
    if thing.phase < 0.4:
        distance = np.sqrt(x * x + y * y)
    elif thing.phase < 0.7:
        distance = np.maximum(np.abs(x), np.abs(y))
    else:
        distance = np.maximum(np.abs(x) + 0.5 * y + 0.02, -y) * 0.98
    plate = distance < 1
    colours, ids = _canvas(across, (128, 132, 136), POLE)
    colours[plate] = thing.colour
    colours[plate & (distance < 0.66)] = (238, 238, 234)
    colours[plate & (np.abs(y) < 0.2) & (np.abs(x) < 0.42)] = (40, 40, 44)
    ids[plate] = SIGN
    return post | plate, colours * (0.95 + 0.05 * texture[..., None]), ids


def _car(thing: Thing, across: Array, up: Array, texture: Array) -> Look:
    body = (up > 0.13) & (up < 0.62) & (np.abs(across) < 0.5 - 0.25 * np.clip(up - 0.5, 0, 1))
    half = 0.46 - 0.36 * np.clip(up - 0.58, 0, 1)
    cabin = (up >= 0.58) & (up < 1.0 - 0.5 * np.clip(np.abs(across) - 0.3, 0, 1)) & (np.abs(across) < half)
    wheels = (up < 0.26) & (np.abs(np.abs(across) - 0.38) < 0.1)
    colours, ids = _canvas(across, thing.colour, CAR)
    colours *= (0.72 + 0.42 * up + 0.05 * texture)[..., None]
    glass = cabin & (up > 0.64) & (up < 0.94) & (np.abs(across) < half - 0.06)
    colours[glass] = (52, 66, 82)
    colours[glass] += (70 * np.clip(up[glass] - 0.7 + 0.4 * across[glass], 0, 1))[:, None]
    lights = body & (np.abs(up - 0.5) < 0.06) & (np.abs(across) > 0.33) & (np.abs(across) < 0.47)
    colours[lights] = (206, 40, 36) if thing.turn > 0 else (250, 246, 226)
    plate = body & (np.abs(up - 0.36) < 0.05) & (np.abs(across) < 0.14)
    colours[plate] = (228, 216, 120) if thing.turn > 0 else (232, 232, 226)
    colours[body & (up < 0.22)] *= 0.5
    colours[wheels] = (26, 26, 28)
    return body | cabin | wheels, colours, ids


def _pedestrian(thing: Thing, across: Array, up: Array, texture: Array) -> Look:
    head = ((across / 0.17) ** 2 + ((up - 0.925) / 0.075) ** 2) < 1
    torso = (up > 0.46) & (up < 0.85) & (np.abs(across) < 0.3 - 0.28 * np.clip(up - 0.72, 0, 1))
    arms = (up > 0.45) & (up < 0.8) & (np.abs(np.abs(across) - 0.36) < 0.06)
    stride = 0.13 + 0.12 * np.abs(np.sin(6 * thing.phase)) * (0.5 - up)
    legs = (up <= 0.47) & (np.abs(np.abs(across) - stride) < 0.1)
    colours, ids = _canvas(across, thing.colour, PEDESTRIAN)
    colours *= (0.9 + 0.5 * across * thing.turn + 0.08 * texture)[..., None]
    colours[legs] = (52, 56, 74)
    colours[head] = (206, 162, 132)
    colours[head & (up > 0.95)] = (70, 50, 40)
    return head | torso | arms | legs, colours, ids


def _bicyclist(thing: Thing, across: Array, up: Array, texture: Array) -> Look:
    mask, colours, ids = _pedestrian(thing, across, np.clip((up - 0.22) / 0.78, 0, 1), texture)
    mask = mask & (up > 0.24)
    wheel = (np.abs(across) < 0.075) & (up < 0.4)
    bars = (np.abs(up - 0.56) < 0.018) & (np.abs(across) < 0.42)
    bicycle = (wheel | bars) & ~(mask & (up > 0.5))
    colours[bicycle] = (30, 32, 36)
    ids[:] = BICYCLIST
    return mask | bicycle, colours, ids


_LOOKS: dict[str, Callable[[Thing, Array, Array, Array], Look]] = {
    "tree": _tree,
    "lamp": _lamp,
    "sign": _sign,
    "car": _car,
    "pedestrian": _pedestrian,
    "bicyclist": _bicyclist,
}
