"""One clip, from options to arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from borderlab.data.streets.camera import FRAME_INTERVAL_S, Camera
from borderlab.data.streets.options import SPLITS, Split, StreetsOptions
from borderlab.data.streets.quads import Pose, pose
from borderlab.data.streets.raster import CENTRES, Visibility, rasterise, texture_table
from borderlab.data.streets.shading import add_noise, shade, surface_tints
from borderlab.data.streets.truth import true_motion
from borderlab.data.streets.world import World, build_world
from borderlab.errors import DataError


@dataclass(frozen=True)
class RenderedClip:
    """All there is to know of a clip of t frames.

    Attributes:
        frames: (t, h, w, 3) RGB.
        labels: (t, h, w) train ids, 255 for void.
        flow_fwd: (t - 1, 2, h, w) from frame i to i + 1, in pixels, u right and v down.
        flow_bwd: (t - 1, 2, h, w) from frame i + 1 to i.
        occlusion_fwd: (t - 1, h, w), True where the point of frame i is not visible in i + 1.
        occlusion_bwd: (t - 1, h, w), True where the point of frame i + 1 is not visible in i.
    """

    frames: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    flow_fwd: NDArray[np.float32]
    flow_bwd: NDArray[np.float32]
    occlusion_fwd: NDArray[np.bool_]
    occlusion_bwd: NDArray[np.bool_]


def render_clip(options: StreetsOptions, split: Split, index: int) -> RenderedClip:
    """Render clip `index` of `split`: a pure function of its arguments.

    Raises:
        DataError: if the split has no clip of that index.
    """
    if not 0 <= index < options.clip_count(split):
        raise DataError(f"streets: no clip {index} in {split}; it has 0..{options.clip_count(split) - 1}")
    seeds = np.random.SeedSequence([options.seed, SPLITS.index(split), index]).spawn(2)
    world = build_world(np.random.default_rng(seeds[0]), options.frames_per_clip)
    noise = np.random.default_rng(seeds[1])
    return _film(world, noise, options)


def _film(world: World, noise: np.random.Generator, options: StreetsOptions) -> RenderedClip:
    """Drive through a world and film it; flow needs no more than two neighbouring views at a time."""
    size = (options.height, options.width)
    tints = surface_tints(world.table, world.light)
    textures = texture_table(world.table, world.atlas)
    frames, labels, forward, backward = [], [], [], []
    before: tuple[Visibility, Pose] | None = None
    for number in range(options.frames_per_clip):
        time_s = number * FRAME_INTERVAL_S
        camera: Camera = world.drive.camera(time_s, size)
        view = pose(world.table, camera, time_s)
        seen = rasterise(textures, view, size)
        colour = shade(seen, world.table, view, tints, world.atlas, world.light, camera, world.shadows, time_s)
        frames.append(add_noise(colour, options.noise_std, noise))
        labels.append(world.table.label.take(seen.quad[CENTRES]))
        if before is not None:
            forward.append(true_motion(*before, seen, view))
            backward.append(true_motion(seen, view, *before))
        before = (seen, view)
    return RenderedClip(
        np.stack(frames),
        np.stack(labels),
        np.stack([flow for flow, _ in forward]),
        np.stack([flow for flow, _ in backward]),
        np.stack([hidden for _, hidden in forward]),
        np.stack([hidden for _, hidden in backward]),
    )
