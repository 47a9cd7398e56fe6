"""Loading of training samples, beside the usual way: Pillow and torchvision.transforms.v2.

Both sides are a loader that yields a batch, normalised and collated. The usual way comes in two kinds, on Pillow's
images and on tensors; the figure is the faster kind's median over ours. One thread, process CPU time, all arms in turn
on the same files; both sides decode, or neither. Floors: 2.0 for a segmentation sample, 1.7 for an ImageNet-style
sample.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

import borderlab.torchvision_compat  # noqa: F401  (must come before torchvision)
from borderlab.data.augment import augment_classification, augment_segmentation
from borderlab.data.base import Frame
from borderlab.data.camvid import CamVid
from borderlab.data.decode import read_image, read_pair
from borderlab.data.loader import Change, InMemory, Normalisation, Sample, SampleSource, TrainingLoader
from borderlab.spec import AugmentSpec

from torchvision.transforms import v2  # isort: skip
from torchvision import tv_tensors  # isort: skip

ROUNDS, WARM_UP = 15, 2
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
KINDS = ["pillow", "tensor"]
Epoch = Callable[[], object]


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads, opencv_threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    yield
    torch.set_num_threads(threads)
    cv2.setNumThreads(opencv_threads)


def ratio(benchmark: Any, ours: Epoch, usual: dict[str, Epoch], n_samples: int) -> float:
    """CPU time of the faster usual way over ours: medians over rounds of all samples, in turn."""
    if benchmark.disabled:
        pytest.skip("a floor on speed means nothing on a busy machine: `make benchmark` runs it")
    arms = {"ours": ours, **usual}
    times: dict[str, list[float]] = {name: [] for name in arms}

    def one_round() -> None:
        for name, epoch in arms.items():
            begun = time.process_time()
            epoch()
            times[name].append(time.process_time() - begun)

    benchmark.pedantic(one_round, rounds=ROUNDS, warmup_rounds=WARM_UP)
    medians = {name: statistics.median(values[WARM_UP:]) for name, values in times.items()}
    found = min(medians[name] for name in usual) / medians["ours"]
    rates = {name: round(n_samples / median, 1) for name, median in medians.items()}
    benchmark.extra_info.update(ratio=round(found, 2), samples_per_s=rates, samples=n_samples)
    return found


def require(found: float, floor: float) -> None:
    if found < floor:
        pytest.fail(f"{found:.2f} times as fast as the usual way; the floor is {floor}")


class Source:
    """Samples by a function of their index."""

    def __init__(self, n: int, load: Callable[[int], Any]) -> None:
        self.n, self.load = n, load

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> Any:
        return self.load(index)

    def sample_id(self, index: int) -> str:
        return str(index)


def our_epoch(source: SampleSource, change: Change) -> Epoch:
    loader = TrainingLoader(source, change, Normalisation(MEAN, STD), batch_size=len(source), seed=0)

    def epoch() -> object:
        loader.set_epoch(loader.epoch + 1)
        return list(loader)

    return epoch


def usual_epoch(n: int, load: Callable[[int], tuple[Any, Any]], kind: str, *changes: v2.Transform) -> Epoch:
    """The changes between decoding and normalisation, on Pillow's images or on tensors."""
    types = {tv_tensors.Image: torch.float32, tv_tensors.Mask: torch.int64, "others": None}
    before, after = ([v2.ToImage()], []) if kind == "tensor" else ([], [v2.ToImage()])
    steps = v2.Compose([*before, *changes, *after, v2.ToDtype(types, scale=True), v2.Normalize(MEAN, STD)])
    loader: DataLoader[Any] = DataLoader(
        Source(n, lambda index: steps(*load(index))),  # type: ignore[arg-type]
        batch_size=n,
        shuffle=True,
    )
    return lambda: list(loader)


SEGMENTATION = AugmentSpec(crop=(360, 360), scale=(0.5, 2.0), brightness=0.25, contrast=0.25, saturation=0.25, hue=0.25)


def change_frame(image: Any, target: Any, random: Any) -> Sample:
    return augment_segmentation(image, target, SEGMENTATION, (124, 116, 104), random)


def usual_pair(frame: Frame) -> tuple[Image.Image, tv_tensors.Mask]:
    assert frame.label is not None
    with Image.open(frame.image) as image, Image.open(frame.label) as label:
        return image.convert("RGB"), tv_tensors.Mask(np.array(label))


def usual_segmentation(n: int, load: Callable[[int], tuple[Any, Any]], kind: str) -> Epoch:
    fill = {Image.Image: 0, tv_tensors.Image: 0, tv_tensors.Mask: 255}
    return usual_epoch(
        n,
        load,
        kind,
        v2.ScaleJitter((360, 480), (0.5, 2.0), antialias=True),
        v2.RandomCrop(360, pad_if_needed=True, fill=fill),
        v2.RandomHorizontalFlip(),
        v2.ColorJitter(0.25, 0.25, 0.25, 0.25),
    )


@pytest.mark.benchmark(group="loading a segmentation sample")
@pytest.mark.parametrize("decoded", [False, True], ids=["from files", "decoded in memory"])
def test_segmentation_sample(benchmark: Any, camvid_mirror: Path, decoded: bool) -> None:
    frames = CamVid().frames(camvid_mirror, "train")[:12]
    lut = CamVid().label_lut
    source = Source(len(frames), lambda index: read_pair(frames[index], lut))
    usually_kept = [usual_pair(frame) for frame in frames] if decoded else []

    def load(index: int) -> tuple[Image.Image, tv_tensors.Mask]:
        return usually_kept[index] if decoded else usual_pair(frames[index])

    ours = our_epoch(InMemory(source) if decoded else source, change_frame)
    usual = {kind: usual_segmentation(len(frames), load, kind) for kind in KINDS}
    require(ratio(benchmark, ours, usual, len(frames)), 2.0)


CLASSIFICATION = AugmentSpec(crop=(224, 224), scale=(0.08, 1.0), aspect=(0.75, 4 / 3))


@pytest.fixture
def photographs(camvid_mirror: Path, tmp_path: Path) -> list[Path]:
    """JPEGs of 500x375 pixels, quality 90, as ImageNet's typical ones: real photographs, brought to that size."""
    paths = [tmp_path / f"{index}.jpg" for index in range(16)]
    for path, frame in zip(paths, CamVid().frames(camvid_mirror, "train")[: len(paths)], strict=True):
        with Image.open(frame.image) as image:
            image.convert("RGB").resize((500, 375), Image.Resampling.LANCZOS).save(path, quality=90)
    return paths


def change_image(image: Any, target: Any, random: Any) -> Sample:
    return augment_classification(image, CLASSIFICATION, random), target


def usual_classification(photographs: list[Path], kind: str) -> Epoch:
    def load(index: int) -> tuple[Image.Image, int]:
        with Image.open(photographs[index]) as image:
            return image.convert("RGB"), index

    changes = v2.RandomResizedCrop(224, antialias=True), v2.RandomHorizontalFlip()
    return usual_epoch(len(photographs), load, kind, *changes)


@pytest.mark.benchmark(group="loading an ImageNet-style sample")
def test_classification_sample(benchmark: Any, photographs: list[Path]) -> None:
    source = Source(len(photographs), lambda index: (read_image(photographs[index]), index))
    usual = {kind: usual_classification(photographs, kind) for kind in KINDS}
    require(ratio(benchmark, our_epoch(source, change_image), usual, len(photographs)), 1.7)
