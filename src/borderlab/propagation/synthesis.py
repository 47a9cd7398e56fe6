"""Synthesis of samples: image and label of a key frame moved, step by step, to a frame without label.

Source: Zhu et al. 2019, section 3.1. Step j warps the result of step j - 1 with the flow between the real frames
j and j - 1. Images are rounded to 8 bits at each step, because each step is a file of its own: on CamVid (DIS medium)
five steps end 0.3 grey levels from the same without rounding, and either is 9.1 from the real frame. Labels are
sampled, never mixed: each step moves them by up to half a pixel of rounding and loses nothing else.

    <clip>/<key>_to_<target>_image.png    moved frame
    <clip>/<key>_to_<target>_label.png    moved train ids, 255 where void
    manifest.json                         every sample, and every one that could not be made, by name

Differs from the reference: bilinear images at every distance (there: nearest beyond the first step); occluded and
out-of-frame pixels become void (there: edge pixels are repeated), unless `void_occluded` is off.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from borderlab.data.base import IGNORE_INDEX, Clip, SegmentationDataset
from borderlab.data.decode import read_image, read_label, read_pair
from borderlab.errors import DataError
from borderlab.files import read_json, write_json
from borderlab.propagation.consistency import is_consistent
from borderlab.propagation.estimate import read_flow
from borderlab.propagation.keyframes import keyframe_indices, targets
from borderlab.propagation.warp import Flow, in_frame, sampling_map, warp_image, warp_label
from borderlab.spec import SynthesisSpec

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]

# Train ids and void as they are: what a moved label's file holds.
TRAIN_ID_LUT = np.arange(256, dtype=np.int16)


def synthesise(
    dataset: SegmentationDataset,
    root: Path,
    split: str,
    spec: SynthesisSpec,
    motion_folder: Path,
    previous_folder: Path | None,
    folder: Path,
) -> dict[str, Any]:
    """Move every key frame of `split` over `spec.distance` frames and write the samples into `folder`.

    Args:
        dataset: data set with clips.
        root: its folder.
        split: its split.
        spec: what is made.
        motion_folder: flows by `estimate_motion`.
        previous_folder: samples one step nearer to the key frame; None at distance ±1, which starts from the key
            frame itself.
        folder: where to write; the caller makes it atomic.

    Returns:
        The manifest.

    Raises:
        DataError: if the split has no clips, or a frame, label or flow is missing, damaged or of the wrong size.
        ValueError: if `previous_folder` is missing where it is needed, or given where it is not.
    """
    if (previous_folder is None) != (abs(spec.distance) == 1):
        raise ValueError(f"distance {spec.distance:+d}: samples one step nearer are needed at distances beyond 1 alone")
    clips = dataset.clips(root, split)
    if not clips:
        raise DataError(f"{dataset.info.name} {split}: has no clips, so nothing to move; choose a split with video")
    samples, left_out = [], []
    for clip in clips:
        pairs = targets(len(clip.frames), spec.keyframes, spec.distance)
        made = {key for key, _ in pairs}
        left_out += [
            {"clip": clip.name, "key_index": key, "reason": "target lies outside the clip"}
            for key in keyframe_indices(len(clip.frames), spec.keyframes)
            if key not in made
        ]
        for key, target in pairs:
            before = _before(dataset, clip, key, target, spec, previous_folder)
            moved = _step(before, clip.name, target, spec, motion_folder)
            samples.append(_write_sample(folder, clip, key, target, moved))
    manifest = {"spec": spec.model_dump(mode="json"), "samples": samples, "left_out": left_out}
    write_json(folder / "manifest.json", manifest)
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a synthesis.

    Raises:
        DataError: if it is missing or damaged.
    """
    try:
        manifest: dict[str, Any] = read_json(folder / "manifest.json")
    except OSError as fault:
        raise DataError(f"{folder}: holds no samples ({fault.strerror}); run the workflow") from fault
    except ValueError as fault:
        raise DataError(f"{folder}/manifest.json: is damaged ({fault}); delete {folder}, run the workflow") from fault
    return manifest


def _before(
    dataset: SegmentationDataset,
    clip: Clip,
    key: int,
    target: int,
    spec: SynthesisSpec,
    previous_folder: Path | None,
) -> Pair:
    """Image and train ids one step nearer to the key frame."""
    if previous_folder is None:
        return read_pair(clip.frames[key], dataset.label_lut)
    nearer = target - 1 if spec.distance > 0 else target + 1
    image, label = sample_files(clip.name, key, nearer)
    return read_image(previous_folder / image), read_label(previous_folder / label, TRAIN_ID_LUT)


def _step(before: Pair, clip: str, target: int, spec: SynthesisSpec, motion_folder: Path) -> Pair:
    """Image and train ids at frame `target`, from those at its neighbour towards the key frame."""
    neighbour = target - 1 if spec.distance > 0 else target + 1
    flow = _read_fitting_flow(motion_folder, clip, target, neighbour, before)
    columns, rows = sampling_map(flow)
    image, label = warp_image(before[0], columns, rows), warp_label(before[1], columns, rows)
    if spec.void_occluded:
        back = _read_fitting_flow(motion_folder, clip, neighbour, target, before)
        label[~(in_frame(columns, rows) & is_consistent(flow, back))] = IGNORE_INDEX
    return image, label


def _read_fitting_flow(folder: Path, clip: str, from_index: int, to_index: int, pair: Pair) -> Flow:
    """A stored flow that has the size of image and label; another size would move them without a word."""
    flow = read_flow(folder, clip, from_index, to_index)
    if flow.shape != (2, *pair[1].shape):
        raise DataError(
            f"{folder}/{clip}: flow from frame {from_index} to {to_index} has shape {flow.shape}, its frame "
            f"{pair[1].shape}; delete {folder} and run the workflow again"
        )
    return flow


def sample_files(clip: str, key: int, target: int) -> tuple[str, str]:
    """Image and label file of a sample, below the synthesis folder."""
    stem = f"{clip}/{key:05d}_to_{target:05d}"
    return f"{stem}_image.png", f"{stem}_label.png"


def _write_sample(folder: Path, clip: Clip, key: int, target: int, moved: Pair) -> dict[str, Any]:
    image, label = sample_files(clip.name, key, target)
    (folder / image).parent.mkdir(parents=True, exist_ok=True)
    _write_png(folder / image, cv2.cvtColor(moved[0], cv2.COLOR_RGB2BGR))
    _write_png(folder / label, moved[1])
    return {
        "sample_id": f"{clip.frames[target].sample_id}-from-{key:05d}",
        "clip": clip.name,
        "key_index": key,
        "target_index": target,
        "image": image,
        "label": label,
        "void_share": float((moved[1] == IGNORE_INDEX).mean()),
    }


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    # Level 1 is several times faster than the default and a few per cent larger.
    if not cv2.imwrite(str(path), pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1]):
        raise DataError(f"{path}: cannot be written; check that the disk has room and the folder is yours")
