"""Handwritten digits: the 1,797 real 8x8 images inside scikit-learn, the embedded classification set.

Source: Alpaydin and Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI.
"""

from pathlib import Path
from typing import ClassVar

import numpy as np

from borderlab.data.base import ClassificationDataset, DatasetInfo, FetchSettings, LabelledImage, check_split

# Of every ten images in the set's order: seven for training, one to validate, two to test.
_SPLIT_OF_LAST_DIGIT = {"train": (0, 1, 2, 3, 4, 5, 6), "val": (7,), "test": (8, 9)}


class Digits(ClassificationDataset):
    """Real 8x8 digits, grey values 0..16 brought to 0..255, repeated over three channels."""

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="digits",
        title="Handwritten digits 8x8 (scikit-learn)",
        version="1",
        classes=tuple(str(digit) for digit in range(10)),
        access="embedded",
        homepage="https://scikit-learn.org/stable/datasets/toy_dataset.html",
        licence="CC BY 4.0 (UCI)",
        notes=("The same writers may stand in several splits: good for machinery, not for claims.",),
    )
    splits: ClassVar[tuple[str, ...]] = ("train", "val", "test")

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        check_split(self, split)

    def images(self, root: Path, split: str) -> list[LabelledImage]:
        from sklearn.datasets import load_digits

        check_split(self, split)
        digits = load_digits()
        grey = np.clip(np.rint(digits.images * (255 / 16)), 0, 255).astype(np.uint8)
        return [
            LabelledImage(f"{index:04d}", np.repeat(grey[index][..., None], 3, axis=2), int(digits.target[index]))
            for index in range(len(grey))
            if index % 10 in _SPLIT_OF_LAST_DIGIT[split]
        ]
