"""How the files of a clip are written and read (`clip_files` names them).

float16 rounds flow to 1/1024 of its size (at worst 1/32 pixel below 64 pixels), where the renderer knows it exactly.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from borderlab.data.streets.clip_files import flow_path, frame_path, label_path, occlusion_path
from borderlab.data.streets.render import RenderedClip
from borderlab.errors import DataError
from borderlab.files import DAMAGED_ARRAY, atomic_folder

_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1)


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
    path = _existing(flow_path(clip, index, step))
    try:
        return np.asarray(np.load(path), np.float32)
    except DAMAGED_ARRAY as fault:
        raise DataError(f"streets: {path} is damaged ({fault}); delete {clip} and run: {_fetching(clip)}") from fault


def read_occlusion(clip: Path, index: int, step: int) -> NDArray[np.bool_]:
    """Occlusion (h, w) of a frame, as written by `write_clip`."""
    path = _existing(occlusion_path(clip, index, step))
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise DataError(f"streets: {path} is no readable image; delete {clip} and run: {_fetching(clip)}")
    return np.asarray(mask) > 0


def _fetching(clip: Path) -> str:
    return f"borderlab fetch streets --split {clip.parent.name} --config FILE"


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise DataError(f"streets: {path} is missing; fetch it first: {_fetching(path.parent)}")
    return path


def _to_float16(flow: NDArray[np.float32]) -> NDArray[np.float16]:
    limit = float(np.finfo(np.float16).max)
    return np.clip(flow, -limit, limit).astype(np.float16)


def _write_png(path: Path, image: NDArray[np.uint8]) -> None:
    if not cv2.imwrite(str(path), image, _PNG):
        raise DataError(f"streets: {path} cannot be written; is there space left, and is the folder writable?")
