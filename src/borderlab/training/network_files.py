"""Weights of a finished run on disk: safetensors, which hold tensors and nothing that could run."""

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from borderlab.errors import RunError
from borderlab.files import atomic_file


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the state dict of `model`, contiguous and on the CPU.

    Raises:
        RunError: if the disk is full or the folder cannot be written to.
    """
    tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in model.state_dict().items()}
    try:
        with atomic_file(path) as part:
            save_file(tensors, part)
    except SafetensorError as fault:
        raise RunError(f"{path}: weights cannot be written ({fault}); check the disk and the folder") from fault


def load_weights(model: nn.Module, path: Path) -> None:
    """Load the weights in `path` into `model`; keys and shapes must agree.

    Raises:
        RunError: if the file is missing, damaged, or of another network.
    """
    try:
        model.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as fault:
        reason = str(fault).splitlines()[0]
        raise RunError(
            f"{path}: weights cannot be loaded ({reason}); delete the run's folder and train again"
        ) from fault


def load_start(model: nn.Module, path: Path) -> None:
    """Load the weights in `path` into `model` as a start; a classifier of another number of classes keeps its own.

    Raises:
        RunError: if the file is missing or damaged, or anything but the classifier differs.
    """
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as fault:
        reason = str(fault).splitlines()[0]
        raise RunError(f"{path}: weights to start from cannot be loaded ({reason}); train that run again") from fault
    own = model.state_dict()
    usable = {key: tensor for key, tensor in stored.items() if key in own and own[key].shape == tensor.shape}
    differing = sorted(key for key in {*own, *stored} - {*usable} if not key.startswith(_classifier_prefixes(model)))
    if differing:
        raise RunError(f"{path}: is of another network: {differing[0]} and {len(differing) - 1} more tensors differ")
    model.load_state_dict(usable, strict=False)


def _classifier_prefixes(model: nn.Module) -> tuple[str, ...]:
    """Beginnings of the keys of what gives class scores: timm says where that is, a decoder of ours names it so."""
    settings: dict[str, Any] = getattr(model, "pretrained_cfg", None) or {}
    named = settings.get("classifier") or "classifier"
    return tuple(f"{name}." for name in ((named,) if isinstance(named, str) else named))
