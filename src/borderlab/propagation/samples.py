"""Training frames: key frames, and the propagated samples that join them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from borderlab.data.base import Clip, Frame, SegmentationDataset
from borderlab.errors import DataError
from borderlab.propagation.keyframes import keyframe_indices, targets
from borderlab.propagation.synthesis import TRAIN_ID_LUT, read_manifest
from borderlab.spec import KeyframesSpec, PropagationSpec


@dataclass(frozen=True)
class TrainingFrame:
    """A frame with a label, and the table from the label file's numbers to train ids."""

    frame: Frame
    lut: NDArray[np.int16]


def keyframe_frames(
    dataset: SegmentationDataset, root: Path, split: str, keyframes: KeyframesSpec
) -> list[TrainingFrame]:
    """The key frames of all clips of a split, with their own labels.

    Raises:
        DataError: if the split has no clips, or its clips no key frames.
    """
    lut = dataset.label_lut
    frames = [
        TrainingFrame(clip.frames[index], lut)
        for clip in dataset.clips(root, split)
        for index in keyframe_indices(len(clip.frames), keyframes)
    ]
    if not frames:
        raise DataError(f"{dataset.info.name} {split}: has no key frames at {keyframes}; check stride and offset")
    return frames


def propagated_frames(
    propagation: PropagationSpec,
    dataset: SegmentationDataset,
    root: Path,
    split: str,
    keyframes: KeyframesSpec,
    synthesis_folders: Mapping[int, Path],
) -> list[TrainingFrame]:
    """The samples that join the key frames, nearest distance first.

    `label`: the real frame with the moved label. `joint`: the moved frame with the moved label. `true`: the real
    frame with its real label. A frame midway between two key frames joins once with the label of each, and once
    alone with its real label.

    Args:
        propagation: kind and distances.
        dataset: data set with clips.
        root: its folder.
        split: its split.
        keyframes: the key frames.
        synthesis_folders: samples by signed distance; not needed for `true`.

    Raises:
        DataError: if a folder or a real label is missing.
    """
    clips = {clip.name: clip for clip in dataset.clips(root, split)}
    frames: list[TrainingFrame] = []
    for distance in propagation.joined_distances:
        if propagation.kind == "true":
            frames += _true_frames(list(clips.values()), keyframes, distance, dataset.label_lut)
        else:
            frames += _moved_frames(propagation, clips, _folder_at(synthesis_folders, distance))
    return list({frame.frame.sample_id: frame for frame in frames}.values())


def _true_frames(
    clips: Sequence[Clip], keyframes: KeyframesSpec, distance: int, lut: NDArray[np.int16]
) -> list[TrainingFrame]:
    frames = [clip.frames[target] for clip in clips for _, target in targets(len(clip.frames), keyframes, distance)]
    for frame in frames:
        if frame.label is None:
            raise DataError(f"{frame.image}: has no true label; propagation `true` needs one on every frame")
    return [TrainingFrame(frame, lut) for frame in frames]


def _folder_at(synthesis_folders: Mapping[int, Path], distance: int) -> Path:
    if distance not in synthesis_folders:
        raise DataError(f"no samples at distance {distance:+d}; run the workflow's synthesis first")
    return synthesis_folders[distance]


def _moved_frames(propagation: PropagationSpec, clips: Mapping[str, Clip], folder: Path) -> list[TrainingFrame]:
    frames = []
    for sample in read_manifest(folder)["samples"]:
        real = clips[sample["clip"]].frames[sample["target_index"]]
        image = real.image if propagation.kind == "label" else folder / sample["image"]
        frames.append(TrainingFrame(Frame(sample["sample_id"], image, folder / sample["label"]), TRAIN_ID_LUT))
    return frames
