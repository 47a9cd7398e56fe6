"""The network of a run: built, initialised from the run's seed, and padded as the run asks."""

from dataclasses import dataclass

import torch
from torch import nn

from borderlab.errors import RunError
from borderlab.models.backbone import create_backbone
from borderlab.models.deeplab import DeepLabV3Plus
from borderlab.padding import ConversionReport, set_padding_mode
from borderlab.spec import RunSpec

Statistics = tuple[float, float, float]


@dataclass(frozen=True)
class Network:
    """A network and what its input must look like: RGB in 0..1, minus `mean`, divided by `std`."""

    module: nn.Module
    mean: Statistics
    std: Statistics
    conversion: ConversionReport


def create_network(spec: RunSpec, n_classes: int) -> Network:
    """The network of `spec` with its first weights.

    Two specifications that differ in nothing but the padding mode get the same weights, bit for bit: weights are
    drawn from the seed before the padding is set.

    Raises:
        RunError: if the padding mode would change nothing, because no convolution of the network pads.
    """
    torch.manual_seed(spec.seed)
    build = _create_classifier if spec.task == "classification" else _create_segmenter
    module = build(spec, n_classes)
    backbone = module.backbone if isinstance(module, DeepLabV3Plus) else module
    mean, std = _input_statistics(backbone)
    report = set_padding_mode(module, spec.padding_mode)
    if spec.padding_mode != "zeros" and not report.converted:
        raise RunError(
            f"{spec.backbone}: has no convolution that pads, so {spec.padding_mode} padding would change nothing; "
            "name another backbone, or zeros alone"
        )
    if spec.recipe.memory_format == "channels_last":
        module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Network(module, mean, std, report)


def _create_classifier(spec: RunSpec, n_classes: int) -> nn.Module:
    return create_backbone(spec.backbone, spec.weights, num_classes=n_classes)


def _create_segmenter(spec: RunSpec, n_classes: int) -> nn.Module:
    stride = spec.recipe.output_stride
    arguments = {"features_only": True} if stride == 32 else {"features_only": True, "output_stride": stride}
    backbone = create_backbone(spec.backbone, spec.weights, **arguments)
    return DeepLabV3Plus(backbone, n_classes, spec.recipe.decoder_channels, spec.recipe.aspp_rates)


def _input_statistics(backbone: nn.Module) -> tuple[Statistics, Statistics]:
    """Mean and standard deviation that timm gives for the backbone's input."""
    settings = backbone.pretrained_cfg
    return tuple(settings["mean"]), tuple(settings["std"])  # type: ignore[index]
