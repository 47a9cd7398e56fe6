"""A training step of the GPU experiment: images on the device, bfloat16, channels-last; what each part takes.

For each network of `config/imagenette_gpu.yaml`: milliseconds of cutting a batch on the device, of drawing and cutting
one (draws are the CPU's, in one worker), of a step on a batch that is there, and of drawing, cutting and step together,
as training does them; images made of noise. Beside the repeatable choice of algorithms that a training makes stands
cuDNN's free choice. Without a GPU the measurement is skipped, and says so; the same steps run on the CPU on small
images then, and their times mean nothing.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.random import default_rng

import borderlab.torchvision_compat  # noqa: F401  isort: skip
import timm

from borderlab.config.loading import load_config
from borderlab.data.batch import Batch, stack
from borderlab.data.cutting import PixelStore, draw_cut
from borderlab.data.decoded import DecodedImages
from borderlab.data.loader import TrainingLoader
from borderlab.data.resident import ResidentBatches
from borderlab.device import make_repeatable
from borderlab.losses import create_loss
from borderlab.padding import set_padding_mode
from borderlab.spec import LossSpec, RecipeSpec
from borderlab.training.loop import Trainer

NETWORKS = ("resnet18", "resnet50", "vgg16_bn", "tf_efficientnet_lite0", "mobilenetv3_large_100")
STATISTICS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLASSES = tuple("abcdefghij")


@dataclass(frozen=True)
class Place:
    """Where the steps run, by which recipe, and how many of them count."""

    device: torch.device
    recipe: RecipeSpec
    steps: int
    warm_up: int

    def wait(self) -> None:
        """Until all that was asked of the device is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def milliseconds(self, call: Callable[[], object], times: int) -> float:
        """Wall time of one of `times` calls, after some that warm up."""
        for _ in range(self.warm_up):
            call()
        self.wait()
        begun = time.perf_counter()
        for _ in range(times):
            call()
        self.wait()
        return round(1e3 * (time.perf_counter() - begun) / times, 2)


@pytest.fixture
def place(benchmark, repository: Path) -> Place:
    """The GPU; a CPU stands in for it while nothing is measured."""
    recipe = load_config(repository / "config" / "imagenette_gpu.yaml").recipes["scratch"]
    if torch.cuda.is_available() and not benchmark.disabled:
        return Place(torch.device("cuda", 0), recipe, steps=25, warm_up=5)
    if not benchmark.disabled:
        pytest.skip("NOT MEASURED: torch sees no GPU here; `make gpu-check` on a machine that has one")
    small = recipe.model_copy(update={"batch_size": 4, "precision": "float32"})
    return Place(torch.device("cuda" if torch.cuda.is_available() else "cpu"), small, steps=1, warm_up=1)


def batches(place: Place) -> tuple[Iterator[Batch], Callable[[], Batch]]:
    """Batches without end, as a run draws them, of noise as large as the photographs are; and what makes one again.

    The second draws nothing: its time is that of cutting, resizing and recolouring on the device.
    """
    n = 2000 if place.steps > 1 else 8
    random = default_rng(0)
    sizes = np.stack([np.full(n, 160), random.integers(160, 241, n)], axis=1)
    pixels = random.integers(0, 256, (int(sizes.prod(axis=1).sum()), 3), dtype=np.uint8)
    images = DecodedImages(pixels, sizes, np.arange(n) % 10, tuple(map(str, range(n))))
    maker = ResidentBatches(
        *STATISTICS,
        store=PixelStore(images, place.device),
        targets=torch.from_numpy(images.targets),
        size=place.recipe.augment.crop,
        colours=place.recipe.augment,
    )
    loader = TrainingLoader(
        images,
        partial(draw_cut, place.recipe.augment),
        maker,
        batch_size=place.recipe.batch_size,
        seed=0,
        samples_per_epoch=1000 * place.recipe.batch_size,
        workers=1 if place.device.type == "cuda" else 0,
    )
    n_samples = place.recipe.batch_size
    changes = (draw_cut(place.recipe.augment, sizes[i], i, default_rng(i)) for i in range(n_samples))
    drawn = [(*change, name) for change, name in zip(changes, images.names[:n_samples], strict=True)]
    return iter(loader), partial(maker.batch, stack(drawn))


def trainer(name: str, place: Place, folder: Path) -> Trainer:
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=10)
    set_padding_mode(model, "partial")
    return Trainer(
        model=model.to(place.device, memory_format=torch.channels_last).train(),
        loss=create_loss(LossSpec(), place.recipe.label_smoothing, CLASSES),
        recipe=place.recipe,
        device=place.device,
        checkpoints=folder,
        identity="",
        say=lambda line: None,
    )


@contextmanager
def free_choice() -> Iterator[None]:
    """CuDNN may take the fastest algorithm that it finds."""
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = True, False
    yield
    make_repeatable(1)


@pytest.mark.benchmark(group="training step on a GPU")
@pytest.mark.parametrize("name", NETWORKS)
def test_training_step_on_a_gpu(benchmark, place: Place, name: str, tmp_path: Path) -> None:
    if benchmark.disabled and name != NETWORKS[0]:
        pytest.skip("one small network stands for all while nothing is measured")
    threads = torch.get_num_threads()
    make_repeatable(1)
    try:
        made = trainer("test_resnet" if benchmark.disabled else name, place, tmp_path)
        drawn, make_one = batches(place)
        batch = next(drawn)
        found = {
            "cut_ms": place.milliseconds(make_one, place.steps),
            "batch_ms": place.milliseconds(lambda: next(drawn), place.steps),
            "step_ms": place.milliseconds(lambda: made._step(batch, 0.0), place.steps),
            "together_ms": place.milliseconds(lambda: made._step(next(drawn), 0.0), place.steps),
        }
        with free_choice():
            found["step_of_free_choice_ms"] = place.milliseconds(lambda: made._step(batch, 0.0), place.steps)
        benchmark.pedantic(lambda: made._step(batch, 0.0), rounds=1)
    finally:
        torch.set_num_threads(threads)
    device = torch.cuda.get_device_name() if place.device.type == "cuda" else "CPU, as a stand-in"
    benchmark.extra_info.update(network=name, device=device, batch_size=place.recipe.batch_size, **found)
