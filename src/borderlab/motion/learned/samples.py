"""Pairs of neighbouring frames as training samples and as held-out ones; no label is ever read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from borderlab.data.base import SegmentationDataset
from borderlab.data.batch import Batch, RawBatch
from borderlab.data.source import Pixels, Sample, Target
from borderlab.errors import DataError
from borderlab.motion.base import ClipReader, MotionModel
from borderlab.motion.learned.spec import N_FRAMES, MotionKind, MotionModelSpec
from borderlab.motion.learned.view import Stretch, look, whole


@dataclass(frozen=True)
class Pair:
    """A frame that is made and its neighbour that it is made from, in a stretch of a clip."""

    stretch: Stretch
    target: int
    source: int

    @property
    def name(self) -> str:
        """Readable name, such as `clip0/00005 from 00004`."""
        return f"{self.stretch.clip.name}/{self.target:05d} from {self.source:05d}"


class PairSource:
    """Samples by index: frames past, source, target (h w 9), and the flows that a model of `kind` is shown."""

    def __init__(self, pairs: Sequence[Pair], kind: MotionKind, input_flow: MotionModel) -> None:
        self.pairs, self.kind, self.input_flow = pairs, kind, input_flow

    def __len__(self) -> int:
        return len(self.pairs)

    def load(self, index: int) -> Sample:
        """Frames and flows of one pair."""
        pair = self.pairs[index]
        stretch = replace(pair.stretch, clip=_reopened(pair.stretch.clip))
        view = look(stretch, pair.target, pair.source, self.kind, self.input_flow)
        if self.kind == "reconstruction":
            return view.frames, view.flows
        # The truth of a prediction: the loss needs it, the network is not shown it (see `PairBatches`).
        return np.concatenate([view.frames, stretch.clip.image(pair.target)], axis=2), view.flows

    def sample_id(self, index: int) -> str:
        """Name of one pair."""
        return self.pairs[index].name


@dataclass(frozen=True)
class PairBatches:
    """From stacked samples to what the network is shown (n c h w), and source and real frame (n 6 h w, uint8)."""

    kind: MotionKind

    def batch(self, raw: RawBatch) -> Batch:
        """The batch that the training loop takes."""
        frames = raw.image.permute(0, 3, 1, 2)
        return Batch(shown_tensor(frames[:, : 3 * N_FRAMES[self.kind]], raw.target), frames[:, 3:9], raw.sample_ids)


def shown_tensor(frames: Tensor, flows: Tensor) -> Tensor:
    """What the network is shown: frames (n c h w, uint8) and flows (n h w c) as one float tensor."""
    return torch.cat([frames.float(), flows.permute(0, 3, 1, 2)], dim=1)


@dataclass(frozen=True)
class CropAndFlip:
    """A random window of a sample; half of them mirrored, which turns the sign of u."""

    size: tuple[int, int]
    flip: bool

    def __call__(self, frames: Pixels, flows: Target, random: Generator) -> Sample:
        height, width = self.size
        top = int(random.integers(frames.shape[0] - height + 1))
        left = int(random.integers(frames.shape[1] - width + 1))
        window = np.s_[top : top + height, left : left + width]
        frames, shown = frames[window], np.asarray(flows, np.float32)[window]
        if self.flip and random.random() < 0.5:
            mirror = np.tile(np.array([-1, 1], np.float32), shown.shape[2] // 2)
            frames, shown = frames[:, ::-1], shown[:, ::-1] * mirror
        return np.ascontiguousarray(frames), np.ascontiguousarray(shown)


def training_and_held_out(
    spec: MotionModelSpec, dataset: SegmentationDataset, root: Path
) -> tuple[list[Pair], list[Pair]]:
    """Pairs that train and pairs that are held out; no frame is on both sides.

    Held out are `spec.held_out_pairs` pairs, evenly spread, whose past frame exists. Training pairs at the end of a
    clip have none, and stay: a model must learn to do without.

    Raises:
        DataError: if there is no video, no pair on a side, or a frame smaller than the crop.
    """
    clips = _readers(dataset, root, spec.train_split)
    if spec.eval_split is not None:
        training = [whole(clip) for clip in clips]
        held_out = [whole(clip) for clip in _readers(dataset, root, spec.eval_split)]
    else:
        cuts = [round(len(clip) * (1 - spec.held_out_share)) for clip in clips]
        training = [Stretch(clip, 0, cut) for clip, cut in zip(clips, cuts, strict=True)]
        held_out = [Stretch(clip, cut, len(clip)) for clip, cut in zip(clips, cuts, strict=True)]
    found = _pairs(training), [pair for pair in _pairs(held_out) if pair.stretch.has_past(pair.target, pair.source)]
    for pairs, role in zip(found, ("to train on", "with a frame before them to hold out"), strict=True):
        if not pairs:
            raise DataError(f"{dataset.info.name}: has no pair of neighbouring frames {role}; check splits and shares")
    _check_crop(found[0], spec.recipe.crop)
    chosen = np.linspace(0, len(found[1]) - 1, min(spec.held_out_pairs, len(found[1]))).round().astype(int)
    return found[0], [found[1][index] for index in chosen]


def _readers(dataset: SegmentationDataset, root: Path, split: str) -> list[ClipReader]:
    clips = dataset.clips(root, split)
    if not clips:
        raise DataError(f"{dataset.info.name} {split}: has no clips, so no motion; choose a split with video")
    return [ClipReader(dataset, root, split, clip) for clip in clips]


def _reopened(clip: ClipReader) -> ClipReader:
    """A reader of its own for each use: thousands of readers that keep their last frames would fill the memory."""
    return ClipReader(clip.dataset, clip.root, clip.split, clip.clip)


def _pairs(stretches: Sequence[Stretch]) -> list[Pair]:
    return [Pair(stretch, *pair) for stretch in stretches for pair in stretch.pairs()]


def _check_crop(pairs: Sequence[Pair], crop: tuple[int, int]) -> None:
    """The first frame of each clip stands for its others."""
    for clip in {id(pair.stretch.clip): pair.stretch.clip for pair in pairs}.values():
        height, width = _reopened(clip).image(0).shape[:2]
        if height < crop[0] or width < crop[1]:
            raise DataError(
                f"{clip.dataset.info.name} {clip.name}: frames of {height}x{width} are smaller than recipe.crop "
                f"{crop[0]}x{crop[1]}; lower it"
            )
