"""Ray casting of a street: colours, train ids, depth and surfaces of every pixel, from one camera position.

Each pixel's ray is met with the ground, the walls and fences on both sides, and the upright objects; the nearest
wins. Nothing is approximated but colour, so the depth and surface of a pixel give exact motion.

Convention: a ray is camera + depth * direction, where depth is measured along the camera's axis; columns grow to the
right, rows downwards; pixel (0, 0) is the centre of the top left pixel.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from borderlab.data.streets.classes import BUILDING, FENCE, ROAD, SIDEWALK, SKY
from borderlab.data.streets.shapes import look
from borderlab.data.streets.world import LENGTH_M, START_M, STEP_M, VIEW_M, Colour, Side, Thing, World

Array = NDArray[np.floating[Any]]

FOCAL_PER_WIDTH = 0.95
HORIZON = 0.42
NEAR_M = 1.5
WALLS_VIEW_M = 200.0
SURFACE_SKY, SURFACE_GROUND, SURFACE_WALLS, SURFACE_FENCES, SURFACE_THINGS = 0, 1, 2, 4, 6


@dataclass(frozen=True)
class Camera:
    """Where the camera is and where it looks, at one frame; `yaw` in radians, to the right."""

    x: float
    height: float
    z: float
    yaw: float


@dataclass
class View:
    """One rendered view: colour (h w 3) in 0..255, train ids, depth in metres and surface of each sample."""

    colour: Array
    label: NDArray[np.uint8]
    depth: Array
    surface: NDArray[np.uint8]


@dataclass(frozen=True)
class Rays:
    """Directions of all samples in the world, for depth 1 along the camera's axis."""

    x: Array
    y: Array
    z: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of samples."""
        rows, columns = self.x.shape
        return rows, columns


def camera_at(world: World, frame: int) -> Camera:
    """The camera at a frame of the clip."""
    width, rate, phase = world.sway
    turn, turn_rate, turn_phase = world.yaw
    return Camera(
        x=world.camera_x + width * float(np.sin(rate * frame + phase)),
        height=world.camera_height,
        z=world.speed * frame,
        yaw=turn * float(np.sin(turn_rate * frame + turn_phase)),
    )


def cast_rays(camera: Camera, height: int, width: int, per_pixel: int) -> Rays:
    """Rays of a grid of `per_pixel` samples a pixel; every `per_pixel`-th sample is a pixel centre."""
    focal = FOCAL_PER_WIDTH * width
    across = (np.arange(width * per_pixel, dtype=np.float32) / per_pixel - (width - 1) / 2) / focal
    down = (np.arange(height * per_pixel, dtype=np.float32) / per_pixel - HORIZON * (height - 1)) / focal
    cosine, sine = (np.float32(value) for value in (np.cos(camera.yaw), np.sin(camera.yaw)))
    shape = (len(down), len(across))
    x = np.broadcast_to(across * cosine + sine, shape)
    z = np.broadcast_to(cosine - across * sine, shape)
    return Rays(x, np.broadcast_to(down[:, None], shape), z)


def render(world: World, frame: int, height: int, width: int, per_pixel: int) -> View:
    """The street as the camera sees it at a frame, before exposure and noise."""
    camera = camera_at(world, frame)
    rays = cast_rays(camera, height, width, per_pixel)
    # Metres that one sample covers, for each metre of depth: detail finer than that fades out.
    grain = 1.0 / (FOCAL_PER_WIDTH * width * per_pixel)
    view = _sky(world, camera, rays)
    _ground(world, camera, rays, view, grain)
    _walls(world, camera, rays, view, grain)
    _fences(world, camera, rays, view, grain)
    _things(world, camera, frame, rays, view)
    _haze(world, view)
    return view


def _rgb(colour: Colour) -> Array:
    return np.array(colour, np.float32)


def _sky(world: World, camera: Camera, rays: Rays) -> View:
    light = world.light
    rise = np.clip(-rays.y[:, :1] * 2.2, 0, 1)[..., None]
    colour = rise * _rgb(light.zenith) + (1 - rise) * _rgb(light.horizon)
    colour = np.broadcast_to(colour, (*rays.shape, 3)).astype(np.float32)
    # Clouds lie on a plane high above; they are far enough to stand still.
    height = np.maximum(-rays.y, 0.04)
    clouds = _texture(world.noise, 9 * rays.x / (height + 0.12), 9 / (height + 0.12))
    colour += (np.clip(clouds - 0.05, 0, 1) * np.clip(height * 5, 0, 1) * 70)[..., None]
    depth = np.full(rays.shape, np.inf, np.float32)
    return View(colour, np.full(rays.shape, SKY, np.uint8), depth, np.zeros(rays.shape, np.uint8))


def _ground(world: World, camera: Camera, rays: Rays, view: View, grain: float) -> None:
    first = int(np.searchsorted(rays.y[:, 0], 1e-3))
    depth = camera.height / rays.y[first:]
    x = camera.x + depth * rays.x[first:]
    z = camera.z + depth * rays.z[first:]
    detail = np.clip(0.35 / (depth * grain * 60 + 0.05), 0, 1)
    noise = _texture(world.noise, x * 13, z * 13) * detail
    coarse = _texture(world.noise, x * 1.7, z * 0.6)
    road = np.abs(x) < world.road_half_width
    grey = np.where(road, 84 + 16 * noise + 9 * coarse, 150 + 14 * noise + 8 * coarse)
    # Slabs of the pavement, the kerb, and the road's markings.
    joints = ((np.mod(x, 0.9) < 0.05) | (np.mod(z, 0.9) < 0.05)) & ~road
    grey[joints] -= (26 * detail)[joints]
    kerb = np.abs(np.abs(x) - world.road_half_width) < 0.09
    grey[kerb] = 172 + 10 * noise[kerb]
    dashes = (np.abs(x) < 0.07) & (np.mod(z, 6.0) < 3.0)
    edges = (np.abs(np.abs(x) - world.road_half_width + 0.35) < 0.06) & road
    grey[dashes | edges] = 214 + 20 * noise[dashes | edges]
    # Where cars have worn the lanes, and where walls shade the pavement's far edge.
    off_centre = np.abs(x)
    tracks = np.minimum(np.abs(off_centre - 0.9), np.abs(off_centre - 2.4))
    grey -= np.clip(12 - 32 * tracks, 0, 12)
    grey *= 1 - 0.25 * np.clip((np.abs(x) - world.road_half_width - 2) / 2, 0, 1)
    grey *= 1 - _shadows(world, camera, x, z)
    view.colour[first:] = grey[..., None] * (_rgb(world.light.sun) / 255)
    view.label[first:] = np.where(road, ROAD, SIDEWALK)
    view.depth[first:] = depth
    view.surface[first:] = SURFACE_GROUND


def _shadows(world: World, camera: Camera, x: Array, z: Array) -> Array:
    """Soft shadows under cars and a lane of shade beside tall walls, 0..1."""
    shade = np.zeros_like(x)
    frame = round(camera.z / world.speed)
    for thing in world.things:
        far = thing.z + thing.vz * frame - camera.z
        if thing.kind == "car" and NEAR_M < far < 40:
            rows = np.flatnonzero(np.abs(z[:, z.shape[1] // 2] - camera.z - far) < 3)
            if rows.size:
                part = slice(rows[0], rows[-1] + 1)
                place = thing.x + thing.vx * frame
                reach = ((x[part] - place) / 1.25) ** 2 + ((z[part] - camera.z - far - 0.5) / 1.6) ** 2
                np.maximum(shade[part], 0.55 * np.exp(-(reach**2)), out=shade[part])
    return shade


def _walls(world: World, camera: Camera, rays: Rays, view: View, grain: float) -> None:
    for index, (sign, side, bright) in enumerate(
        ((-1, world.left, world.light.left), (1, world.right, world.light.right))
    ):
        columns = _columns_towards(rays, sign)
        depth = (sign * side.wall_x - camera.x) / rays.x[0, columns]
        z = camera.z + depth * rays.z[0, columns]
        step = _step_of(z)
        top = side.wall_height[step] * (depth < WALLS_VIEW_M)
        up = camera.height - depth * rays.y[:, columns]
        hit = (up > 0) & (up < top) & (depth < view.depth[:, columns])
        rows = _rows_with(hit)
        colour = _wall_colour(world, side, step, z, up[rows], depth * grain)
        colour *= bright * (_rgb(world.light.sun) / 255)
        _paint(view, (rows, columns), hit[rows], colour, BUILDING, depth, SURFACE_WALLS + index)


def _wall_colour(world: World, side: Side, step: NDArray[np.int64], z: Array, up: Array, footprint: Array) -> Array:
    along = (z - START_M - side.wall_start[step])[None]
    sharp = np.clip(0.25 / (footprint * 4 + 0.02), 0, 1)[None]
    noise = _texture(world.noise, np.broadcast_to(z * 9, up.shape), up * 9)
    shade = 1 + 0.13 * noise * sharp
    # Storeys of 3 m, bays of 2.4 m; shop windows on the ground floor.
    floor, bay = np.mod(up, 3.0), np.mod(along, 2.4)
    ground_floor = up < 3.0
    window = np.where(ground_floor, (bay > 0.25) & (floor > 0.5) & (floor < 2.5), (bay > 0.7) & (floor > 0.9))
    window &= (floor < 2.4) & (bay < np.where(ground_floor, 2.2, 1.75))
    sill = ~ground_floor & (np.abs(floor - 0.82) < 0.09) & (bay > 0.6) & (bay < 1.85)
    cornice = (side.wall_height[step][None] - up < 0.35) | (np.abs(up - 3.0) < 0.12)
    edge = along < 0.12
    shade = np.where(sill | cornice, shade * 1.22, np.where(edge, shade * 0.8, shade))
    shade *= 0.84 + 0.022 * np.minimum(up, 8)
    colour = side.wall_colour[step][None] * shade[..., None]
    # Each pane has a brightness of its own: some reflect the sky, a few are lit.
    pane = _texture_nearest(world.noise, np.floor(along / 2.4) + 17 * side.wall_x, np.floor(up / 3.0) * 5)
    glass = np.array([62, 76, 92], np.float32) * (1 + 0.9 * pane)[..., None] + 34 * (floor / 3.0)[..., None]
    blend = (window * (0.35 + 0.65 * sharp))[..., None]
    return (1 - blend) * colour + blend * glass


def _fences(world: World, camera: Camera, rays: Rays, view: View, grain: float) -> None:
    for index, (sign, side) in enumerate(((-1, world.left), (1, world.right))):
        columns = _columns_towards(rays, sign)
        depth = (sign * side.fence_x - camera.x) / rays.x[0, columns]
        z = camera.z + depth * rays.z[0, columns]
        top = side.fence_height[_step_of(z)] * (depth < VIEW_M)
        up = camera.height - depth * rays.y[:, columns]
        inside = (up > 0) & (up < top) & (depth < view.depth[:, columns])
        # Bars that are thinner than a sample are seen as a whole.
        solid = depth * grain > 0.04
        bars = (np.mod(z, 0.24) < 0.11) | solid
        rails = (np.abs(up - 0.18) < 0.06) | (np.abs(up - top + 0.1) < 0.07)
        hit = inside & (bars[None] | rails)
        rows = _rows_with(hit)
        tone = 78 + 26 * rails[rows] + 12 * np.sin(z * 26)[None] * ~solid[None]
        colour = tone[..., None].astype(np.float32) * np.array([0.86, 0.95, 0.9], np.float32)
        _paint(view, (rows, columns), hit[rows], colour, FENCE, depth, SURFACE_FENCES + index)


def _things(world: World, camera: Camera, frame: int, rays: Rays, view: View) -> None:
    """All upright objects in view, the farthest first."""
    ordered = sorted(enumerate(world.things), key=lambda pair: -(pair[1].z + pair[1].vz * frame))
    for index, thing in ordered:
        far = thing.z + thing.vz * frame - camera.z
        if NEAR_M < far < VIEW_M:
            _thing(world, thing, SURFACE_THINGS + index, camera, frame, far, rays, view)


def _thing(
    world: World, thing: Thing, surface: int, camera: Camera, frame: int, far: float, rays: Rays, view: View
) -> None:
    depth_of_column = far / rays.z[0]
    x = camera.x + depth_of_column * rays.x[0]
    across_of_column = (x - (thing.x + thing.vx * frame)) / thing.width
    columns = np.flatnonzero(np.abs(across_of_column) < 0.5)
    if columns.size == 0:
        return
    nearest = float(depth_of_column[columns].min())
    foot, top = camera.height / nearest, (camera.height - thing.height) / nearest
    rows = np.flatnonzero((rays.y[:, 0] <= foot * 1.05 + 1e-3) & (rays.y[:, 0] >= top * (1.05 if top < 0 else 0.95)))
    if rows.size == 0:
        return
    across_columns, down_rows = slice(columns[0], columns[-1] + 1), slice(rows[0], rows[-1] + 1)
    depth = depth_of_column[across_columns]
    up = (camera.height - depth * rays.y[down_rows, :1]) / thing.height
    across, up = np.broadcast_arrays(across_of_column[across_columns], up)
    part = (down_rows, across_columns)
    free = (up > 0) & (up < 1) & (depth < view.depth[part])
    if not free.any():
        return
    texture = _texture(world.noise, across * (thing.width * 22) + 31 * surface, up * (thing.height * 22))
    mask, colour, ids = look(thing, across, up, texture)
    bright = world.light.left if thing.x < 0 else world.light.right
    colour *= (0.35 + 0.65 * bright) * (_rgb(world.light.sun) / 255)
    _paint(view, part, mask & free, colour, ids, depth, surface)


def _haze(world: World, view: View) -> None:
    """Distant things fade into the horizon's colour; the sky, infinitely far, keeps its own."""
    fade = 1 - cv2.exp(view.depth * np.float32(-1 / world.light.haze_m))
    fade[view.surface == SURFACE_SKY] = 0
    view.colour += fade[..., None] * (_rgb(world.light.horizon) - view.colour)


def _paint(
    view: View,
    part: tuple[slice, slice],
    hit: NDArray[np.bool_],
    colour: Array,
    train_ids: int | NDArray[np.uint8],
    depth: Array,
    surface: int,
) -> None:
    """Write a surface into the samples of `part` that it is hit in; `depth` goes by column."""
    np.copyto(view.colour[part], colour, where=hit[..., None])
    np.copyto(view.label[part], np.uint8(train_ids), where=hit)
    np.copyto(view.depth[part], depth, where=hit)
    np.copyto(view.surface[part], np.uint8(surface), where=hit)


def _rows_with(hit: NDArray[np.bool_]) -> slice:
    """The rows from the first to the last that has a hit."""
    rows = np.flatnonzero(hit.any(axis=1))
    return slice(rows[0], rows[-1] + 1) if rows.size else slice(0, 0)


def _columns_towards(rays: Rays, sign: int) -> slice:
    """Columns whose rays go to the left (-1) or right (1)."""
    turning = int(np.searchsorted(rays.x[0], 0.0))
    return slice(0, max(turning - 1, 0)) if sign < 0 else slice(turning + 1, None)


def _step_of(z: Array) -> NDArray[np.int64]:
    steps = round(LENGTH_M / STEP_M)
    return np.clip((z - START_M) / STEP_M, 0, steps - 1).astype(np.int64)


def _texture(noise: Array, x: Array, y: Array) -> Array:
    """Seamless noise at texture coordinates, bilinear."""
    # OpenCV wraps coordinates within +-32767; all of this world's stay below that.
    columns, rows = (
        np.ascontiguousarray(np.broadcast_to(c, np.broadcast_shapes(x.shape, y.shape)), np.float32) for c in (x, y)
    )
    return cv2.remap(noise, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def _texture_nearest(noise: Array, x: Array, y: Array) -> Array:
    """Noise of whole cells."""
    size = noise.shape[0]
    found: Array = noise[np.mod(y, size).astype(np.int64), np.mod(x, size).astype(np.int64)]
    return found
