"""A trained network as a motion model like any other."""

from pathlib import Path

import torch
from numpy.typing import NDArray

from borderlab.device import make_repeatable
from borderlab.errors import DataError
from borderlab.motion.base import ClipReader, Flow, MotionModel
from borderlab.motion.learned.network import FlowUNet
from borderlab.motion.learned.samples import shown_tensor
from borderlab.motion.learned.spec import N_FRAMES, MotionModelSpec
from borderlab.motion.learned.view import View, look, whole
from borderlab.motion.registry import create_motion_model
from borderlab.training.network_files import load_weights

SPEC_FILE, WEIGHTS_FILE = "spec.json", "model.safetensors"


class LearnedMotion(MotionModel):
    """A network with the classical model whose flows it is shown."""

    def __init__(self, name: str, spec: MotionModelSpec, network: FlowUNet, input_flow: MotionModel) -> None:
        self.name, self.spec = name, spec
        self.network, self.input_flow = network.eval(), input_flow

    def flow(self, clip: ClipReader, from_index: int, to_index: int) -> Flow:
        return flow_of(self.network, look(whole(clip), from_index, to_index, self.spec.kind, self.input_flow))


def flow_of(network: FlowUNet, view: View) -> Flow:
    """The network's flow (2 h w) for one view, in pixels."""
    device = network.flow_mean.device
    # A copy: held-out samples are locked against writing, and torch knows no such arrays.
    frames, flows = (torch.tensor(array, device=device)[None] for array in (view.frames, view.flows))
    with torch.inference_mode():
        flow = network(shown_tensor(frames.permute(0, 3, 1, 2), flows))
    found: NDArray = flow[0].cpu().numpy()
    return found


def create_network(spec: MotionModelSpec) -> FlowUNet:
    """The untrained network of `spec`; its weights follow from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(spec.seed)
        network = FlowUNet(N_FRAMES[spec.kind], spec.recipe.width, residual=spec.recipe.residual)
    # torch's stubs do not know this call.
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def load_learned_motion(name: str, folder: Path) -> LearnedMotion:
    """The motion model that `train_motion_model` left in `folder`; on one CPU thread, for equal bits everywhere.

    Raises:
        DataError: if the specification is missing or damaged.
        RunError: if the weights are.
    """
    path = folder / SPEC_FILE
    try:
        spec = MotionModelSpec.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as fault:
        reason = str(fault).splitlines()[0]
        raise DataError(f"{path}: no trained motion model ({reason}); delete {folder}, run the workflow") from None
    make_repeatable(threads=1)
    network = create_network(spec)
    load_weights(network, folder / WEIGHTS_FILE)
    return LearnedMotion(name, spec, network, create_motion_model(spec.input_flow))
