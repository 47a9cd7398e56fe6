"""Cityscapes' label ids against the table of the official package."""

import pytest

from borderlab.data.base import IGNORE_INDEX
from borderlab.data.cityscapes import LABEL_IDS, label_id_lut


def test_label_ids_are_those_of_the_official_package() -> None:
    official = pytest.importorskip(
        "cityscapesscripts.helpers.labels", reason="install borderlab[cityscapes] to compare with the official table"
    )
    lut = label_id_lut()
    for label in official.labels:
        if label.id >= 0:
            assert lut[label.id] == (label.trainId if label.trainId != 255 else IGNORE_INDEX), label.name
    assert {official.name2label[name].id for name in LABEL_IDS} == set(LABEL_IDS.values())
    assert [official.name2label[name].trainId for name in LABEL_IDS] == list(range(19))
    assert (lut[34:255] == -1).all()
