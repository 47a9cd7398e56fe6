"""How large the splits of data sets are, for a budget: as their makers tell, or as their settings decide."""

from dataclasses import dataclass

from borderlab.data.base import Dataset
from borderlab.data.streets.options import SPLITS, StreetsOptions
from borderlab.errors import ConfigError
from borderlab.spec import KeyframesSpec

# Samples of splits, from the data sets' own pages; (name in the registry, split).
_N_SAMPLES = {
    ("camvid", "test"): 233,
    ("camvid", "train"): 367,
    ("camvid", "val"): 101,
    ("cifar10", "test"): 10_000,
    ("cifar10", "train"): 50_000,
    ("cityscapes", "train"): 2_975,
    ("cityscapes", "val"): 500,
    ("digits", "train"): 1_260,
    ("digits", "val"): 179,
    ("digits", "test"): 358,
    ("fashion_mnist", "test"): 10_000,
    ("fashion_mnist", "train"): 60_000,
    ("imagenet", "train"): 1_281_167,
    ("imagenet", "val"): 50_000,
    ("imagenette", "train"): 9_469,
    ("imagenette", "val"): 3_925,
}


@dataclass(frozen=True)
class Video:
    """Clips of a split; pixels of a frame."""

    n_clips: int
    frames_per_clip: int
    height: int
    width: int

    def n_keyframes(self, keyframes: KeyframesSpec) -> int:
        """Frames that keep their label."""
        return self.n_clips * len(range(keyframes.offset, self.frames_per_clip, keyframes.stride))


_VIDEOS = {
    ("camvid", "val"): Video(1, 101, 360, 480),
    ("cityscapes", "train"): Video(2_975, 30, 1024, 2048),
    ("cityscapes", "val"): Video(500, 30, 1024, 2048),
}


def n_samples(dataset: Dataset, split: str) -> int:
    """Samples of `split`.

    Raises:
        ConfigError: if nobody told.
    """
    if isinstance(dataset.options, StreetsOptions):
        clips = video(dataset, split)
        return clips.n_clips * clips.frames_per_clip
    try:
        return _N_SAMPLES[dataset.info.name, split]
    except KeyError:
        raise ConfigError(f"{dataset.info.name} {split}: size unknown; set recipe.samples_per_epoch") from None


def video(dataset: Dataset, split: str) -> Video:
    """Clips of `split`.

    Raises:
        ConfigError: if nobody told.
    """
    options = dataset.options
    if isinstance(options, StreetsOptions):
        n_clips = next(options.clip_count(known) for known in SPLITS if known == split)
        return Video(n_clips, options.frames_per_clip, options.height, options.width)
    try:
        return _VIDEOS[dataset.info.name, split]
    except KeyError:
        raise ConfigError(f"{dataset.info.name} {split}: number or size of frames unknown to the budget") from None
