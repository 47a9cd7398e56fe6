"""Motion of a whole split: the flow of every pair of neighbouring frames that propagation needs, each once.

    <clip>/<from // 1000>/<from>_to_<to>.npy    float16 (2 h w), in pixels
    manifest.json                               pairs whose frames are broken, by name, among others

Half precision is at most 1/256 pixel off at a motion below 16 pixels, far below the error of any flow here.
"""

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from borderlab.data.base import Clip, SegmentationDataset
from borderlab.errors import DataError
from borderlab.files import write_json
from borderlab.motion.base import ClipReader
from borderlab.motion.registry import create_motion_model
from borderlab.propagation.broken import BrokenInputs
from borderlab.propagation.keyframes import needed_pairs
from borderlab.propagation.sharding import shard_of
from borderlab.propagation.warp import Flow
from borderlab.spec import KeyframesSpec, ReferenceChoice

_LARGEST_PX = float(np.finfo(np.float16).max)


def estimate_motion(
    dataset: SegmentationDataset,
    root: Path,
    split: str,
    keyframes: KeyframesSpec,
    model_name: str,
    max_distance: int,
    folder: Path,
    progress: bool = False,
    reference: tuple[ReferenceChoice, ...] = (),
    trained: Path | None = None,
) -> dict[str, Any]:
    """Estimate all flows within `max_distance` frames of a key frame and write them into `folder`.

    `trained` is the folder of a learned motion model; absent for models of the registry.

    Returns:
        The manifest: what was asked for, number of flows by clip, pairs with a broken frame, mean length in pixels,
        seconds.

    Raises:
        DataError: if the split has no clips, no frame can be read, or a flow does not fit its frame.
    """
    # Here, not above: trainings import this module for what it says of files.
    from rich.progress import track

    clips = dataset.clips(root, split)
    if not clips:
        raise DataError(f"{dataset.info.name} {split}: has no clips, so no motion; choose a split with video")
    model = create_motion_model(model_name, trained)
    started = time.perf_counter()
    lengths: list[float] = []
    counts: dict[str, int] = {}
    broken = BrokenInputs()
    for clip in track(clips, description=f"motion {model_name}", disable=not progress):
        reader = clip_reader(dataset, root, split, clip, reference)
        counts[clip.name] = 0
        for from_index, to_index in needed_pairs(len(reader), keyframes, max_distance):
            try:
                reader.image(from_index), reader.image(to_index)
                flow = model.flow(reader, from_index, to_index)
            except DataError as fault:
                broken.note(fault, clip=clip.name, from_index=from_index, to_index=to_index)
                continue
            _check_flow(flow, reader, from_index, to_index)
            lengths.append(cv2.mean(cv2.magnitude(*flow))[0])
            _write_flow(folder, clip.name, from_index, to_index, flow)
            counts[clip.name] += 1
    if not lengths:
        broken.stop_beyond(0, len(broken.entries), f"flows of {dataset.info.name} {split}")
    manifest = {
        "dataset": dataset.info.name,
        "split": split,
        "keyframes": keyframes.model_dump(mode="json"),
        "model": model_name,
        "max_distance": max_distance,
        "reference": list(reference),
        "flows": counts,
        "broken": broken.entries,
        "mean_length_px": float(np.mean(lengths)) if lengths else None,
        "seconds": round(time.perf_counter() - started, 3),
    }
    write_json(folder / "manifest.json", manifest)
    return manifest


def clip_reader(
    dataset: SegmentationDataset, root: Path, split: str, clip: Clip, reference: tuple[ReferenceChoice, ...]
) -> ClipReader:
    """What a motion model reads frames from."""
    return (_SwappedReader if "bgr_flow" in reference else ClipReader)(dataset, root, split, clip)


class _SwappedReader(ClipReader):
    """Frames with channels in the order blue, green, red: the published code hands them on so, and doubts it itself."""

    def _read(self, index: int) -> NDArray[np.uint8]:
        return np.ascontiguousarray(super()._read(index)[..., ::-1])


def stored_precision(flow: Flow) -> Flow:
    """`flow` as it comes back from its file."""
    return _single(_half(flow))


def read_flow(folder: Path, clip: str, from_index: int, to_index: int) -> Flow:
    """The stored flow (2 h w) of a pair, as float32.

    Raises:
        DataError: if it is missing or damaged.
    """
    path = _flow_path(folder, clip, from_index, to_index)
    try:
        return _single(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError, cv2.error) as fault:
        raise DataError(f"{path}: flow cannot be read ({fault}); delete {folder} and run the workflow again") from fault


def _check_flow(flow: Flow, reader: ClipReader, from_index: int, to_index: int) -> None:
    """Stop at a flow that warping would silently turn into a picture of border pixels."""
    height, width = reader.image(from_index).shape[:2]
    pair = f"{reader.dataset.info.name} {reader.split} {reader.name}: flow from frame {from_index} to {to_index}"
    if flow.shape != (2, height, width):
        raise DataError(f"{pair} has shape {flow.shape}, its frame needs (2, {height}, {width})")
    # Least and greatest of a field with NaN are NaN, and compare false.
    if not (float(flow.min()) >= -_LARGEST_PX and float(flow.max()) <= _LARGEST_PX):
        raise DataError(f"{pair} is not a number or beyond {_LARGEST_PX:.0f} px; check the motion model")


def _write_flow(folder: Path, clip: str, from_index: int, to_index: int, flow: Flow) -> None:
    path = _flow_path(folder, clip, from_index, to_index)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, _half(flow), allow_pickle=False)


def _half(flow: Flow) -> NDArray[np.float16]:
    """`flow` in half precision. OpenCV has the processor's instruction for it; NumPy takes ten times as long."""
    return _in_type(flow, cv2.CV_16F)


def _single(flow: NDArray[np.float16]) -> Flow:
    return _in_type(flow, cv2.CV_32F)


def _in_type(flow: NDArray[Any], cv_type: int) -> NDArray[Any]:
    # One image of one channel: to OpenCV an array (2 h w) would be h columns of w channels.
    converted: NDArray[Any] = cv2.add(flow.reshape(-1, flow.shape[-1]), 0.0, dtype=cv_type).reshape(flow.shape)
    return converted


def _flow_path(folder: Path, clip: str, from_index: int, to_index: int) -> Path:
    return folder / shard_of(clip, from_index) / f"{from_index:05d}_to_{to_index:05d}.npy"
