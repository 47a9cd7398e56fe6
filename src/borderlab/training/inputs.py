"""Where a run finds its samples, and what it may use."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from borderlab.data.base import Dataset

CPU = torch.device("cpu")


@dataclass(frozen=True)
class RunInputs:
    """None of it decides a number."""

    dataset: Dataset
    data_folder: Path
    synthesis_folders: Mapping[int, Path]
    workers: int = 0
    device: torch.device = CPU
