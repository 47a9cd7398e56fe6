"""Data sets: one file and one registry line each.

Importing this package imports neither torch nor OpenCV nor scikit-learn: the workflow does it each time it plans.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from borderlab.data.base import Dataset
from borderlab.data.camvid import CamVid
from borderlab.data.camvid_full import CamVidFull
from borderlab.data.cifar10 import Cifar10
from borderlab.data.cityscapes import Cityscapes
from borderlab.data.digits import Digits
from borderlab.data.fashion_mnist import FashionMnist
from borderlab.data.imagenet import ImageNet
from borderlab.data.imagenette import Imagenette
from borderlab.data.kitti import Kitti
from borderlab.data.mapillary import Mapillary
from borderlab.data.streets.dataset import Streets
from borderlab.errors import ConfigError

_CLASSES: tuple[type[Dataset], ...] = (
    CamVid,
    CamVidFull,
    Cifar10,
    Cityscapes,
    Digits,
    FashionMnist,
    ImageNet,
    Imagenette,
    Kitti,
    Mapillary,
    Streets,
)

DATASETS: dict[str, type[Dataset]] = {}
for _dataset in _CLASSES:
    if _dataset.info.name in DATASETS:
        raise ValueError(f"data set registered twice: {_dataset.info.name}")
    DATASETS[_dataset.info.name] = _dataset


def create_dataset(name: str, options: Mapping[str, Any] | None = None) -> Dataset:
    """The data set `name` with the given options.

    Raises:
        ConfigError: if there is none of this name, or an option is unknown or out of range.
    """
    if name not in DATASETS:
        raise ConfigError(f"data set {name!r} does not exist; allowed: {', '.join(sorted(DATASETS))}")
    dataset = DATASETS[name]
    try:
        return dataset(dataset.options_model.model_validate(dict(options or {})))
    except ValidationError as fault:
        first = fault.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        allowed = ", ".join(dataset.options_model.model_fields) or "none"
        raise ConfigError(f"{key}: got {first['input']!r}; {first['msg']} (options: {allowed})") from fault
