"""The camera: where it is at each frame, and how it sees.

Convention: the world is left-handed with X right, Y up, Z along the street, in metres. Pixel centres lie at whole
numbers, x right and y down. The focal length is the geometric mean of height and width: about 53 degrees across at 4:3.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FRAME_INTERVAL_S = 1 / 15


@dataclass(frozen=True)
class Camera:
    """One view: position (3,) and the matrix (3, 3) from world directions to pixels times depth."""

    position: NDArray[np.float64]
    matrix: NDArray[np.float64]
    focal_px: float


@dataclass(frozen=True)
class Drive:
    """The path of the camera through a clip: steady speed, a slow pan, and the sway of a car."""

    speed_m_s: float
    lane_x_m: float
    height_m: float
    yaw_rad: float
    pan_rad: float
    sway_rad: float
    phase: float

    def camera(self, time_s: float, size: tuple[int, int]) -> Camera:
        """The view at `time_s` for frames of `size` (height, width)."""
        yaw = self.yaw_rad + self.pan_rad * _wave(0.14 * time_s + 5 * self.phase)
        yaw += self.sway_rad * _wave(0.31 * time_s + self.phase)
        pitch = -0.015 + 0.25 * self.sway_rad * _wave(0.83 * time_s + 2 * self.phase)
        roll = 0.2 * self.sway_rad * _wave(0.47 * time_s + 3 * self.phase)
        position = np.array(
            [
                self.lane_x_m + 0.25 * _wave(0.17 * time_s + self.phase),
                self.height_m + 0.015 * _wave(1.1 * time_s + self.phase),
                self.speed_m_s * time_s,
            ]
        )
        focal = math.sqrt(size[0] * size[1])
        return Camera(position, _matrix(yaw, pitch, roll, focal, size), focal)


def _wave(turns: float) -> float:
    return math.sin(2 * math.pi * turns)


def _matrix(yaw: float, pitch: float, roll: float, focal: float, size: tuple[int, int]) -> NDArray[np.float64]:
    """Intrinsics times rotation: rows give x * depth, y * depth and depth of a world direction."""
    forward = np.array([math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)])
    level = np.array([math.cos(yaw), 0.0, -math.sin(yaw)])
    down = np.array([math.sin(yaw) * math.sin(pitch), -math.cos(pitch), math.cos(yaw) * math.sin(pitch)])
    right = math.cos(roll) * level + math.sin(roll) * down
    below = math.cos(roll) * down - math.sin(roll) * level
    centre_y, centre_x = (size[0] - 1) / 2, (size[1] - 1) / 2
    return np.stack([focal * right + centre_x * forward, focal * below + centre_y * forward, forward])
