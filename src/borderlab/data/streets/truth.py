"""Exact flow and occlusion between two frames of a clip.

A pixel centre shows a point (u, v) of a quad. The homography to the other view of that quad, at the other time, gives
where the point is then, without interpolation; nothing is estimated.
"""

import numpy as np
from numpy.typing import NDArray

from borderlab.data.streets.quads import Pose, matmul3
from borderlab.data.streets.raster import CENTRES, Visibility

_SAME_DEPTH = np.float32(0.01)
_MIN_DEPTH_RATIO = np.float32(0.02)


def true_motion(
    seen: Visibility, pose: Pose, other_seen: Visibility, other_pose: Pose
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Flow (2, h, w) in pixels, u right and v down, from `seen` to `other_seen`, and occlusion (h, w).

    A pixel is occluded if its point leaves the frame: further than half a pixel outside the outermost pixel centres, or
    behind the camera. It is occluded, too, if the pixel nearest to where it went shows another surface: another quad,
    at a depth that differs from the moved point's by more than 1 % (joints between the quads of one thing do not).
    So the mask says what a pixel of the other frame can show: it includes points beside a silhouette that nothing
    hides but that lie nearest to a pixel across it.
    Where a point passes behind the camera its flow is that at a fiftieth of its depth.
    """
    quad = seen.quad[CENTRES].astype(np.intp)
    height, width = quad.shape
    moves = matmul3(other_pose.to_screen, pose.to_quad).astype(np.float32)
    ys, xs = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None, :]
    across, down, ratio = (
        moves[:, row, 0].take(quad) * xs + moves[:, row, 1].take(quad) * ys + moves[:, row, 2].take(quad)
        for row in range(3)
    )
    behind = ratio < _MIN_DEPTH_RATIO
    ratio = np.maximum(ratio, _MIN_DEPTH_RATIO)
    x, y = across / ratio, down / ratio
    flow = np.stack([x - xs, y - ys])
    nearest_x = np.floor(x + np.float32(0.5))
    nearest_y = np.floor(y + np.float32(0.5))
    outside = behind | (nearest_x < 0) | (nearest_x >= width) | (nearest_y < 0) | (nearest_y >= height)
    place = (np.clip(nearest_y, 0, height - 1) * width + np.clip(nearest_x, 0, width - 1)).astype(np.intp)
    inverse_depth = seen.inverse_depth[CENTRES] / ratio
    there = np.ascontiguousarray(other_seen.inverse_depth[CENTRES]).take(place)
    other_quad = np.ascontiguousarray(other_seen.quad[CENTRES]).take(place)
    elsewhere = np.abs(there - inverse_depth) > inverse_depth * _SAME_DEPTH
    return flow, outside | ((other_quad != quad) & elsewhere)
