"""The rendered clips: exact truth must agree with what is seen."""

import dataclasses

import numpy as np
import pytest

from borderlab.data.streets.options import StreetsOptions
from borderlab.data.streets.render import RenderedClip, render_clip
from borderlab.data.streets.taxonomy import CLASS_NAMES, StreetClass
from borderlab.errors import DataError

NO_NOISE = StreetsOptions(noise_std=0, frames_per_clip=4)


@pytest.fixture(scope="module")
def clips() -> list[RenderedClip]:
    return [render_clip(NO_NOISE, "train", index) for index in range(4)]


def nearest_pixels(flow: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column in the other frame of every visible pixel, by the convention of the contract: u right, v down."""
    rows, columns = np.nonzero(visible)
    return (
        np.rint(rows + flow[1][visible]).astype(int),
        np.rint(columns + flow[0][visible]).astype(int),
    )


def pairs(clip: RenderedClip) -> list[tuple[int, int, np.ndarray, np.ndarray]]:
    """(from, to, flow, occlusion) of all neighbours, both ways."""
    forward = [(i, i + 1, clip.flow_fwd[i], clip.occlusion_fwd[i]) for i in range(len(clip.flow_fwd))]
    backward = [(i + 1, i, clip.flow_bwd[i], clip.occlusion_bwd[i]) for i in range(len(clip.flow_bwd))]
    return forward + backward


def test_shapes_and_types(clips: list[RenderedClip]) -> None:
    clip = clips[0]
    assert clip.frames.shape == (4, 120, 160, 3)
    assert clip.labels.shape == (4, 120, 160)
    assert clip.flow_fwd.shape == clip.flow_bwd.shape == (3, 2, 120, 160)
    assert clip.occlusion_fwd.shape == clip.occlusion_bwd.shape == (3, 120, 160)
    types = [getattr(clip, field.name).dtype for field in dataclasses.fields(clip)]
    assert types == [np.uint8, np.uint8, np.float32, np.float32, np.bool_, np.bool_]
    assert all(np.isfinite(flow).all() for flow in (clip.flow_fwd, clip.flow_bwd))


def test_labels_agree_along_the_flow(clips: list[RenderedClip]) -> None:
    for clip in clips:
        for start, stop, flow, occlusion in pairs(clip):
            there = clip.labels[stop][nearest_pixels(flow, ~occlusion)]
            assert np.mean(clip.labels[start][~occlusion] == there) > 0.995


def test_labels_do_not_agree_without_the_flow(clips: list[RenderedClip]) -> None:
    agreement = [np.mean(clip.labels[0] == clip.labels[1]) for clip in clips]
    assert np.mean(agreement) < 0.97


def test_colours_agree_along_the_flow(clips: list[RenderedClip]) -> None:
    moved, still = [], []
    for clip in clips:
        for start, stop, flow, occlusion in pairs(clip):
            before = clip.frames[start][~occlusion].astype(float)
            moved.append(np.abs(before - clip.frames[stop][nearest_pixels(flow, ~occlusion)]).mean())
            still.append(np.abs(before - clip.frames[stop][~occlusion]).mean())
    assert np.mean(moved) < 6
    assert np.mean(moved) < 0.6 * np.mean(still)


def test_forward_and_backward_flow_cancel(clips: list[RenderedClip]) -> None:
    errors = []
    for clip in clips:
        for index in range(len(clip.flow_fwd)):
            visible = ~clip.occlusion_fwd[index]
            rows, columns = nearest_pixels(clip.flow_fwd[index], visible)
            back = clip.flow_bwd[index][:, rows, columns]
            errors.append(np.hypot(*(clip.flow_fwd[index][:, visible] + back)))
    # Half a pixel of rounding changes the flow by its gradient times half a pixel: little, but for edges.
    assert np.median(np.concatenate(errors)) < 0.05
    assert np.percentile(np.concatenate(errors), 99) < 0.7


def test_points_out_of_frame_are_occluded(clips: list[RenderedClip]) -> None:
    left_behind = 0
    for clip in clips:
        for _, _, flow, occlusion in pairs(clip):
            rows, columns = np.mgrid[: occlusion.shape[0], : occlusion.shape[1]]
            x, y = columns + flow[0], rows + flow[1]
            outside = (x < -0.5) | (y < -0.5) | (x >= occlusion.shape[1] - 0.5) | (y >= occlusion.shape[0] - 0.5)
            assert occlusion[outside].all()
            assert occlusion.mean() < 0.6
            left_behind += np.count_nonzero(outside)
    assert left_behind


def test_the_sky_turns_and_does_not_come_nearer(clips: list[RenderedClip]) -> None:
    for clip in clips:
        sky = clip.labels[0] == StreetClass.SKY
        spread = clip.flow_fwd[0][:, sky].std(axis=1)
        assert sky.any()
        assert (spread < 0.2).all()


def test_the_road_flows_outward_and_fastest_below(clips: list[RenderedClip]) -> None:
    for clip in clips:
        road = clip.labels[0] == StreetClass.ROAD
        down = clip.flow_fwd[0][1]
        assert np.median(down[115:][road[115:]]) > 2 * np.median(down[75:85][road[75:85]]) > 0


def test_every_class_has_its_share() -> None:
    options = StreetsOptions(frames_per_clip=2)
    counts = np.zeros(256)
    for index in range(options.clips_train):
        counts += np.bincount(render_clip(options, "train", index).labels.ravel(), minlength=256)
    shares = counts / counts.sum()
    assert set(np.flatnonzero(counts)) == {*range(len(CLASS_NAMES)), StreetClass.VOID}
    assert (shares[: len(CLASS_NAMES)] >= 0.001).all(), dict(zip(CLASS_NAMES, shares, strict=False))


@pytest.mark.parametrize("split", ["val", "test"])
def test_every_class_is_in_every_split(split: str) -> None:
    options = StreetsOptions(frames_per_clip=2)
    labels = [render_clip(options, split, index).labels for index in range(4)]  # type: ignore[arg-type]
    assert set(np.unique(labels)) >= set(range(len(CLASS_NAMES)))


def test_the_same_seed_gives_the_same_bits() -> None:
    options = StreetsOptions(frames_per_clip=2)
    one, two = render_clip(options, "val", 1), render_clip(options, "val", 1)
    for field in dataclasses.fields(RenderedClip):
        assert getattr(one, field.name).tobytes() == getattr(two, field.name).tobytes()


def test_another_seed_split_or_index_gives_another_world() -> None:
    options = StreetsOptions(frames_per_clip=2)
    clips = [
        render_clip(options, "train", 0),
        render_clip(options, "train", 1),
        render_clip(options, "val", 0),
        render_clip(options, "test", 0),
        render_clip(StreetsOptions(frames_per_clip=2, seed=1), "train", 0),
    ]
    for i, one in enumerate(clips):
        for two in clips[i + 1 :]:
            assert np.mean(one.labels[0] != two.labels[0]) > 0.1


def test_noise_changes_frames_alone() -> None:
    clean = render_clip(StreetsOptions(frames_per_clip=2, noise_std=0), "train", 0)
    noisy = render_clip(StreetsOptions(frames_per_clip=2, noise_std=4), "train", 0)
    assert np.array_equal(clean.labels, noisy.labels)
    assert np.array_equal(clean.flow_fwd, noisy.flow_fwd)
    assert 2 < (clean.frames.astype(float) - noisy.frames).std() < 6


@pytest.mark.parametrize(("height", "width"), [(240, 320), (64, 128), (96, 48), (50, 150)])
def test_other_sizes(height: int, width: int) -> None:
    clip = render_clip(StreetsOptions(height=height, width=width, noise_std=0, frames_per_clip=2), "train", 2)
    assert clip.frames.shape == (2, height, width, 3)
    visible = ~clip.occlusion_fwd[0]
    there = clip.labels[1][nearest_pixels(clip.flow_fwd[0], visible)]
    assert np.mean(clip.labels[0][visible] == there) > 0.99
    assert np.mean(clip.frames[0]) == pytest.approx(127, abs=60)


def test_a_larger_frame_shows_the_same_world() -> None:
    small = render_clip(StreetsOptions(height=60, width=80, frames_per_clip=2), "train", 1)
    large = render_clip(StreetsOptions(height=180, width=240, frames_per_clip=2), "train", 1)
    # Pixel centres of the small frame are every third of the large one.
    assert np.mean(small.labels[0] == large.labels[0, 1::3, 1::3]) > 0.96
    flow = large.flow_fwd[0][:, 1::3, 1::3] / 3
    assert np.median(np.abs(small.flow_fwd[0] - flow)) < 0.01


def test_thin_poles_stay_connected(clips: list[RenderedClip]) -> None:
    """Poles of one to three pixels are there, with no gap from row to row."""
    widths = []
    for clip in clips:
        pole = clip.labels[0] == StreetClass.POLE
        for row in pole:
            edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
            widths += list(np.diff(edges)[::2])
    assert np.mean(np.isin(widths, (1, 2, 3))) > 0.7


@pytest.mark.parametrize("index", [-1, 12])
def test_no_such_clip(index: int) -> None:
    with pytest.raises(DataError, match=r"no clip -?\d+ in train; it has 0..11"):
        render_clip(StreetsOptions(), "train", index)
