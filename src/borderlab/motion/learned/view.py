"""What a learned motion model is shown of a clip.

A frame `target` is to be made from its neighbour `source`, and `past` lies one step beyond: target - source - past in
either direction of time. Flow lives on the grid of the frame that it starts from.

    prediction        past, source, flow source -> past                                     6 + 2 channels
    reconstruction    past, source, target, flow source -> past, flow target -> source      9 + 4 channels

A prediction never sees the frame that it is asked about, nor any beyond. The last flow shown is the one that the
model starts from: the answer by classical means, or, for a prediction, the motion of one step earlier.

Source: Zhu et al. 2019, section 3.1, and the channels of its published network.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from borderlab.motion.base import ClipReader, Flow, MotionModel
from borderlab.motion.learned.spec import MotionKind

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """Frames (h w 3k), oldest first, and flows (h w 2(k - 1)) in pixels."""

    frames: Pixels
    flows: NDArray[np.float32]


@dataclass(frozen=True)
class Stretch:
    """Frames `start` up to and without `stop` of a clip: all that a model may be shown."""

    clip: ClipReader
    start: int
    stop: int

    def pairs(self) -> list[tuple[int, int]]:
        """(target, source) of all neighbouring frames, in both directions."""
        steps = range(self.start, self.stop - 1)
        return [pair for index in steps for pair in ((index + 1, index), (index, index + 1))]

    def has_past(self, target: int, source: int) -> bool:
        """Whether the frame before `source`, as seen from `target`, is there."""
        return self.start <= past_index(target, source) < self.stop


def whole(clip: ClipReader) -> Stretch:
    """All frames of a clip."""
    return Stretch(clip, 0, len(clip))


def past_index(target: int, source: int) -> int:
    """The frame as far from `source` as `target` is, on its other side."""
    return 2 * source - target


def look(stretch: Stretch, target: int, source: int, kind: MotionKind, input_flow: MotionModel) -> View:
    """What a model of `kind` is shown to give the flow from `target` to `source`.

    At the end of a clip there is no past frame: the source stands in for it, with a flow of zero.
    """
    clip = stretch.clip
    has_past = stretch.has_past(target, source)
    past = past_index(target, source) if has_past else source
    flow = _flow(clip, input_flow)
    past_flow = flow(source, past) if has_past else np.zeros((2, *clip.image(source).shape[:2]), np.float32)
    if kind == "prediction":
        return _view([past, source], [past_flow], clip)
    return _view([past, source, target], [past_flow, flow(target, source)], clip)


def _flow(clip: ClipReader, model: MotionModel) -> Callable[[int, int], Flow]:
    return lambda from_index, to_index: model.flow(clip, from_index, to_index)


def _view(indices: list[int], flows: list[Flow], clip: ClipReader) -> View:
    frames = np.concatenate([clip.image(index) for index in indices], axis=2)
    return View(frames, np.ascontiguousarray(np.concatenate(flows).transpose(1, 2, 0)))
