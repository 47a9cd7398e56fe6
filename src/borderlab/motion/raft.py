"""RAFT, as torchvision has it, with torchvision's published weights.

Source: Teed and Deng 2020, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow". Weights: raft_large
C_T_SKHT_V2 (21,106,607 bytes) and raft_small C_T_V2 (4,006,189 bytes), downloaded by torch into its own cache at first
use and checked against the SHA-256 below. They were trained on FlyingChairs, FlyingThings3D and, the large ones, on
Sintel, KITTI and HD1K, with flow from simulation and laser scans: no learning from driving video alone.
"""

import http.client
import urllib.error
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import borderlab.torchvision_compat  # noqa: F401  (before torchvision)
from borderlab.device import make_repeatable
from borderlab.errors import DataError
from borderlab.files import sha256_of_file
from borderlab.motion.base import ClipReader, Flow, MotionModel

# torchvision's name of the weights, and the SHA-256 of their file.
PUBLISHED = {
    "raft_large": ("C_T_SKHT_V2", "ff5fadd56d26b40647388883af1547351ea17868b765c05b27231e72dd16a322"),
    "raft_small": ("C_T_V2", "01064c6dba73b0fc9fc8edf772248560a00a3acfd62ac6677e9eeebad9680e27"),
}
MULTIPLE = 8
# Four levels of correlations at an eighth of the size must hold two cells each.
LEAST_SIDE_PX = 128


class Raft(MotionModel):
    """RAFT flow between two frames, on one CPU thread.

    Args:
        name: `raft_large` or `raft_small`.
        weights: state dict of torchvision's network; absent: the published ones.
        updates: refinements of the flow; torchvision's default.

    Raises:
        DataError: if the published weights can neither be found nor fetched, or are damaged.
    """

    def __init__(self, name: str, weights: Mapping[str, Tensor] | None = None, updates: int = 12) -> None:
        self.name, self.updates = name, updates
        make_repeatable(threads=1)
        state = published_weights(name) if weights is None else weights
        self.network = untrained(name)
        self.network.load_state_dict(state)
        self.network.eval()

    def flow(self, clip: ClipReader, from_index: int, to_index: int) -> Flow:
        first, second = (_prepared(clip.image(index)) for index in (from_index, to_index))
        with torch.inference_mode():
            refined = self.network(_padded(first), _padded(second), num_flow_updates=self.updates)
        height, width = first.shape[2:]
        return np.ascontiguousarray(refined[-1][0, :, :height, :width].numpy())


def untrained(name: str) -> nn.Module:
    """Torchvision's network `name` with random weights: for tests of shapes, never for flow."""
    from torchvision.models import optical_flow

    network: nn.Module = getattr(optical_flow, name)(weights=None)
    return network


def published_weights(name: str) -> dict[str, Tensor]:
    """The published state dict of `name`, from torch's cache or fetched into it.

    Raises:
        DataError: if it cannot be fetched, or the file is not the published one.
    """
    from torchvision.models import optical_flow

    own, sha256 = PUBLISHED[name]
    url = getattr(optical_flow, {"raft_large": "Raft_Large_Weights", "raft_small": "Raft_Small_Weights"}[name])[own].url
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not path.exists():
        _fetch(name, url, path)
    if sha256_of_file(path) != sha256:
        raise DataError(f"{path}: is not the published file of {name} (SHA-256 differs); delete it")
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _fetch(name: str, url: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(url, str(path), progress=False)
    except (OSError, urllib.error.URLError, http.client.HTTPException, RuntimeError) as fault:
        reason = (str(fault).splitlines() or [type(fault).__name__])[0]
        raise DataError(
            f"{name}: weights cannot be fetched ({reason}); put {url} at {path}, or choose another motion model"
        ) from None


def _prepared(image: np.ndarray) -> Tensor:
    """Frame (1 3 h w) in -1..1."""
    return torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1


def _padded(frame: Tensor) -> Tensor:
    """`frame` with its last rows and columns repeated up to a size that the network takes."""
    missing = [max(side, LEAST_SIDE_PX) - side + -max(side, LEAST_SIDE_PX) % MULTIPLE for side in frame.shape[:1:-1]]
    return F.pad(frame, (0, missing[0], 0, missing[1]), mode="replicate")


MODELS = {name: partial(Raft, name) for name in PUBLISHED}
