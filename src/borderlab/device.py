"""Devices: which one a job uses, what it is called, and how it is made to repeat itself."""

import torch

from borderlab.errors import RunError
from borderlab.provenance import cpu_name


def choose_device(gpus: int) -> torch.device:
    """The CPU for 0 GPUs, else the first GPU.

    Raises:
        RunError: if a GPU is asked for and there is none; never falls back in silence.
    """
    if gpus == 0:
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise RunError(
            "a GPU was asked for (resources.gpus, or --gpus) but torch sees none: install torch's CUDA build or set 0"
        )
    return torch.device("cuda", 0)


def device_name(device: torch.device) -> str:
    """Kind and model, such as `cpu: AMD EPYC 9B14`."""
    model = torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name()
    return f"{device.type}: {model}"


def make_repeatable(threads: int) -> None:
    """Fix what decides the order of additions and their precision: CPU threads, and cuDNN's choice of algorithm.

    float32 means float32: by default cuDNN rounds what it multiplies to 10 bits of mantissa (TF32) on newer GPUs.
    """
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
