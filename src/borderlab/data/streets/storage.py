"""The files of a clip: how they are named, written and read.

    <split>/<clip>/frame_000.png           RGB
                   label_000.png           train ids, 255 for void
                   flow_fwd_000.npy        float16 (2, h, w) to the next frame; none for the last
                   flow_bwd_001.npy        float16 (2, h, w) to the previous frame; none for the first
                   occlusion_fwd_000.png   255 where the pixel is not visible in the next frame
                   occlusion_bwd_001.png   likewise in the previous frame

float16 rounds flow to 1/1024 of its size (at worst 1/32 pixel below 64 pixels), where the renderer knows it exactly.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from borderlab.data.streets.render import RenderedClip
from borderlab.errors import DataError
from borderlab.files import atomic_folder

_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1)
_DIRECTION = {1: "fwd", -1: "bwd"}


def clip_name(index: int) -> str:
    """Name of the clip's folder."""
    return f"clip_{index:04d}"


def frame_path(clip: Path, index: int) -> Path:
    """Image of a frame."""
    return clip / f"frame_{index:03d}.png"


def label_path(clip: Path, index: int) -> Path:
    """Label of a frame."""
    return clip / f"label_{index:03d}.png"


def flow_path(clip: Path, index: int, step: int) -> Path:
    """Flow of frame `index` to the next (`step` 1) or the previous frame (-1)."""
    return clip / f"flow_{_DIRECTION[step]}_{index:03d}.npy"


def occlusion_path(clip: Path, index: int, step: int) -> Path:
    """Occlusion of frame `index` in the next (`step` 1) or the previous frame (-1)."""
    return clip / f"occlusion_{_DIRECTION[step]}_{index:03d}.png"


def clip_paths(clip: Path, frames: int) -> list[Path]:
    """All files of a clip of that many frames."""
    neighbours = [(index, 1) for index in range(frames - 1)] + [(index, -1) for index in range(1, frames)]
    return [
        *(path(clip, index) for path in (frame_path, label_path) for index in range(frames)),
        *(path(clip, *neighbour) for path in (flow_path, occlusion_path) for neighbour in neighbours),
    ]


def is_whole(clip: Path, frames: int) -> bool:
    """Whether a clip lies there with all its files; folders are renamed into place only when they are complete."""
    return all(path.is_file() for path in clip_paths(clip, frames))


def write_clip(clip: Path, rendered: RenderedClip) -> None:
    """Write all files of a clip, or none."""
    with atomic_folder(clip) as part:
        for index, (frame, label) in enumerate(zip(rendered.frames, rendered.labels, strict=True)):
            _write_png(frame_path(part, index), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            _write_png(label_path(part, index), label)
        for step, flows, hidden in (
            (1, rendered.flow_fwd, rendered.occlusion_fwd),
            (-1, rendered.flow_bwd, rendered.occlusion_bwd),
        ):
            for number, (flow, mask) in enumerate(zip(flows, hidden, strict=True)):
                index = number if step == 1 else number + 1
                np.save(flow_path(part, index, step), _to_float16(flow))
                _write_png(occlusion_path(part, index, step), mask.astype(np.uint8) * np.uint8(255))


def read_flow(clip: Path, index: int, step: int) -> NDArray[np.float32]:
    """Flow (2, h, w) of a frame, as written by `write_clip`."""
    flow = np.load(_existing(flow_path(clip, index, step)))
    return np.asarray(flow, np.float32)


def read_occlusion(clip: Path, index: int, step: int) -> NDArray[np.bool_]:
    """Occlusion (h, w) of a frame, as written by `write_clip`."""
    path = _existing(occlusion_path(clip, index, step))
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise DataError(f"streets: {path} is no readable image; delete it and run: borderlab fetch streets")
    return np.asarray(mask) > 0


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise DataError(f"streets: {path} is missing; fetch it first: borderlab fetch streets")
    return path


def _to_float16(flow: NDArray[np.float32]) -> NDArray[np.float16]:
    limit = float(np.finfo(np.float16).max)
    return np.clip(flow, -limit, limit).astype(np.float16)


def _write_png(path: Path, image: NDArray[np.uint8]) -> None:
    if not cv2.imwrite(str(path), image, _PNG):
        raise DataError(f"streets: {path} cannot be written; is there space left, and is the folder writable?")
