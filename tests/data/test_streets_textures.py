"""Painting, textures and shadows in small."""

import numpy as np
import pytest

from borderlab.data.streets.atlas import build_atlas
from borderlab.data.streets.canvas import Canvas
from borderlab.data.streets.light import MOODS, Light
from borderlab.data.streets.noise import fractal_noise, smoothstep, value_noise
from borderlab.data.streets.shadows import CAST, Caster, build_shadows, map_index


def test_noise_is_smooth_tileable_and_in_range() -> None:
    noise = value_noise((64, 64), (8, 8), np.random.default_rng(0))
    assert 0 <= noise.min() < 0.2
    assert 0.8 < noise.max() <= 1
    inside = np.abs(np.diff(noise, axis=0)).max()
    seam = np.abs(noise[0] - noise[-1]).max()
    assert seam <= inside < 0.25


def test_fractal_noise_has_mean_one_half() -> None:
    noise = fractal_noise((128, 128), (8, 8), np.random.default_rng(0))
    assert noise.mean() == pytest.approx(0.5, abs=0.06)
    assert noise.shape == (128, 128)


def test_smoothstep_at_its_ends_and_middle() -> None:
    np.testing.assert_allclose(smoothstep(2, 4, np.array([1, 2, 3, 4, 9], np.float32)), [0, 0, 0.5, 1, 1])


def test_canvas_rows_grow_upwards() -> None:
    canvas = Canvas(2.0, 1.0, 10.0)
    canvas.rect((0.0, 1.0), (0.0, 0.5), (255, 0, 0))
    assert canvas.shape == (10, 20)
    assert canvas.cover[:5, :10].all()
    assert canvas.cover.sum() == 50
    assert np.array_equal(canvas.turned().cover, canvas.cover.T)


def test_a_pyramid_halves_and_keeps_the_mean() -> None:
    canvas = Canvas(0.8, 0.4, 10.0, (0, 0, 0))
    canvas.rgb[:2] = 200
    atlas = build_atlas({"other": Canvas(0.2, 0.2, 10.0, (9, 9, 9)), "half": canvas}, first=100)
    page = atlas.pages["half"]
    assert list(zip(page.rows, page.columns, strict=True)) == [(4, 8), (2, 4), (1, 2)]
    assert page.first[0] == 100 + 4 + 1
    starts = page.first - 100
    assert set(atlas.red[starts[1] : starts[1] + 4]) == {200}
    assert set(atlas.red[starts[2] : starts[2] + 2]) == {100}


def test_a_coarse_texel_is_opaque_from_half_cover_on_and_keeps_its_colour() -> None:
    canvas = Canvas(0.4, 0.2, 10.0)
    canvas.rect((0.0, 0.1), (0.0, 0.2), (80, 80, 80))
    canvas.rect((0.2, 0.3), (0.0, 0.1), (80, 80, 80))
    atlas = build_atlas({"leaf": canvas})
    first = atlas.pages["leaf"].first[1]
    assert list(atlas.opaque[first : first + 2]) == [True, False]
    assert atlas.red[first] == 80


def test_added_pages_follow_the_old_ones() -> None:
    atlas = build_atlas({"a": Canvas(0.4, 0.4, 10.0, (1, 2, 3))})
    more = atlas.with_pages({"b": Canvas(0.4, 0.4, 10.0, (7, 8, 9))})
    address = more.pages["b"].first[0]
    assert (more.red[address], more.green[address], more.blue[address]) == (7, 8, 9)
    assert (more.red[0], more.pages["a"]) == (1, atlas.pages["a"])


def sun_from_the_right() -> Light:
    """Sun at 45 degrees of elevation, straight to the right: shadows are as long as things are high."""
    return Light(MOODS[0], np.array([2**-0.5, 2**-0.5, 0.0]), 1.0)


def test_a_shadow_falls_away_from_the_sun() -> None:
    shadows = build_shadows(30.0, [Caster((4.0, 6.0), (10.0, 14.0), 5.0)], [], sun_from_the_right())
    x = np.array([3.0, 0.0, -3.0, 7.0, 0.0])
    z = np.array([12.0, 12.0, 12.0, 12.0, 16.0])
    level = shadows.at(0.0).ravel()[map_index(shadows.still, x, z)]
    assert list(level) == [CAST, CAST, 255, 255, 255]


def test_the_shadow_of_a_moving_thing_moves_with_it() -> None:
    walker = Caster((0.0, 0.5), (5.0, 5.5), 1.0, velocity=(0.0, 2.0))
    shadows = build_shadows(30.0, [], [walker], sun_from_the_right())
    x, z = np.array([-0.4, -0.4]), np.array([5.25, 11.25])
    levels = [shadows.at(time).ravel()[map_index(shadows.still, x, z)] for time in (0.0, 3.0)]
    assert (levels[0][0] < 150, levels[0][1]) == (True, 255)
    assert (levels[1][0], levels[1][1] < 150) == (255, True)


@pytest.mark.parametrize("z", [-40.0, -12.1, 29.8, 100.0])
def test_shadows_beyond_the_map_are_dropped(z: float) -> None:
    walker = Caster((-30.0, 30.0), (z, z + 0.5), 1.0, velocity=(0.0, 1.0))
    shadows = build_shadows(30.0, [Caster((17.0, 40.0), (z, z + 3), 4.0)], [walker], sun_from_the_right())
    assert shadows.at(0.0).shape == shadows.still.shape
    assert shadows.at(500.0).min() >= CAST
