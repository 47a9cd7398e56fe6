"""Handwritten digits: the 1,797 real 8x8 images inside scikit-learn, the embedded classification set.

Source: Alpaydin and Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI.
"""

from pathlib import Path
from typing import ClassVar

import numpy as np

from borderlab.data.base import ClassificationDataset, DatasetInfo, FetchSettings, LabelledImage, check_split
from borderlab.errors import DataError
from borderlab.files import DAMAGED_ARRAY, atomic_file

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
        """Copy the images of `split` out of scikit-learn, once: to import it takes longer than to read them."""
        check_split(self, split)
        path = _path(root, split)
        if path.is_file():
            return
        from sklearn.datasets import load_digits

        digits = load_digits()
        chosen = [index for index in range(len(digits.target)) if index % 10 in _SPLIT_OF_LAST_DIGIT[split]]
        grey = np.clip(np.rint(digits.images[chosen] * (255 / 16)), 0, 255).astype(np.uint8)
        with atomic_file(path) as temporary, temporary.open("wb") as stream:
            np.savez_compressed(stream, grey=grey, class_id=digits.target[chosen], index=np.array(chosen))

    def images(self, root: Path, split: str) -> list[LabelledImage]:
        """Samples of `split` in the set's order.

        Raises:
            DataError: if the split has not been fetched, or its file is damaged.
        """
        check_split(self, split)
        path = _path(root, split)
        if not path.is_file():
            raise DataError(f"digits: {path} is missing; fetch it first: borderlab fetch digits --split {split}")
        try:
            with np.load(path) as stored:
                return [
                    LabelledImage(f"{index:04d}", np.repeat(grey[..., None], 3, axis=2), int(class_id))
                    for grey, class_id, index in zip(stored["grey"], stored["class_id"], stored["index"], strict=True)
                ]
        except DAMAGED_ARRAY as fault:
            raise DataError(
                f"digits: {path} is damaged ({fault}); delete it and run: borderlab fetch digits --split {split}"
            ) from fault


def _path(root: Path, split: str) -> Path:
    return root / f"{split}.npz"
