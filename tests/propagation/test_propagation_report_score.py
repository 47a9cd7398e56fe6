"""A score's folder: its numbers and its pictures."""

import cv2
import numpy as np

from borderlab.files import read_json
from borderlab.propagation.report_score import write_score
from borderlab.propagation.score import score_propagation
from borderlab.spec import DatasetSpec, ScoreSpec


def test_score_holds_the_rows_and_pictures_of_every_distance(lab):
    motion, _ = lab.estimate()
    folders = lab.synthesise_all(motion, 2)
    spec = ScoreSpec(
        dataset=DatasetSpec(key="my blocks", name="blocks", identity="0"),
        split="val",
        keyframes=lab.keyframes,
        motion="truth",
        max_distance=2,
        void_occluded=True,
    )
    folder = lab.folder / "score"
    write_score(lab.dataset, lab.root, spec, folders, motion, folder)
    content = read_json(folder / "score.json")
    assert content["rows"] == score_propagation(lab.dataset, lab.root, "val", folders, motion)
    assert (content["dataset"], content["split"], content["motion"]) == ("my blocks", "val", "truth")
    # Key 1 of `long` has no frame -1; key 5 is the one that reaches all four distances.
    assert [path.name for path in (folder / "pictures").iterdir()] == ["long-00005"]
    shown = folder / "pictures" / "long-00005"
    assert sorted(path.name for path in shown.iterdir()) == ["+1", "+2", "-1", "-2"]
    moved = cv2.imread(str(shown / "+2" / "moved_frame.png"))
    np.testing.assert_array_equal(moved, cv2.imread(str(folders[2] / "long" / "000" / "00005_to_00007_image.png")))
    assert sorted(path.name for path in (shown / "-1").iterdir()) == [
        "frame.png",
        "label.png",
        "moved_frame.png",
        "moved_label.png",
    ]
