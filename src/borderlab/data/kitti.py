"""KITTI semantic segmentation: 200 labelled street scenes with Cityscapes' classes; the user's own copy.

training/image_2/000000_10.png ...     the labelled frame of each scene
training/semantic/000000_10.png
training/image_2/000000_00.png ...     the multi-view extension: frames 00..20 of each scene (optional)
"""

from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from borderlab.data.base import (
    Clip,
    DatasetInfo,
    FetchSettings,
    Frame,
    Options,
    SegmentationDataset,
    check_split,
)
from borderlab.data.cityscapes import LABEL_IDS, label_id_lut
from borderlab.errors import DataError

N_SCENES, N_FOLDS = 200, 10
LABELLED_FRAME, LAST_FRAME = 10, 20
INTERVAL_S = 0.1


class KittiOptions(Options):
    """Which of ten folds is held out."""

    fold: Annotated[int, Field(ge=0, lt=N_FOLDS)] = Field(0, description="Scenes with this last digit are `val`.")
    allow_partial: bool = Field(False, description="Accept fewer scenes than the set has.")


class Kitti(SegmentationDataset):
    """KITTI's 200 training scenes; no split is official, so `fold` holds out every tenth scene."""

    info: ClassVar[DatasetInfo] = DatasetInfo(
        name="kitti",
        title="KITTI semantic segmentation",
        version="2018-04-12",
        classes=tuple(LABEL_IDS),
        access="own copy",
        homepage="https://www.cvlibs.net/datasets/kitti/eval_semseg.php",
        licence="unverified: see the set's page",
        notes=("Labels were corrected on 2018-04-12: use a copy from after that day.",),
    )
    splits: ClassVar[tuple[str, ...]] = ("train", "val")
    options_model: ClassVar[type[Options]] = KittiOptions

    @property
    def label_lut(self) -> NDArray[np.int16]:
        return label_id_lut()

    def fetch(self, root: Path, split: str, settings: FetchSettings) -> None:
        check_split(self, split)
        found = len(self._scenes(root))
        if found != N_SCENES and not self.options.model_dump()["allow_partial"]:
            raise DataError(
                f"{root / 'training'}: has {found} labelled scenes, not {N_SCENES}; {self._instructions(root)}"
            )

    def frames(self, root: Path, split: str) -> list[Frame]:
        check_split(self, split)
        fold = self.options.model_dump()["fold"]
        scenes = [scene for scene in self._scenes(root) if (int(scene) % N_FOLDS == fold) == (split == "val")]
        return [_frame(root, scene, LABELLED_FRAME) for scene in scenes]

    def clips(self, root: Path, split: str) -> list[Clip]:
        """Twenty-one frames around each labelled one, from the multi-view extension.

        Raises:
            DataError: if frames of it are missing.
        """
        clips = []
        for labelled in self.frames(root, split):
            scene = labelled.image.name.split("_")[0]
            frames = tuple(_frame(root, scene, number) for number in range(LAST_FRAME + 1))
            missing = [frame.image for frame in frames if not frame.image.is_file()]
            if missing:
                raise DataError(f"{missing[0]}: is missing; propagation needs KITTI's multi-view extension in {root}")
            clips.append(Clip(scene, frames, INTERVAL_S))
        return clips

    def _scenes(self, root: Path) -> list[str]:
        """Numbers of the scenes that have a label."""
        labels = sorted((root / "training" / "semantic").glob(f"*_{LABELLED_FRAME}.png"))
        if not labels:
            raise DataError(f"{root / 'training' / 'semantic'}: holds no labels; {self._instructions(root)}")
        for label in labels:
            if not (root / "training" / "image_2" / label.name).is_file():
                raise DataError(f"{root / 'training' / 'image_2' / label.name}: is missing; complete your copy")
        return [label.name.split("_")[0] for label in labels]

    def _instructions(self, root: Path) -> str:
        return f"register at {self.info.homepage} and extract data_semantics.zip into {root}"


def _frame(root: Path, scene: str, number: int) -> Frame:
    name = f"{scene}_{number:02d}.png"
    label = root / "training" / "semantic" / name if number == LABELLED_FRAME else None
    return Frame(f"training/{scene}_{number:02d}", root / "training" / "image_2" / name, label)
