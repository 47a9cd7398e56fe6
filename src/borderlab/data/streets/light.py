"""Time of day: sun, sky and air of a clip."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from borderlab.data.streets.canvas import Canvas, Colour, scaled
from borderlab.data.streets.noise import fractal_noise, smoothstep
from borderlab.data.streets.quads import Quad
from borderlab.data.streets.taxonomy import StreetClass

_SKY_DISTANCE_M = 1000.0


@dataclass(frozen=True)
class Mood:
    """A kind of light. Colours are sRGB 0..255; strengths are factors of linear light."""

    name: str
    zenith: Colour
    horizon: Colour
    sun: Colour
    sun_strength: float
    sky_strength: float
    elevation_deg: tuple[float, float]
    cloud_cover: tuple[float, float]
    cloud: Colour
    haze_m: float
    shadow_floor: float


MOODS = (
    Mood("noon", (88, 140, 208), (196, 216, 232), (255, 246, 228), 1.15, 0.75, (48, 62), (0.25, 0.5), (250, 250, 250),
         130.0, 0.42),
    Mood("morning", (120, 158, 204), (240, 222, 196), (255, 226, 178), 1.25, 0.62, (30, 42), (0.2, 0.5),
         (255, 244, 228), 95.0, 0.38),
    Mood("overcast", (172, 180, 190), (214, 218, 222), (240, 240, 244), 0.35, 1.2, (55, 70), (0.75, 0.95),
         (196, 200, 206), 80.0, 0.8),
    Mood("afternoon", (96, 132, 190), (236, 206, 168), (255, 208, 148), 1.3, 0.55, (24, 34), (0.3, 0.6),
         (255, 232, 200), 105.0, 0.36),
    Mood("bright haze", (168, 192, 216), (232, 236, 236), (255, 250, 240), 0.8, 0.95, (42, 58), (0.4, 0.7),
         (244, 246, 248), 62.0, 0.6),
    Mood("dusk", (74, 88, 140), (222, 160, 138), (255, 178, 140), 0.55, 0.55, (20, 28), (0.35, 0.65),
         (214, 158, 160), 85.0, 0.55),
)  # fmt: skip


@dataclass(frozen=True)
class Light:
    """The light of one clip.

    Attributes:
        mood: kind of light.
        to_sun: unit vector (3,) towards the sun.
        exposure: factor of the camera.
    """

    mood: Mood
    to_sun: NDArray[np.float64]
    exposure: float

    def on_surfaces(self, normals: NDArray[np.float64], by_normal: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Linear light (n, 3) on surfaces with unit normals (n, 3); others than `by_normal` get an even share."""
        toward = normals[:, 0] * self.to_sun[0] + normals[:, 1] * self.to_sun[1] + normals[:, 2] * self.to_sun[2]
        direct = np.where(by_normal, np.maximum(toward, 0), 0.55) * self.mood.sun_strength
        open_sky = np.where(by_normal, 0.72 + 0.28 * normals[:, 1], 0.8) * self.mood.sky_strength
        sun, sky = linear(self.mood.sun), 0.5 + 0.5 * linear(self.mood.zenith) / linear(self.mood.zenith).max()
        light = direct[:, None] * sun + open_sky[:, None] * sky
        return (self.exposure * light).astype(np.float32)

    @property
    def haze(self) -> NDArray[np.float32]:
        """Linear colour (3,) of the air far away."""
        return (self.exposure * 1.02 * linear(self.mood.horizon)).astype(np.float32)


def draw_light(rng: np.random.Generator) -> Light:
    """A random time of day with the sun beside or behind the camera more often than ahead."""
    mood = MOODS[int(rng.integers(len(MOODS)))]
    elevation = math.radians(float(rng.uniform(*mood.elevation_deg)))
    azimuth = math.radians(float(rng.choice([-1, 1]) * rng.uniform(35, 155)))
    level = math.cos(elevation)
    to_sun = np.array([level * math.sin(azimuth), math.sin(elevation), level * math.cos(azimuth)])
    return Light(mood, to_sun, float(rng.uniform(1.05, 1.3)))


def linear(colour: Colour) -> NDArray[np.float64]:
    """Linear light (3,) of an sRGB colour, with a gamma of exactly 2: squares and roots have the same bits anywhere."""
    return (np.asarray(colour, np.float64) / 255) ** 2


def paint_sky(light: Light, rng: np.random.Generator) -> Canvas:
    """A dome section: gradient from horizon to zenith with lit clouds; 2 by 1 thousand metres at 1000 m."""
    canvas = Canvas(2.0, 0.8, 160.0, light.mood.horizon)
    height = (canvas.y / np.float32(0.8)) + np.zeros(canvas.shape, np.float32)
    rise = np.clip((height - np.float32(0.03)) / np.float32(0.6), 0, 1)
    canvas.mix(rise * (2 - rise), light.mood.zenith)
    coarse = fractal_noise(canvas.shape, (7, 4), rng, octaves=5)
    cover = float(rng.uniform(*light.mood.cloud_cover))
    cloud = smoothstep(0.68 - 0.4 * cover, 0.86 - 0.25 * cover, coarse)
    thin = np.clip(height * 6 - np.float32(0.35), 0, 1)
    shade = np.clip((np.roll(coarse, -4, axis=0) - coarse) * 6 + np.float32(0.4), 0, 1)
    canvas.mix(cloud * thin * np.float32(0.85), light.mood.cloud)
    canvas.mix(cloud * thin * shade * np.float32(0.3), scaled(light.mood.cloud, 0.62))
    return canvas


def sky_quad() -> Quad:
    """The sky: a screen that stays ahead of the camera, so that only rotation moves it."""
    far = _SKY_DISTANCE_M
    return Quad(
        "sky", StreetClass.SKY, (-2 * far, -0.04 * far, far), (4 * far, 0, 0), (0, 1.54 * far, 0), with_camera=True
    )
