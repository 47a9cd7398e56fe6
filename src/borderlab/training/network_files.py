"""Weights of a finished run on disk: safetensors, which hold tensors and nothing that could run."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from borderlab.errors import RunError
from borderlab.files import atomic_file


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the state dict of `model`, contiguous and on the CPU."""
    tensors = {key: tensor.detach().cpu().contiguous() for key, tensor in model.state_dict().items()}
    with atomic_file(path) as part:
        save_file(tensors, part)


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
