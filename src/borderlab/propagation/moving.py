"""How image and label are moved along flows: step by step, or once through the composed displacement.

Source: Zhu et al. 2019, section 3.1. Frames are numbered from the key frame, 0, to the target, k. Flow f_j lives on the
grid of frame j and points to frame j - 1; b_j is the flow back, on the grid of frame j - 1.

    recursive      result_j(x) = result_(j-1)(x + f_j(x)), rounded to 8 bits at each step
    accumulated    D_1 = f_1,  D_j(x) = f_j(x) + D_(j-1)(x + f_j(x)),  result_k(x) = key(x + D_k(x))

Recursion rounds a label's position at every step; the composed field rounds it once. Either way a pixel is lost where
the forward-backward check fails, or the path leaves the frame, at any step.

Differs from the reference: bilinear images at every distance (there: nearest beyond the first step), rounded (there:
truncated); lost pixels become void (there: edge pixels are repeated). `reference` and `void_occluded` bring each of
these back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from borderlab.data.base import IGNORE_INDEX
from borderlab.propagation.consistency import is_consistent
from borderlab.propagation.warp import Flow, in_frame, sample_flow, sampling_map, warp_image, warp_label
from borderlab.spec import ReferenceChoice

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]
Map = NDArray[np.float32]


@dataclass(frozen=True)
class Step:
    """Flow f_j (2 h w), and the flow back where lost pixels are to be found."""

    flow: Flow
    back: Flow | None


def move_step(before: Pair, step: Step, is_first: bool, reference: Sequence[ReferenceChoice] = ()) -> Pair:
    """Image (h w 3) and train ids (h w) one step on; `is_first` says that they are the key frame's own."""
    columns, rows = sampling_map(step.flow)
    return _moved(before, columns, rows, _lost(step, columns, rows), is_first, reference)


def move_at_once(key: Pair, steps: Sequence[Step], reference: Sequence[ReferenceChoice] = ()) -> Pair:
    """Image and train ids of the key frame moved over all `steps`, nearest to the key frame first."""
    displacement, lost = compose(steps)
    columns, rows = sampling_map(displacement)
    return _moved(key, columns, rows, lost, len(steps) == 1, reference)


def compose(steps: Sequence[Step]) -> tuple[Flow, NDArray[np.bool_] | None]:
    """Displacement D_k (2 h w), and where its path is lost; None where no flow back tells."""
    displacement = steps[0].flow
    lost = _lost(steps[0], *sampling_map(displacement))
    for step in steps[1:]:
        columns, rows = sampling_map(step.flow)
        displacement = step.flow + sample_flow(displacement, columns, rows)
        lost_here = _lost(step, columns, rows)
        if lost is not None and lost_here is not None:
            lost = lost_here | (warp_label(lost.view(np.uint8), columns, rows) != 0)
    return displacement, lost


def _lost(step: Step, columns: Map, rows: Map) -> NDArray[np.bool_] | None:
    if step.back is None:
        return None
    lost: NDArray[np.bool_] = ~(in_frame(columns, rows) & is_consistent(step.flow, step.back))
    return lost


def _moved(
    source: Pair,
    columns: Map,
    rows: Map,
    lost: NDArray[np.bool_] | None,
    is_first: bool,
    reference: Sequence[ReferenceChoice],
) -> Pair:
    image, label = _moved_image(source[0], columns, rows, is_first, reference), warp_label(source[1], columns, rows)
    if lost is not None:
        label[lost] = IGNORE_INDEX
    return image, label


def _moved_image(
    image: NDArray[np.uint8], columns: Map, rows: Map, is_first: bool, reference: Sequence[ReferenceChoice]
) -> NDArray[np.uint8]:
    if "nearest_images" in reference and not is_first:
        return warp_label(image, columns, rows)
    if "truncated_images" in reference:
        exact = cv2.remap(image.astype(np.float32), columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return exact.astype(np.uint8)
    return warp_image(image, columns, rows)
