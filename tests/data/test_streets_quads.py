"""Geometry of single quads against a pinhole camera written out by hand."""

import math

import numpy as np
import pytest

from borderlab.data.streets.atlas import build_atlas
from borderlab.data.streets.camera import Camera, Drive
from borderlab.data.streets.canvas import Canvas
from borderlab.data.streets.quads import Pose, Quad, QuadTable, matmul3, pose, tabulate
from borderlab.data.streets.raster import CENTRES, Visibility, rasterise, texture_table
from borderlab.data.streets.taxonomy import StreetClass
from borderlab.data.streets.truth import true_motion

SIZE = (24, 32)
FOCAL = math.sqrt(24 * 32)
CENTRE_X, CENTRE_Y = 15.5, 11.5
# Looks along Z, upright: x = f X / Z + cx, y = -f Y / Z + cy.
MATRIX = np.array([[FOCAL, 0, CENTRE_X], [0, -FOCAL, CENTRE_Y], [0, 0, 1.0]])


def camera(z: float = 0.0) -> Camera:
    return Camera(np.array([0, 0, z]), MATRIX, FOCAL)


def board(x: float, y: float, z: float, size: float, **rest: object) -> Quad:
    """An upright square that faces the camera."""
    lower_left = (x - size / 2, y - size / 2, z)
    return Quad("plain", StreetClass.CAR, lower_left, (size, 0, 0), (0, size, 0), **rest)  # type: ignore[arg-type]


def see(quads: list[Quad], time_s: float = 0.0, z: float = 0.0) -> tuple[Visibility, Pose, QuadTable]:
    backdrop = Quad("plain", StreetClass.SKY, (-900, -900, 300), (1800, 0, 0), (0, 1800, 0))
    table = tabulate([backdrop, *quads])
    view = pose(table, camera(z), time_s)
    atlas = build_atlas({"plain": Canvas(1, 1, 8.0, (200, 100, 50))})
    return rasterise(texture_table(table, atlas), view, SIZE), view, table


def test_a_board_covers_the_pixels_whose_rays_meet_it() -> None:
    seen, _, _ = see([board(0.3, -0.2, 5.0, 1.0)])
    expected = np.zeros(SIZE, bool)
    for row in range(SIZE[0]):
        for column in range(SIZE[1]):
            x, y = (column - CENTRE_X) / FOCAL * 5, (CENTRE_Y - row) / FOCAL * 5
            expected[row, column] = abs(x - 0.3) <= 0.5 and abs(y + 0.2) <= 0.5
    assert np.array_equal(seen.quad[CENTRES] == 1, expected)
    np.testing.assert_allclose(seen.inverse_depth[CENTRES][expected], 1 / 5, rtol=1e-6)


def test_the_nearest_board_is_seen_in_any_order() -> None:
    near, far = board(0, 0, 4, 1), board(0.2, 0, 8, 3)
    first, _, _ = see([near, far])
    second, _, _ = see([far, near])
    assert np.array_equal(first.quad == 1, second.quad == 2)
    assert first.quad[CENTRES][12, 16] == 1


def test_flow_of_a_moving_board_seen_from_a_moving_camera() -> None:
    quad = board(0.5, 0.0, 6.0, 2.0, velocity=(1.0, 0.5, -2.0))
    seen, view, _ = see([quad], 0.0, z=0.0)
    later, later_view, _ = see([quad], 0.1, z=0.4)
    flow, _ = true_motion(seen, view, later, later_view)
    for row, column in ((12, 18), (8, 14), (14, 22)):
        assert seen.quad[CENTRES][row, column] == 1
        x, y = (column - CENTRE_X) / FOCAL * 6, (CENTRE_Y - row) / FOCAL * 6
        depth = 6 - 0.2 - 0.4
        expected = (FOCAL * (x + 0.1) / depth + CENTRE_X - column, -FOCAL * (y + 0.05) / depth + CENTRE_Y - row)
        np.testing.assert_allclose(flow[:, row, column], expected, rtol=1e-4, atol=1e-4)


def test_a_board_that_passes_in_front_occludes() -> None:
    quad = board(-1.0, 0.0, 5.0, 1.0, velocity=(10.0, 0, 0))
    seen, view, _ = see([quad], 0.0)
    later, later_view, _ = see([quad], 0.1)
    flow, occlusion = true_motion(seen, view, later, later_view)
    hidden = (seen.quad[CENTRES] == 0) & (later.quad[CENTRES] == 1)
    assert hidden.any()
    np.testing.assert_allclose(flow[:, hidden], 0, atol=1e-4)
    # Pixel by pixel: the backdrop stands still, so what is hidden is what the board covers later.
    assert np.array_equal(occlusion & (seen.quad[CENTRES] == 0), hidden)
    uncovered = (seen.quad[CENTRES] == 1) & (later.quad[CENTRES] == 0)
    assert not occlusion[uncovered].all()


def test_a_quad_through_the_camera_plane_is_cut_and_not_mirrored() -> None:
    floor = Quad("plain", StreetClass.ROAD, (-50, -1.5, -10), (100, 0, 0), (0, 0, 60))
    seen, _, _ = see([floor])
    on_floor = seen.quad[CENTRES] == 1
    assert not on_floor[:12].any()
    assert on_floor[14:].all()
    rows = np.arange(14, 24)
    np.testing.assert_allclose(seen.inverse_depth[CENTRES][14:, 5], (rows - CENTRE_Y) / FOCAL / 1.5, rtol=1e-5)


def test_nothing_is_drawn_before_the_near_plane() -> None:
    wall = Quad("plain", StreetClass.FENCE, (-0.1, -9, -10), (0, 0, 60), (0, 18, 0))
    floor = Quad("plain", StreetClass.ROAD, (-50, -0.1, -10), (100, 0, 0), (0, 0, 60))
    beside = 0.1 * FOCAL / (CENTRE_X - np.arange(16))
    below = 0.1 * FOCAL / (np.arange(12, 24) - CENTRE_Y)
    assert np.array_equal((see([wall])[0].quad[CENTRES] == 1)[7, :16], beside > 0.4)
    assert np.array_equal((see([floor])[0].quad[CENTRES] == 1)[12:, 7], below > 0.4)
    assert not (beside > 0.4).all()
    assert not (below > 0.4).all()


def test_what_passes_behind_the_camera_is_occluded_and_its_flow_finite() -> None:
    floor = Quad("plain", StreetClass.ROAD, (-50, -0.5, -10), (100, 0, 0), (0, 0, 60))
    seen, view, _ = see([floor], z=0.0)
    later, later_view, _ = see([floor], z=3.26)
    flow, occlusion = true_motion(seen, view, later, later_view)
    passed = (seen.quad[CENTRES] == 1) & (seen.inverse_depth[CENTRES] > 1 / 3.26)
    assert passed.sum() > 100
    assert occlusion[passed].all()
    assert np.isfinite(flow).all()


def test_a_slanted_surface_does_not_occlude_itself() -> None:
    floor = Quad("plain", StreetClass.ROAD, (-50, -0.5, -10), (100, 0, 0), (0, 0, 60))
    seen, view, _ = see([floor], z=0.0)
    later, later_view, _ = see([floor], z=0.2)
    flow, occlusion = true_motion(seen, view, later, later_view)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    x, y = columns + flow[0], rows + flow[1]
    inside = (x > 0) & (x < SIZE[1] - 1) & (y < SIZE[0] - 1) & (seen.quad[CENTRES] == 1)
    assert inside.sum() > 100
    assert not occlusion[inside].any()


def test_thin_quads_are_never_narrower_than_a_pixel() -> None:
    pole = Quad("plain", StreetClass.POLE, (0.0, -1.0, 40.0), (0.05, 0, 0), (0, 2.0, 0))
    thin = Quad("plain", StreetClass.POLE, (0.0, -1.0, 40.0), (0.05, 0, 0), (0, 2.0, 0), thin=True)
    for z in np.arange(0, 8, 0.37):
        seen, _, _ = see([thin], z=float(z))
        assert set((seen.quad[CENTRES] == 1).sum(axis=1)) <= {0, 1, 2}
        assert (seen.quad[CENTRES] == 1)[12].any()
    assert not all((see([pole], z=float(z))[0].quad[CENTRES] == 1).any() for z in np.arange(0, 8, 0.37))


def test_the_product_of_matrices() -> None:
    rng = np.random.default_rng(3)
    left, right = rng.random((5, 3, 3)), rng.random((5, 3, 3))
    np.testing.assert_allclose(matmul3(left, right), left @ right, rtol=1e-12)


def test_to_quad_undoes_to_screen() -> None:
    _, view, _ = see([board(0.3, 0.1, 7, 2), board(-1, 1, 3, 0.5)])
    identity = np.broadcast_to(np.eye(3), view.to_screen.shape)
    np.testing.assert_allclose(view.to_screen @ view.to_quad, identity, atol=1e-9)


@pytest.mark.parametrize("time_s", [0.0, 0.7, 3.1])
def test_the_camera_is_rigid(time_s: float) -> None:
    drive = Drive(8.0, -1.6, 1.5, 0.05, 0.1, 0.03, 0.4)
    view = drive.camera(time_s, SIZE)
    intrinsics = np.array([[FOCAL, 0, CENTRE_X], [0, FOCAL, CENTRE_Y], [0, 0, 1.0]])
    rotation = np.linalg.solve(intrinsics, view.matrix)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    # The image's y runs down and the world's Y up, so rotation and flip together keep no handedness to check but this:
    assert np.linalg.det(rotation) == pytest.approx(-1)
    assert view.position[2] == pytest.approx(8.0 * time_s)
