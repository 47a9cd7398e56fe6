"""Loading of training samples, beside the usual way: Pillow and torchvision.transforms.v2.

One thread, process CPU time, the two arms in turn on the same files; the figure is the ratio of medians. Floors: 2.0
for a segmentation sample, 1.7 for an ImageNet-style sample.
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
from numpy.random import default_rng
from PIL import Image

import borderlab.torchvision_compat  # noqa: F401  (must come before torchvision)
from borderlab.data.augment import augment_classification, augment_segmentation
from borderlab.data.base import Frame
from borderlab.data.camvid import CamVid
from borderlab.data.decode import read_image, read_pair
from borderlab.data.loader import Normalisation
from borderlab.spec import AugmentSpec

from torchvision.transforms import v2  # isort: skip
from torchvision import tv_tensors  # isort: skip

ROUNDS = 15
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    yield
    torch.set_num_threads(threads)
    cv2.setNumThreads(-1)


def ratio(benchmark: Any, ours: Callable[[int], object], usual: Callable[[int], object], n_samples: int) -> float:
    """CPU time of the usual way over ours: medians over rounds of all samples, in turn."""
    if benchmark.disabled:
        pytest.skip("a floor on speed means nothing on a busy machine: `make benchmark` runs it")
    times: dict[str, list[float]] = {"ours": [], "usual": []}

    def round_of(name: str, load: Callable[[int], object]) -> None:
        begun = time.process_time()
        for index in range(n_samples):
            load(index)
        times[name].append(time.process_time() - begun)

    def one_round() -> None:
        round_of("ours", ours)
        round_of("usual", usual)

    benchmark.pedantic(one_round, rounds=ROUNDS, warmup_rounds=2)
    medians = {name: statistics.median(values[2:]) for name, values in times.items()}
    found = medians["usual"] / medians["ours"]
    rate = n_samples / medians["ours"]
    benchmark.extra_info.update(ratio=round(found, 2), samples_per_s=round(rate, 1), samples=n_samples)
    return found


def normalised(image: np.ndarray) -> torch.Tensor:
    return Normalisation(MEAN, STD)(torch.from_numpy(image)[None])[0]


SEGMENTATION = AugmentSpec(crop=(360, 360), scale=(0.5, 2.0), brightness=0.25, contrast=0.25, saturation=0.25, hue=0.25)


def usual_segmentation(frame: Frame) -> tuple[torch.Tensor, torch.Tensor]:
    """Decode with Pillow, scale, crop, flip, jitter and normalise with torchvision."""
    assert frame.label is not None
    with Image.open(frame.image) as image, Image.open(frame.label) as label:
        pixels, mask = tv_tensors.Image(image.convert("RGB")), tv_tensors.Mask(np.array(label))
    steps = v2.Compose(
        [
            v2.ScaleJitter((360, 480), (0.5, 2.0), antialias=True),
            v2.RandomCrop(360, pad_if_needed=True, fill={tv_tensors.Image: 0, tv_tensors.Mask: 255}),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(0.25, 0.25, 0.25, 0.25),
            v2.ToDtype({tv_tensors.Image: torch.float32, tv_tensors.Mask: torch.int64}, scale=True),
            v2.Normalize(MEAN, STD),
        ]
    )
    result: tuple[torch.Tensor, torch.Tensor] = steps(pixels, mask)
    return result


@pytest.mark.benchmark(group="loading a segmentation sample")
@pytest.mark.parametrize("decoded", [False, True], ids=["from files", "decoded in memory"])
def test_segmentation_sample(benchmark: Any, camvid_mirror: Path, decoded: bool) -> None:
    frames = CamVid().frames(camvid_mirror, "train")[:12]
    lut = CamVid().label_lut
    kept = [read_pair(frame, lut) for frame in frames]
    random = default_rng(0)

    def ours(index: int) -> object:
        image, label = kept[index] if decoded else read_pair(frames[index], lut)
        sample, ids = augment_segmentation(image, label, SEGMENTATION, (0, 0, 0), random)
        return normalised(sample), torch.from_numpy(ids).long()

    found = ratio(benchmark, ours, lambda index: usual_segmentation(frames[index]), len(frames))
    assert found >= 2.0


CLASSIFICATION = AugmentSpec(crop=(224, 224), scale=(0.08, 1.0), aspect=(0.75, 4 / 3))


@pytest.fixture
def photographs(camvid_mirror: Path, tmp_path: Path) -> list[Path]:
    """JPEGs of 500x375 pixels, quality 90, as ImageNet's typical ones: real photographs, brought to that size."""
    paths = []
    for index, frame in enumerate(CamVid().frames(camvid_mirror, "train")[:16]):
        with Image.open(frame.image) as image:
            image.convert("RGB").resize((500, 375), Image.Resampling.LANCZOS).save(
                tmp_path / f"{index}.jpg", quality=90
            )
        paths.append(tmp_path / f"{index}.jpg")
    return paths


@pytest.mark.benchmark(group="loading an ImageNet-style sample")
def test_classification_sample(benchmark: Any, photographs: list[Path]) -> None:
    random = default_rng(0)
    steps = v2.Compose(
        [
            v2.RandomResizedCrop(224, antialias=True),
            v2.RandomHorizontalFlip(),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
        ]
    )

    def usual(index: int) -> object:
        with Image.open(photographs[index]) as image:
            return steps(image.convert("RGB"))

    def ours(index: int) -> object:
        return normalised(augment_classification(read_image(photographs[index]), CLASSIFICATION, random))

    assert ratio(benchmark, ours, usual, len(photographs)) >= 1.7
