"""Synthesis of samples: image and label of a key frame moved to a frame without label, as `moving` does it.

    <clip>/<key // 1000>/<key>_to_<target>_image.png    moved frame
    <clip>/<key // 1000>/<key>_to_<target>_label.png    moved train ids, 255 where void
    manifest.json                                       every sample, and every one that could not be made, by name

Recursive samples start from those one step nearer to the key frame, which are 8-bit files: on CamVid (DIS medium)
five steps end 0.3 grey levels from the same without rounding, and either is 9.1 from the real frame. Accumulated
samples start from the key frame and need no others.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from borderlab.data.base import IGNORE_INDEX, Clip, SegmentationDataset
from borderlab.data.decode import read_image, read_label, read_pair
from borderlab.errors import DataError
from borderlab.files import read_json, write_json
from borderlab.propagation.broken import BrokenInputs, broken_reason
from borderlab.propagation.estimate import read_flow
from borderlab.propagation.keyframes import keyframe_indices, path_between, targets
from borderlab.propagation.moving import Pair, Step, move_at_once, move_step
from borderlab.propagation.sharding import shard_of
from borderlab.propagation.warp import Flow
from borderlab.spec import SynthesisSpec

# Train ids and void as they are: what a moved label's file holds.
TRAIN_ID_LUT = np.arange(256, dtype=np.int16)

# On street frames half the time of level 1 alone, and smaller files.
_QUICK_PNG = [
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
]


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
        previous_folder: recursive samples one step nearer to the key frame; None where the key frame itself is moved.
        folder: where to write; the caller makes it atomic.

    Returns:
        The manifest.

    Raises:
        DataError: if the split has no clips, or more than `spec.allow_broken` samples cannot be made because a frame,
            label or flow is missing, damaged or of the wrong size.
        ValueError: if `previous_folder` is missing where it is needed, or given where it is not.
    """
    if (previous_folder is None) != spec.starts_from_key_frame:
        raise ValueError(
            f"distance {spec.distance:+d}: samples one step nearer are needed by recursion beyond 1 and by nothing else"
        )
    clips = dataset.clips(root, split)
    if not clips:
        raise DataError(f"{dataset.info.name} {split}: has no clips, so nothing to move; choose a split with video")
    maker = _Maker(dataset, spec, motion_folder, previous_folder)
    samples, left_out, broken = [], [], BrokenInputs()
    for clip in clips:
        pairs = targets(len(clip.frames), spec.keyframes, spec.distance)
        made = {key for key, _ in pairs}
        left_out += [
            {"clip": clip.name, "key_index": key, "reason": "target lies outside the clip"}
            for key in keyframe_indices(len(clip.frames), spec.keyframes)
            if key not in made
        ]
        for key, target in pairs:
            try:
                samples.append(_write_sample(folder, clip, key, target, maker.sample(clip, key, target)))
            except DataError as fault:
                broken.note(fault, clip=clip.name, key_index=key, target_index=target)
    broken.stop_beyond(spec.allow_broken, len(samples) + len(broken.entries), f"samples at {spec.distance:+d}")
    manifest = {
        "spec": spec.model_dump(mode="json"),
        "samples": samples,
        "left_out": left_out,
        "broken": broken.entries,
    }
    write_json(folder / "manifest.json", manifest)
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a synthesis or of its motion.

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


@dataclass(frozen=True)
class _Maker:
    """Makes one sample after the other."""

    dataset: SegmentationDataset
    spec: SynthesisSpec
    motion_folder: Path
    previous_folder: Path | None

    def sample(self, clip: Clip, key: int, target: int) -> Pair:
        """Image and train ids of key frame `key`, moved to frame `target`."""
        frames = path_between(key, target)
        if self.spec.method == "accumulated":
            before = read_pair(clip.frames[key], self.dataset.label_lut)
            steps = [self._step(clip.name, near, far, before) for near, far in frames]
            return move_at_once(before, steps, self.spec.reference)
        before = self._before(clip, key, target)
        step = self._step(clip.name, *frames[-1], before)
        return move_step(before, step, len(frames) == 1, self.spec.reference)

    def _before(self, clip: Clip, key: int, target: int) -> Pair:
        """Image and train ids one step nearer to the key frame."""
        if self.previous_folder is None:
            return read_pair(clip.frames[key], self.dataset.label_lut)
        image, label = sample_files(clip.name, key, path_between(key, target)[-1][0])
        folder = self.previous_folder
        return read_image(folder / image), read_label(folder / label, TRAIN_ID_LUT)

    def _step(self, clip: str, near: int, far: int, pair: Pair) -> Step:
        back = self._flow(clip, near, far, pair) if self.spec.void_occluded else None
        return Step(self._flow(clip, far, near, pair), back)

    def _flow(self, clip: str, from_index: int, to_index: int, pair: Pair) -> Flow:
        """A stored flow that has the size of image and label; another size would move them without a word."""
        folder = self.motion_folder
        try:
            flow = read_flow(folder, clip, from_index, to_index)
        except DataError as fault:
            broken = read_manifest(folder)["broken"]
            reason = broken_reason(broken, clip=clip, from_index=from_index, to_index=to_index)
            raise (fault if reason is None else DataError(reason)) from fault
        if flow.shape != (2, *pair[1].shape):
            raise DataError(
                f"{folder}/{clip}: flow from frame {from_index} to {to_index} has shape {flow.shape}, its frame "
                f"{pair[1].shape}; delete {folder} and run the workflow again"
            )
        return flow


def sample_files(clip: str, key: int, target: int) -> tuple[str, str]:
    """Image and label file of a sample, below the synthesis folder."""
    stem = f"{shard_of(clip, key)}/{key:05d}_to_{target:05d}"
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
    if not cv2.imwrite(str(path), pixels, _QUICK_PNG):
        raise DataError(f"{path}: cannot be written; check that the disk has room and the folder is yours")
