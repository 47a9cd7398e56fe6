"""A rendered clip: frames as a camera would store them, and the exact truth about them."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import SeedSequence, default_rng
from numpy.typing import NDArray

from borderlab.data.streets.render import (
    FOCAL_PER_WIDTH,
    HORIZON,
    SURFACE_SKY,
    SURFACE_THINGS,
    Camera,
    View,
    camera_at,
    cast_rays,
    render,
)
from borderlab.data.streets.world import World, draw_world

# Two samples a pixel along each axis; every second one is a pixel's centre, where labels and motion are taken.
PER_PIXEL = 2
_TENT = np.array([0.25, 0.5, 0.25], np.float32)
_DEPTH_TOLERANCE = 0.1
_NEAREST_M = 0.1


@dataclass(frozen=True)
class RenderedFrame:
    """One frame with its truth; flows and occlusion to the next (`fwd`) and the previous (`bwd`) frame.

    The last frame has no next, the first no previous: None.
    """

    image: NDArray[np.uint8]
    label: NDArray[np.uint8]
    flow_fwd: NDArray[np.float32] | None
    flow_bwd: NDArray[np.float32] | None
    occluded_fwd: NDArray[np.bool_] | None
    occluded_bwd: NDArray[np.bool_] | None


def render_clip(
    seed: tuple[int, ...], n_frames: int, height: int, width: int, noise_sigma: float
) -> Iterator[RenderedFrame]:
    """Frames of one clip, oldest first; the same seed gives the same bits.

    Args:
        seed: decides everything.
        n_frames: number of frames, 1/15 s apart.
        height: height of a frame, in pixels.
        width: width of a frame, in pixels.
        noise_sigma: standard deviation of the sensor's noise, in grey levels.
    """
    random = default_rng(SeedSequence(seed))
    world = draw_world(random)
    exposure = random.uniform(0.92, 1.1)
    views = [render(world, frame, height, width, PER_PIXEL) for frame in range(n_frames)]
    truths = [_at_centres(view) for view in views]
    for frame, view in enumerate(views):
        image = _expose(view, exposure, noise_sigma, random)
        fwd = _motion(world, truths, frame, frame + 1) if frame + 1 < n_frames else (None, None)
        bwd = _motion(world, truths, frame, frame - 1) if frame > 0 else (None, None)
        yield RenderedFrame(image, truths[frame].label, fwd[0], bwd[0], fwd[1], bwd[1])


def _at_centres(view: View) -> View:
    """The samples at pixel centres."""
    step = slice(None, None, PER_PIXEL)
    return View(
        np.ascontiguousarray(view.colour[step, step]),
        np.ascontiguousarray(view.label[step, step]),
        np.ascontiguousarray(view.depth[step, step]),
        np.ascontiguousarray(view.surface[step, step]),
    )


def _expose(view: View, exposure: float, noise_sigma: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """What a sensor stores: light gathered around each pixel's centre, darker corners, noise, 8 bits."""
    gathered = cv2.sepFilter2D(view.colour, -1, _TENT, _TENT)[::PER_PIXEL, ::PER_PIXEL]
    height, width = gathered.shape[:2]
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)
    gathered = gathered * (exposure * (1 - 0.07 * (rows**2 + columns**2)))[..., None]
    gathered += random.standard_normal(gathered.shape, dtype=np.float32) * np.float32(noise_sigma)
    return np.clip(gathered, 0, 255).astype(np.uint8)


def _motion(world: World, truths: list[View], frame: int, other: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Flow (2 h w) from `frame` to `other`, and which pixels are not seen there.

    A pixel is occluded if its point leaves the image, or if the pixel nearest to where it went shows another surface
    or another depth of the same surface.
    """
    here, there = truths[frame], truths[other]
    height, width = here.label.shape
    columns, rows, depth = _project(world, here, frame, other)
    grid_rows, grid_columns = np.mgrid[:height, :width].astype(np.float32)
    flow = np.stack([columns - grid_columns, rows - grid_rows]).astype(np.float32)
    nearest_column, nearest_row = np.rint(columns), np.rint(rows)
    seen = (nearest_column >= 0) & (nearest_column < width) & (nearest_row >= 0) & (nearest_row < height)
    seen &= depth > _NEAREST_M
    index = (
        np.clip(nearest_row, 0, height - 1).astype(np.int64),
        np.clip(nearest_column, 0, width - 1).astype(np.int64),
    )
    same = there.surface[index] == here.surface
    with np.errstate(invalid="ignore"):
        close = np.abs(there.depth[index] - depth) < _DEPTH_TOLERANCE * depth + 0.3
    return flow, ~(seen & same & (close | (here.surface == SURFACE_SKY)))


def _project(
    world: World, here: View, frame: int, other: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Column, row and depth at which each pixel's point is met in frame `other`."""
    height, width = here.label.shape
    camera, next_camera = camera_at(world, frame), camera_at(world, other)
    rays = cast_rays(camera, height, width, 1)
    sky = here.surface == SURFACE_SKY
    depth = np.where(sky, 1.0, here.depth).astype(np.float64)
    moved_x, moved_z = _own_motion(world, here, frame, other)
    # The sky is infinitely far away: only the camera's turn moves it.
    away = np.where(sky, 0.0, 1.0)
    x = depth * rays.x + away * (camera.x - next_camera.x) + moved_x
    y = depth * rays.y
    z = depth * rays.z + away * (camera.z - next_camera.z) + moved_z
    return _to_pixels(next_camera, x, y, z, height, width)


def _own_motion(world: World, here: View, frame: int, other: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres that each pixel's object moves between the two frames."""
    still = [(0.0, 0.0)] * SURFACE_THINGS
    table = np.array(still + [(thing.vx, thing.vz) for thing in world.things]) * (other - frame)
    return table[here.surface, 0], table[here.surface, 1]


def _to_pixels(
    camera: Camera, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64], height: int, width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    cosine, sine = np.cos(camera.yaw), np.sin(camera.yaw)
    depth = x * sine + z * cosine
    # Points beside or behind the camera are out of frame; a small depth sends them far outside.
    safe = np.maximum(depth, _NEAREST_M)
    focal = FOCAL_PER_WIDTH * width
    columns = focal * (x * cosine - z * sine) / safe + (width - 1) / 2
    rows = focal * y / safe + HORIZON * (height - 1)
    return columns, rows, depth
