"""Recursive propagation on CamVid's dense clip against figures measured by another implementation.

The protocol: 480x360, key frames 0..95 of 101, forwards, border repeated, mIoU over all 96 targets at each distance.
The figures were measured with OpenCV 5.0 by code that shares nothing with this package.
"""

import pytest

from borderlab.data.camvid import CamVid
from borderlab.data.decode import read_label
from borderlab.propagation.estimate import estimate_motion
from borderlab.propagation.score import DistanceScore
from borderlab.propagation.synthesis import TRAIN_ID_LUT, synthesise
from borderlab.spec import DatasetSpec, KeyframesSpec, SynthesisSpec

STARTS = 96
EVERY_FRAME = KeyframesSpec(stride=1, offset=0)
MIOU_PCT = {
    "copy": (74.26, 64.28, 57.94, 54.22, 51.75),
    "dis_ultrafast": (87.89, 84.73, 82.06, 79.53, 77.41),
}
ERROR_PCT = {"copy": (5.01, 7.51, 9.53, 11.03, 12.28), "dis_ultrafast": (2.67, 3.21, 3.68, 4.16, 4.57)}


def score_recursion(model, root, folder, max_distance, void_occluded=False):
    """Rows at distances 1..max_distance over the first 96 key frames."""
    dataset = CamVid()
    motion = folder / "motion"
    estimate_motion(dataset, root, "val", EVERY_FRAME, model, max_distance, motion)
    frames = dataset.clips(root, "val")[0].frames
    rows, previous = [], None
    for distance in range(1, max_distance + 1):
        spec = SynthesisSpec(
            dataset=DatasetSpec(key="camvid", name="camvid", identity=dataset.identity),
            split="val",
            keyframes=EVERY_FRAME,
            motion=model,
            distance=distance,
            void_occluded=void_occluded,
        )
        step = folder / str(distance)
        manifest = synthesise(dataset, root, "val", spec, motion, previous, step)
        score = DistanceScore(len(dataset.info.classes))
        for sample in manifest["samples"][:STARTS]:
            truth = read_label(frames[sample["target_index"]].label, dataset.label_lut)
            score.update(truth, read_label(step / sample["label"], TRAIN_ID_LUT))
        rows.append(score.row(distance, dataset.info.classes))
        previous = step
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("model", MIOU_PCT)
def test_recursion_agrees_with_the_measured_figures(model, camvid_mirror, tmp_path):
    rows = score_recursion(model, camvid_mirror, tmp_path, 5)
    assert [row["n_frames"] for row in rows] == [STARTS] * 5
    assert [row["miou_pct"] for row in rows] == pytest.approx(MIOU_PCT[model], abs=0.1)
    assert [row["error_pct"] for row in rows] == pytest.approx(ERROR_PCT[model], abs=0.02)
