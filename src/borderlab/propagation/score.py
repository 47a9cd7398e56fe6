"""How good moved labels are, measured against the true labels of the frames that they were moved to.

Only clips with a label on every frame can tell: `streets`, and the dense clip of CamVid's val split. True void never
counts. What a moved label leaves void is scored twice: as pixels that nobody trains on (left out), and as pixels that
are missing (wrong).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from borderlab.data.base import IGNORE_INDEX, Clip, Frame, SegmentationDataset
from borderlab.data.decode import read_pair
from borderlab.errors import DataError
from borderlab.evaluation.confusion import ConfusionMatrix
from borderlab.propagation.estimate import read_flow
from borderlab.propagation.synthesis import TRAIN_ID_LUT, read_manifest

BOUNDARY_PX = 3

Labels = NDArray[np.uint8]


class DistanceScore:
    """Counts over all samples at one distance."""

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes
        self.known = ConfusionMatrix(n_classes)
        self.all = ConfusionMatrix(n_classes)
        self.boundary = ConfusionMatrix(n_classes)
        self.wrong = self.absorbed = self.void = self.pixels = self.n_frames = 0
        self.image_errors: list[float] = []
        self.endpoint_errors: list[float] = []

    def update(self, truth: Labels, moved: Labels) -> None:
        """Add one sample: true and moved train ids (h w)."""
        counted = truth != IGNORE_INDEX
        known = counted & (moved != IGNORE_INDEX)
        wrong = known & (moved != truth)
        self.all.update(truth, moved)
        self.known.update(np.where(known, truth, IGNORE_INDEX).astype(np.uint8), moved)
        near = known & near_label_boundary(truth, BOUNDARY_PX)
        self.boundary.update(np.where(near, truth, IGNORE_INDEX).astype(np.uint8), moved)
        self.wrong += int(wrong.sum())
        self.absorbed += int((wrong & occurs_within(truth, moved, 1)).sum())
        self.void += int((counted & ~known).sum())
        self.pixels += int(counted.sum())
        self.n_frames += 1

    def row(self, distance: int, names: tuple[str, ...]) -> dict[str, Any]:
        """All figures of this distance; shares are in percent, None where nothing was counted."""
        return {
            "distance": distance,
            "n_frames": self.n_frames,
            "miou_pct": _pct(self.known.miou()),
            "miou_void_wrong_pct": _pct(self.all.miou()),
            "boundary_miou_pct": _pct(self.boundary.miou()),
            "error_pct": _pct(_share(self.wrong, self.known.total)),
            "errors_in_3x3_pct": _pct(_share(self.absorbed, self.wrong)),
            "void_pct": _pct(_share(self.void, self.pixels)),
            "image_mae": float(np.mean(self.image_errors)) if self.image_errors else None,
            "epe_px": float(np.mean(self.endpoint_errors)) if self.endpoint_errors else None,
            "classes": {name: _pct(value) for name, value in zip(names, self.known.iou().tolist(), strict=True)},
        }


def score_propagation(
    dataset: SegmentationDataset,
    root: Path,
    split: str,
    synthesis_folders: Mapping[int, Path],
    motion_folder: Path,
) -> list[dict[str, Any]]:
    """One row for each signed distance, see `DistanceScore.row`.

    Args:
        dataset: data set whose clips have a label on every frame.
        root: its folder.
        split: its split.
        synthesis_folders: samples by signed distance.
        motion_folder: the flows that they followed, for the endpoint error where the true flow is known.

    Raises:
        DataError: if a frame has no true label, or a file is missing or damaged.
    """
    clips = {clip.name: clip for clip in dataset.clips(root, split)}
    rows = []
    for distance in sorted(synthesis_folders):
        folder = synthesis_folders[distance]
        score = DistanceScore(len(dataset.info.classes))
        for sample in read_manifest(folder)["samples"]:
            _add_sample(score, dataset, clips[sample["clip"]], sample, folder)
            _add_flow(score, dataset, root, split, sample, distance, motion_folder)
        rows.append(score.row(distance, dataset.info.classes))
    return rows


def near_label_boundary(label: Labels, radius_px: int) -> NDArray[np.bool_]:
    """Pixels within `radius_px` (Chebyshev) of a pixel of another class; void counts as one."""
    kernel = np.ones((2 * radius_px + 1, 2 * radius_px + 1), np.uint8)
    return cv2.dilate(label, kernel) != cv2.erode(label, kernel)


def occurs_within(wanted: Labels, label: Labels, radius_px: int) -> NDArray[np.bool_]:
    """Whether the class `wanted` of a pixel occurs in `label` within `radius_px` (Chebyshev) of that pixel.

    This is what label relaxation can absorb: the relaxed loss accepts every class of the neighbourhood.
    """
    side = 2 * radius_px + 1
    # 255 lies beyond the image: never a class.
    padded = cv2.copyMakeBorder(label, *(radius_px,) * 4, cv2.BORDER_CONSTANT, value=IGNORE_INDEX)
    height, width = label.shape
    found = np.zeros((height, width), dtype=bool)
    for top in range(side):
        for left in range(side):
            found |= padded[top : top + height, left : left + width] == wanted
    return found & (wanted != IGNORE_INDEX)


def _add_sample(
    score: DistanceScore, dataset: SegmentationDataset, clip: Clip, sample: dict[str, Any], folder: Path
) -> None:
    real = clip.frames[sample["target_index"]]
    if real.label is None:
        raise DataError(f"{real.image}: has no true label, so moved labels cannot be scored here")
    real_image, truth = read_pair(real, dataset.label_lut)
    moved = Frame(sample["sample_id"], folder / sample["image"], folder / sample["label"])
    moved_image, moved_label = read_pair(moved, TRAIN_ID_LUT)
    score.update(truth, moved_label)
    seen = moved_label != IGNORE_INDEX
    if seen.any():
        score.image_errors.append(float(cv2.absdiff(moved_image, real_image)[seen].mean()))


def _add_flow(
    score: DistanceScore,
    dataset: SegmentationDataset,
    root: Path,
    split: str,
    sample: dict[str, Any],
    distance: int,
    motion_folder: Path,
) -> None:
    """Endpoint error of the last step's flow, where the true flow is known."""
    target = sample["target_index"]
    neighbour = target - 1 if distance > 0 else target + 1
    true_flow = dataset.true_flow(root, split, sample["clip"], target, neighbour)
    if true_flow is not None:
        flow = read_flow(motion_folder, sample["clip"], target, neighbour)
        score.endpoint_errors.append(float(np.hypot(*(flow - true_flow)).mean()))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _pct(share: float) -> float | None:
    return None if np.isnan(share) else 100.0 * share
