"""The example of docs/add_a_data_set.md works as it stands."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from borderlab import data
from borderlab.data.base import Dataset, FetchSettings, SegmentationDataset
from borderlab.data.decode import read_pair
from borderlab.errors import DataError


def test_documented_data_set_works(repository: Path, tmp_path: Path) -> None:
    text = (repository / "docs" / "add_a_data_set.md").read_text(encoding="utf-8")
    code, listing = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    # The place that the second block names is there.
    assert "_CLASSES = (" in listing
    assert all(issubclass(listed, Dataset) for listed in data._CLASSES)
    names: dict[str, object] = {}
    exec(code, names)  # the code under test is the project's own documentation
    dataset = names["MyRoads"]()  # type: ignore[operator]
    assert isinstance(dataset, SegmentationDataset)
    with pytest.raises(DataError, match="holds no labelled frames"):
        dataset.fetch(tmp_path, "train", FetchSettings())
    video = tmp_path / "train" / "monday"
    video.mkdir(parents=True)
    for index in range(3):
        cv2.imwrite(str(video / f"{index:03d}.png"), np.full((6, 8, 3), 50, np.uint8))
    cv2.imwrite(str(video / "001_label.png"), np.full((6, 8), 2, np.uint8))
    dataset.fetch(tmp_path, "train", FetchSettings())
    (clip,) = dataset.clips(tmp_path, "train")
    assert [frame.label is not None for frame in clip.frames] == [False, True, False]
    _, label = read_pair(dataset.frames(tmp_path, "train")[0], dataset.label_lut)
    assert (label == 2).all()
