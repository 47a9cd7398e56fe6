"""Colour of the samples: texture, light, shadow, haze and the camera's own faults.

Arithmetic is in linear light; the only functions used are those that IEEE 754 defines to the last bit.
"""

import numpy as np
from numpy.typing import NDArray

from borderlab.data.streets.atlas import Atlas
from borderlab.data.streets.camera import Camera
from borderlab.data.streets.light import Light
from borderlab.data.streets.quads import Pose, QuadTable
from borderlab.data.streets.raster import Visibility
from borderlab.data.streets.shadows import CAST, ShadowMap, map_index

_LINEAR = ((np.arange(256) / 255) ** 2).astype(np.float32)
_WHITE = np.float32(4.0)


def shade(
    seen: Visibility,
    table: QuadTable,
    pose: Pose,
    tints: NDArray[np.float32],
    atlas: Atlas,
    light: Light,
    camera: Camera,
    shadows: ShadowMap,
    time_s: float,
) -> NDArray[np.float32]:
    """Noise-free colours (h, w, 3) in 0..255 of a frame.

    `tints` (3, quads) is the linear factor of each quad on its texture.
    """
    factor = tints * _standing_shade(table, pose, light, shadows)
    ground = _ground_shade(seen, table, light, camera, shadows.at(time_s))
    thick = 1 / (1 + (np.float32(light.mood.haze_m) * seen.inverse_depth) ** 2)
    thick[seen.inverse_depth < np.float32(1 / 800)] = 0
    clear = (1 - thick) * ground
    planes, texel, quad = [], seen.texel.astype(np.intp), seen.quad.astype(np.intp)
    for channel, plane in enumerate((atlas.red, atlas.green, atlas.blue)):
        colour = _LINEAR.take(plane.take(texel))
        colour *= factor[channel].take(quad)
        colour *= clear
        colour += thick * light.haze[channel]
        planes.append(_develop(_average(colour)))
    return np.stack(planes, axis=2) * _vignette(planes[0].shape)[..., None]


def surface_tints(table: QuadTable, light: Light) -> NDArray[np.float32]:
    """Linear factor (3, quads) of each quad on its texture; the sky shines by itself."""
    normal = np.cross(table.across, table.up)
    length = np.sqrt(normal[:, 0] ** 2 + normal[:, 1] ** 2 + normal[:, 2] ** 2)
    # A wall is seen from the street, from above, or from behind where the camera comes from: never from its other side.
    middle = table.origin + (table.across + table.up) / 2
    away = -np.sign(middle[:, 0]) * normal[:, 0] + normal[:, 1] - normal[:, 2] < 0
    normal = normal / np.where(away, -length, length)[:, None]
    lit = light.on_surfaces(normal, table.normal_light)
    lit[table.with_camera] = light.exposure
    return np.ascontiguousarray((lit * table.tint).T)


def add_noise(colour: NDArray[np.float32], std: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Colours (h, w, 3) with sensor noise, rounded: its variance grows with brightness as that of photons does."""
    if std > 0:
        noise = rng.standard_normal(colour.shape, dtype=np.float32)
        colour = colour + noise * np.sqrt(np.float32(std * std) * (np.float32(0.3) + colour * np.float32(0.7 / 128)))
    return (np.clip(colour, 0, 255) + np.float32(0.5)).astype(np.uint8)


def _standing_shade(table: QuadTable, pose: Pose, light: Light, shadows: ShadowMap) -> NDArray[np.float32]:
    """Factor (quads,): things that stand in the shade of a building are darker."""
    middle = pose.origin + table.across / 2
    sun = shadows.tall.ravel().take(map_index(shadows.tall, middle[:, 0], middle[:, 2]))
    floor = (1 + light.mood.shadow_floor) / 2
    share = np.clip((sun.astype(np.float32) - CAST) / np.float32(255 - CAST), 0, 1)
    return np.where(table.standing, floor + (1 - floor) * share, 1).astype(np.float32)


def _ground_shade(
    seen: Visibility, table: QuadTable, light: Light, camera: Camera, shade_map: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Factor of each sample, below 1 where the ground is in shadow."""
    factor = np.ones(seen.quad.shape, np.float32)
    on_ground = table.on_ground.take(seen.quad)
    first = int(on_ground.any(axis=1).argmax())
    part = slice(first, None)
    x, z = _world(seen, camera, part)
    level = shade_map.ravel().take(map_index(shade_map, x, z))
    np.copyto(factor[part], _shadow_curve(light).take(level), where=on_ground[part])
    return factor


def _world(seen: Visibility, camera: Camera, rows: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """World X and Z of the samples in `rows`, in metres."""
    rotation = camera.matrix.copy()
    centre_x, centre_y = ((length - 3) / 4 for length in seen.quad.shape[::-1])
    rotation[0] = (rotation[0] - centre_x * rotation[2]) / camera.focal_px
    rotation[1] = (rotation[1] - centre_y * rotation[2]) / camera.focal_px
    ys, xs = ((np.arange(length) - 1) / 2 for length in seen.quad.shape)
    across, below = (xs - centre_x) / camera.focal_px, (ys[rows] - centre_y) / camera.focal_px
    depth = 1 / seen.inverse_depth[rows]
    places = []
    for axis in (0, 2):
        down = (rotation[1, axis] * below + rotation[2, axis]).astype(np.float32)
        ray = down[:, None] + (rotation[0, axis] * across).astype(np.float32)[None, :]
        places.append(ray * depth + np.float32(camera.position[axis]))
    return places[0], places[1]


def _shadow_curve(light: Light) -> NDArray[np.float32]:
    """Factor for each value 0..255 of a shadow map."""
    value = np.arange(256, dtype=np.float32)
    floor = np.float32(light.mood.shadow_floor)
    dark = np.float32(0.45) + (1 - np.float32(0.45)) * np.minimum(value / CAST, 1)
    share = np.clip((value - CAST) / (255 - CAST), 0, 1)
    return (floor + (1 - floor) * share) * dark


def _average(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pixels (h, w) from samples (2 h + 1, 2 w + 1): weights 1/4 1/2 1/4 both ways, a tent one pixel to each side."""
    rows = samples[0:-1:2] + samples[2::2]
    rows += 2 * samples[1::2]
    pixels = rows[:, 0:-1:2] + rows[:, 2::2]
    pixels += 2 * rows[:, 1::2]
    return pixels * np.float32(1 / 16)


def _develop(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear light to 0..255: highlights are compressed, then gamma 2."""
    compressed = light * (1 + light / (_WHITE * _WHITE)) / (1 + np.float32(0.35) * light) * np.float32(1.25)
    developed: NDArray[np.float32] = np.minimum(np.sqrt(compressed) * 255, np.float32(255))
    return developed


def _vignette(size: tuple[int, ...]) -> NDArray[np.float32]:
    """Fall of brightness towards the corners, (h, w), from 1 to about 0.86."""
    ys, xs = ((np.arange(length, dtype=np.float32) - (length - 1) / 2) / np.float32(length / 2) for length in size)
    return (1 - np.float32(0.07) * (ys[:, None] ** 2 + xs[None, :] ** 2)).astype(np.float32)
