"""The networks of a probe, each with the padding that it was trained with, ready to be padded otherwise."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from borderlab.data.base import Dataset
from borderlab.data.batch import Normalisation
from borderlab.models.backbone import create_backbone
from borderlab.models.factory import Statistics, create_network
from borderlab.padding import set_padding_mode
from borderlab.probe.imagenet_ids import imagenet_ids
from borderlab.probe.spec import PRETRAINED_MODE, UNTRAINED, ProbedBackboneSpec, ProbeSpec
from borderlab.spec import RunSpec, Task
from borderlab.training.network_files import load_weights

Row = dict[str, Any]

IMAGENET_CLASSES = 1000


@dataclass(frozen=True)
class ProbedNetwork:
    """A network, what it was trained with, and what its outputs mean.

    `class_ids` holds the output of each class of the probe's data set; None if no output stands for them.
    """

    name: str
    backbone: str
    weights: str
    trained_mode: str
    seed: int | None
    task: Task
    module: nn.Module
    mean: Statistics
    std: Statistics
    class_ids: tuple[int, ...] | None
    device: torch.device

    @property
    def is_trained(self) -> bool:
        """Whether its weights come from training, here or elsewhere."""
        return self.trained_mode != UNTRAINED

    @property
    def is_run(self) -> bool:
        """Whether it was trained in this experiment."""
        return self.seed is not None

    @property
    def keys(self) -> Row:
        """Columns that name the network in every table."""
        names = ("name", "backbone", "weights", "trained_mode", "seed")
        return {"network" if name == "name" else name: getattr(self, name) for name in names}

    def padded(self, mode: str) -> nn.Module:
        """The network with its convolutions set to `mode`: itself in the mode it was trained with, else a copy.

        Weights stay as they are. In place, weights that a learned padding was trained with would be lost on the way to
        another mode and back.
        """
        module = self.module if mode == self.trained_mode else copy.deepcopy(self.module)
        set_padding_mode(module, mode)
        return module

    def normalise(self, images: UInt8[Tensor, "n h w 3"]) -> Float[Tensor, "n 3 h w"]:
        """What the network expects of RGB images, on its device."""
        return Normalisation(self.mean, self.std)(images.to(self.device))


def probed_networks(
    spec: ProbeSpec, run_folders: Mapping[str, Path], dataset: Dataset, device: torch.device
) -> Iterator[ProbedNetwork]:
    """The networks of `spec` one after the other, so that one at a time is in memory.

    Raises:
        RunError: if the weights of a run are missing or damaged.
    """
    for name, run in spec.runs.items():
        yield _trained_network(name, run, run_folders[name], len(dataset.info.classes), device)
    for backbone in spec.backbones:
        yield _backbone_network(backbone, dataset, device)


def _trained_network(name: str, run: RunSpec, folder: Path, n_classes: int, device: torch.device) -> ProbedNetwork:
    network = create_network(run, n_classes)
    load_weights(network.module, folder / "model.safetensors")
    return ProbedNetwork(
        name=name,
        backbone=run.backbone,
        weights=run.weights,
        trained_mode=run.padding_mode,
        seed=run.seed,
        task=run.task,
        module=network.module.to(device).eval(),
        mean=network.mean,
        std=network.std,
        class_ids=tuple(range(n_classes)),
        device=device,
    )


def _backbone_network(spec: ProbedBackboneSpec, dataset: Dataset, device: torch.device) -> ProbedNetwork:
    torch.manual_seed(0)
    module = create_backbone(spec.name, spec.weights, num_classes=IMAGENET_CLASSES)
    settings: Any = module.pretrained_cfg
    return ProbedNetwork(
        name=f"{spec.name} ({spec.weights} weights)",
        backbone=spec.name,
        weights=spec.weights,
        trained_mode=UNTRAINED if spec.weights == "random" else PRETRAINED_MODE,
        seed=None,
        task="classification",
        module=module.to(device).eval(),
        mean=tuple(settings["mean"]),
        std=tuple(settings["std"]),
        class_ids=imagenet_ids(dataset),
        device=device,
    )
