"""How large the splits of the registered data sets are, told without opening them: what a budget counts with.

No result depends on it. It stands beside the data sets, not in them: their code counts into the names of results.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from borderlab.data import camvid, cityscapes, imagenet, kitti, mapillary
from borderlab.data.base import Dataset
from borderlab.data.camvid_full import STORED
from borderlab.data.streets.options import SPLITS, StreetsOptions


@dataclass(frozen=True)
class Video:
    """Clips of equal length; height and width of a frame in pixels."""

    n_clips: int
    n_frames: int
    height: int
    width: int


Counts = Mapping[str, int]
Videos = Mapping[str, Video]


def n_samples(dataset: Dataset, split: str) -> int | None:
    """Labelled samples of a split; None if that is known of the files alone."""
    return _COUNTS[dataset.info.name](dataset).get(split) if dataset.info.name in _COUNTS else None


def video(dataset: Dataset, split: str) -> Video | None:
    """Clips of a split; None if it has none, or they are known of the files alone."""
    return _VIDEOS[dataset.info.name](dataset).get(split) if dataset.info.name in _VIDEOS else None


def _fixed(counts: Counts, _: Dataset) -> Counts:
    return counts


def _camvid_counts(_: Dataset) -> Counts:
    """From the manifest, which lists every frame."""
    paths = [file.path.split("/") for file in camvid.manifest() if file.path.count("/") == 1]
    counts = {split: sum(path[0] == split for path in paths) for split in ("train", "val", "test")}
    in_clip = sum(path[0] == "train" and camvid.CLIP_SEQUENCE in path[1] for path in paths)
    return {**counts, "outside_clip": counts["train"] - in_clip}


def _camvid_full_counts(dataset: Dataset) -> Counts:
    small = _camvid_counts(dataset)
    whole = {split: sum(small[stored] for stored in parts) for split, parts in STORED.items()}
    return {**whole, "outside_clip": small["outside_clip"]}


def _kitti_counts(_: Dataset) -> Counts:
    held_out = kitti.N_SCENES // kitti.N_FOLDS
    return {"train": kitti.N_SCENES - held_out, "val": held_out}


def _streets_videos(dataset: Dataset) -> Videos:
    options = dataset.options
    assert isinstance(options, StreetsOptions)  # noqa: S101  (the data set's own model)
    size = (options.frames_per_clip, options.height, options.width)
    return {split: Video(options.clip_count(split), *size) for split in SPLITS}


def _streets_counts(dataset: Dataset) -> Counts:
    return {split: own.n_clips * own.n_frames for split, own in _streets_videos(dataset).items()}


def _camvid_videos(_: Dataset) -> Videos:
    return {"val": Video(1, _camvid_counts(_)["val"], 360, 480)}


def _cityscapes_videos(_: Dataset) -> Videos:
    """Thirty frames around each labelled one."""
    return {split: Video(cityscapes.COUNTS[split], 30, 1024, 2048) for split in ("train", "val", "test")}


_COUNTS: Mapping[str, Callable[[Dataset], Counts]] = {
    "camvid": _camvid_counts,
    "camvid_full": _camvid_full_counts,
    # The sets' own pages.
    "cifar10": partial(_fixed, {"train": 50_000, "test": 10_000}),
    "cityscapes": partial(_fixed, cityscapes.COUNTS),
    # Seven, one and two of every ten of 1,797 images.
    "digits": partial(_fixed, {"train": 1260, "val": 179, "test": 358}),
    "fashion_mnist": partial(_fixed, {"train": 60_000, "test": 10_000}),
    "imagenet": partial(_fixed, imagenet.COUNTS),
    "imagenette": partial(_fixed, {"train": 9_469, "val": 3_925}),
    "kitti": _kitti_counts,
    "mapillary": partial(_fixed, mapillary.COUNTS),
    "streets": _streets_counts,
}
_VIDEOS: Mapping[str, Callable[[Dataset], Videos]] = {
    "camvid": _camvid_videos,
    "cityscapes": _cityscapes_videos,
    "streets": _streets_videos,
}
