"""`streets`: determinism, exact labels, exact motion, and enough of everything."""

from pathlib import Path

import numpy as np
import pytest

from borderlab.data.base import FetchSettings
from borderlab.data.decode import read_image, read_label
from borderlab.data.streets.classes import CLASSES, SKY
from borderlab.data.streets.clip import RenderedFrame, render_clip
from borderlab.data.streets.dataset import Streets, StreetsOptions
from borderlab.errors import DataError

QUIET = FetchSettings(progress=False)


def clip(
    seed: int = 0, n_frames: int = 4, height: int = 120, width: int = 160, noise: float = 0
) -> list[RenderedFrame]:
    return list(render_clip((0, seed), n_frames, height, width, noise))


@pytest.fixture(scope="module")
def frames() -> list[RenderedFrame]:
    return clip()


def test_same_seed_same_bits_and_another_one_another_street() -> None:
    first, second, other = clip(1, 2, noise=2.5), clip(1, 2, noise=2.5), clip(2, 2, noise=2.5)
    assert np.array_equal(first[1].image, second[1].image)
    assert np.array_equal(first[0].flow_fwd, second[0].flow_fwd)  # type: ignore[arg-type]
    assert not np.array_equal(first[0].label, other[0].label)


def test_ends_of_a_clip_have_no_neighbour(frames: list[RenderedFrame]) -> None:
    assert frames[0].flow_bwd is None
    assert frames[-1].flow_fwd is None
    assert frames[1].flow_fwd is not None
    assert frames[1].flow_fwd.dtype == np.float32
    assert frames[1].flow_fwd.shape == (2, 120, 160)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("step", [-1, 1])
def test_label_follows_the_true_flow(seed: int, step: int) -> None:
    frames = clip(seed)
    here, there = frames[1], frames[1 + step]
    flow = here.flow_fwd if step > 0 else here.flow_bwd
    occluded = here.occluded_fwd if step > 0 else here.occluded_bwd
    assert flow is not None
    assert occluded is not None
    rows, columns = np.mgrid[:120, :160]
    row = np.clip(np.rint(rows + flow[1]).astype(int), 0, 119)
    column = np.clip(np.rint(columns + flow[0]).astype(int), 0, 159)
    same = there.label[row, column] == here.label
    assert 0.005 < occluded.mean() < 0.4
    assert same[~occluded].mean() > 0.995
    # Occlusion means something: where a pixel is said to be hidden, its class is often not found.
    assert same[occluded].mean() < same[~occluded].mean()


def test_colour_follows_the_true_flow(frames: list[RenderedFrame]) -> None:
    import cv2

    here, there = frames[1], frames[2]
    assert here.flow_fwd is not None
    assert here.occluded_fwd is not None
    rows, columns = np.mgrid[:120, :160].astype(np.float32)
    moved = cv2.remap(there.image, columns + here.flow_fwd[0], rows + here.flow_fwd[1], cv2.INTER_LINEAR)
    error = np.abs(moved.astype(float) - here.image).mean(axis=2)[~here.occluded_fwd]
    still = np.abs(there.image.astype(float) - here.image).mean(axis=2)[~here.occluded_fwd]
    assert error.mean() < 0.55 * still.mean()
    assert np.median(error) < 3


def test_motion_is_more_than_the_cameras(frames: list[RenderedFrame]) -> None:
    flow = frames[1].flow_fwd
    assert flow is not None
    lengths = np.hypot(*flow)
    assert lengths.max() > 5
    sky = frames[1].label == SKY
    # The sky is infinitely far: only the camera's turn moves it, all of it by nearly the same.
    assert lengths[sky].std() < 0.2
    assert lengths[~sky].std() > 0.5


@pytest.mark.parametrize(("height", "width"), [(240, 320), (64, 128), (96, 96)])
def test_other_sizes_render(height: int, width: int) -> None:
    frames = clip(3, 2, height, width)
    assert frames[0].image.shape == (height, width, 3)
    assert frames[0].label.max() < len(CLASSES)
    assert frames[0].image.std() > 20


def test_every_class_occurs_in_every_split(tmp_path: Path) -> None:
    dataset = Streets(StreetsOptions(clips_train=6, clips_val=6, clips_test=6, frames_per_clip=2))
    for split in dataset.splits:
        dataset.fetch(tmp_path, split, QUIET)
        frames = dataset.frames(tmp_path, split)
        labels = np.stack([read_label(frame.label, dataset.label_lut) for frame in frames if frame.label is not None])
        shares = np.bincount(labels.ravel(), minlength=len(CLASSES)) / labels.size
        assert dict(zip(CLASSES, shares, strict=True)) == {
            name: share for name, share in zip(CLASSES, shares, strict=True) if share > 0.001
        }


def test_files_hold_what_was_rendered(tmp_path: Path) -> None:
    options = StreetsOptions(clips_train=1, clips_val=1, clips_test=1, frames_per_clip=3)
    dataset = Streets(options)
    dataset.fetch(tmp_path, "val", QUIET)
    (only,) = dataset.clips(tmp_path, "val")
    rendered = list(render_clip((0, 1, 0), 3, 120, 160, options.noise_sigma))
    for index, frame in enumerate(only.frames):
        assert np.array_equal(read_image(frame.image), rendered[index].image)
        assert frame.label is not None
        assert np.array_equal(read_label(frame.label, dataset.label_lut), rendered[index].label)
    flow = dataset.true_flow(tmp_path, "val", only.name, 1, 0)
    assert rendered[1].flow_bwd is not None
    assert np.abs(flow - rendered[1].flow_bwd).max() < 0.01 * np.abs(flow).max()
    occluded = dataset.true_occlusion(tmp_path, "val", only.name, 1, 2)
    assert np.array_equal(occluded, rendered[1].occluded_fwd)


def test_whole_clips_are_not_rendered_again(tmp_path: Path) -> None:
    dataset = Streets(StreetsOptions(clips_val=1, frames_per_clip=2))
    dataset.fetch(tmp_path, "val", QUIET)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
    dataset.fetch(tmp_path, "val", QUIET)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}


def test_options_and_renderer_are_part_of_the_identity() -> None:
    identities = {Streets(StreetsOptions(seed=seed, height=height)).identity for seed in (0, 1) for height in (120, 96)}
    assert len(identities) == 4


def test_missing_clip_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="run `borderlab fetch streets --split train`"):
        Streets().frames(tmp_path, "train")


def test_flow_between_frames_that_are_no_neighbours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neighbouring frames"):
        Streets().true_flow(tmp_path, "val", "clip_000", 0, 2)
