"""Outputs of an ImageNet classifier that stand for the classes of a data set."""

from borderlab.data import imagenet, imagenette
from borderlab.data.base import ClassificationDataset, Dataset

_WNIDS = {
    imagenet.ImageNet.info.name: tuple(imagenet.CLASSES),
    imagenette.Imagenette.info.name: imagenette.WNIDS,
}


def imagenet_ids(dataset: Dataset) -> tuple[int, ...] | None:
    """Index 0..999 of each class of `dataset` among ImageNet's, which are sorted by wnid; None for other classes."""
    wnids = _WNIDS.get(dataset.info.name) if isinstance(dataset, ClassificationDataset) else None
    if wnids is None:
        return None
    place = {wnid: index for index, wnid in enumerate(sorted(imagenet.CLASSES))}
    return tuple(place[wnid] for wnid in wnids)
