"""Streets as a data set: files, errors, identity."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from borderlab.data.base import FetchSettings
from borderlab.data.streets.dataset import Streets
from borderlab.data.streets.options import StreetsOptions
from borderlab.data.streets.render import render_clip
from borderlab.errors import DataError

OPTIONS = StreetsOptions(height=48, width=64, clips_train=2, clips_val=1, clips_test=1, frames_per_clip=3)
QUIET = FetchSettings(progress=False)


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Streets, Path]:
    root = tmp_path_factory.mktemp("streets")
    dataset = Streets(OPTIONS)
    dataset.fetch(root, "train", QUIET)
    return dataset, root


def test_frames_and_labels_are_what_was_rendered(fetched: tuple[Streets, Path]) -> None:
    dataset, root = fetched
    clip = render_clip(OPTIONS, "train", 1)
    frames = dataset.clips(root, "train")[1].frames
    for index, frame in enumerate(frames):
        assert frame.label is not None
        assert np.array_equal(cv2.imread(str(frame.image))[..., ::-1], clip.frames[index])
        assert np.array_equal(cv2.imread(str(frame.label), cv2.IMREAD_UNCHANGED), clip.labels[index])


def test_frames_of_a_clip_are_one_recording(fetched: tuple[Streets, Path]) -> None:
    dataset, root = fetched
    names = [dataset.recording(frame) for frame in dataset.frames(root, "train")]
    assert names == ["train/clip_0000"] * 3 + ["train/clip_0001"] * 3


def test_clips_and_frames(fetched: tuple[Streets, Path]) -> None:
    dataset, root = fetched
    clips = dataset.clips(root, "train")
    assert [clip.name for clip in clips] == ["clip_0000", "clip_0001"]
    assert [len(clip.frames) for clip in clips] == [3, 3]
    assert clips[0].interval_s == 1 / 15
    assert dataset.frames(root, "train") == [*clips[0].frames, *clips[1].frames]
    assert dataset.count(root, "train") == 6
    assert len({frame.sample_id for frame in dataset.frames(root, "train")}) == 6


def test_truth_is_what_was_rendered(fetched: tuple[Streets, Path]) -> None:
    dataset, root = fetched
    clip = render_clip(OPTIONS, "train", 0)
    forward = dataset.true_flow(root, "train", "clip_0000", 1, 2)
    backward = dataset.true_flow(root, "train", "clip_0000", 2, 1)
    assert forward.dtype == backward.dtype == np.float32
    np.testing.assert_allclose(forward, clip.flow_fwd[1], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(backward, clip.flow_bwd[1], rtol=1e-3, atol=1e-3)
    assert np.array_equal(dataset.true_occlusion(root, "train", "clip_0000", 0, 1), clip.occlusion_fwd[0])
    assert np.array_equal(dataset.true_occlusion(root, "train", "clip_0000", 1, 0), clip.occlusion_bwd[0])


@pytest.mark.parametrize(("start", "stop"), [(0, 2), (1, 1), (0, -1), (2, 3), (-1, 0)])
def test_truth_between_neighbours_only(fetched: tuple[Streets, Path], start: int, stop: int) -> None:
    dataset, root = fetched
    for ask in (dataset.true_flow, dataset.true_occlusion):
        with pytest.raises(DataError, match=r"clip_0000 has no flow from frame .*; ask for neighbours among 0\.\.2"):
            ask(root, "train", "clip_0000", start, stop)


def test_fetch_skips_whole_clips_and_mends_broken_ones(tmp_path: Path) -> None:
    dataset = Streets(OPTIONS)
    dataset.fetch(tmp_path, "val", QUIET)
    label = tmp_path / "val" / "clip_0000" / "label_001.png"
    written = label.stat().st_mtime_ns
    dataset.fetch(tmp_path, "val", QUIET)
    assert label.stat().st_mtime_ns == written
    label.unlink()
    with pytest.raises(DataError, match="clip_0000 is missing or incomplete; fetch it first"):
        dataset.frames(tmp_path, "val")
    dataset.fetch(tmp_path, "val", QUIET)
    assert dataset.count(tmp_path, "val") == 3
    assert [path.name for path in (tmp_path / "val").iterdir()] == ["clip_0000"]


def test_missing_files(tmp_path: Path) -> None:
    dataset = Streets(OPTIONS)
    with pytest.raises(DataError, match="fetch it first: borderlab fetch streets"):
        dataset.clips(tmp_path, "test")
    with pytest.raises(DataError, match="fetch it first: borderlab fetch streets"):
        dataset.true_flow(tmp_path, "test", "clip_0000", 0, 1)
    with pytest.raises(DataError, match="fetch it first: borderlab fetch streets"):
        dataset.true_occlusion(tmp_path, "test", "clip_0000", 0, 1)
    with pytest.raises(DataError, match="no split 'dev'; it has train, val, test"):
        dataset.fetch(tmp_path, "dev", QUIET)


def test_a_damaged_mask_is_told(fetched: tuple[Streets, Path], tmp_path: Path) -> None:
    folder = tmp_path / "train" / "clip_0000"
    folder.mkdir(parents=True)
    (folder / "occlusion_fwd_000.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="no readable image"):
        fetched[0].true_occlusion(tmp_path, "train", "clip_0000", 0, 1)


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00v\x00{'descr'"])
def test_a_damaged_flow_is_told(fetched: tuple[Streets, Path], tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "train" / "clip_0000"
    folder.mkdir(parents=True)
    (folder / "flow_fwd_000.npy").write_bytes(content)
    with pytest.raises(
        DataError, match=r"flow_fwd_000\.npy is damaged \(.*\); delete .*clip_0000 and run: borderlab fetch"
    ):
        fetched[0].true_flow(tmp_path, "train", "clip_0000", 0, 1)


def test_identity_names_the_folder_and_follows_the_options() -> None:
    one, two = Streets(), Streets(StreetsOptions(seed=1))
    assert one.identity == Streets().identity
    assert one.identity != two.identity
    assert one.folder_name == f"streets-{one.identity[:8]}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"height": 8},
        {"width": 4000},
        {"height": 100, "width": 400},
        {"frames_per_clip": 1},
        {"height": 720, "width": 960, "frames_per_clip": 100},
        {"clips_val": 0},
        {"seed": -1},
        {"noise_std": 99},
        {"colour": "blue"},
    ],
)
def test_options_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StreetsOptions.model_validate(wrong)


def test_importing_it_imports_neither_torch_nor_the_renderer() -> None:
    heavy = {"torch", "cv2", "borderlab.data.streets.render"}
    code = f"import sys, borderlab.data.streets.dataset; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
