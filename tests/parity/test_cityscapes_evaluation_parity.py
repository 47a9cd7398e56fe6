"""Cityscapes' official evaluation beside ours, on the same small predictions, to the last digit that it prints."""

from importlib import import_module

import cv2
import numpy as np
import pytest

from borderlab.data.cityscapes import LABEL_IDS, label_id_lut
from borderlab.evaluation.confusion import ConfusionMatrix

CITIES = ("aachen", "ulm")
SIZE = (48, 64)


@pytest.fixture
def official(tmp_path, monkeypatch):
    """The official script on three images; it reads its folders from the environment when it is imported."""
    pytest.importorskip("cityscapesscripts", reason="needs the extra `cityscapes`: pip install 'borderlab[cityscapes]'")
    monkeypatch.setenv("CITYSCAPES_DATASET", str(tmp_path))
    monkeypatch.setenv("CITYSCAPES_RESULTS", str(tmp_path / "results"))
    script = import_module("cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling")

    monkeypatch.setattr(script.args, "quiet", True)
    monkeypatch.setattr(script.args, "evalInstLevelScore", False)
    monkeypatch.setattr(script.args, "JSONOutput", False)
    return script


def blocks(random, ids, side):
    coarse = random.choice(ids, (SIZE[0] // side, SIZE[1] // side))
    return np.kron(coarse, np.ones((side, side), int)).astype(np.uint8)


def test_iou_is_the_official_one_to_the_last_printed_digit(official, tmp_path):
    random = np.random.default_rng(0)
    lut = label_id_lut()
    matrix = ConfusionMatrix(len(LABEL_IDS))
    predictions, truths = [], []
    for index in range(3):
        # Every label id of the set, void ones too; a tenth of the blocks is predicted otherwise.
        truth = blocks(random, np.arange(34), 4)
        wrong = blocks(random, list(LABEL_IDS.values()), 8)
        pred = np.where(np.isin(truth, list(LABEL_IDS.values())) & (random.random(SIZE) < 0.7), truth, wrong)
        for kind, pixels, paths in (("gt", truth, truths), ("pred", pred.astype(np.uint8), predictions)):
            path = tmp_path / f"{CITIES[index % 2]}_{index:06d}_000019_{kind}_labelIds.png"
            assert cv2.imwrite(str(path), pixels)
            paths.append(str(path))
        matrix.update(lut[truth].astype(np.uint8), lut[pred].astype(np.uint8))
    theirs = official.evaluateImgLists(predictions, truths, official.args)
    ours = matrix.iou()
    for name, iou in zip(LABEL_IDS, ours, strict=True):
        assert f"{iou:.3f}" == f"{theirs['classScores'][name]:.3f}", name
        assert iou == pytest.approx(theirs["classScores"][name], abs=1e-12)
    assert matrix.miou() == pytest.approx(theirs["averageScoreClasses"], abs=1e-12)
