"""Small learned motion models for tests."""

import numpy as np
import torch

from borderlab.data.base import Clip
from borderlab.motion.base import ClipReader
from borderlab.motion.learned.model import LearnedMotion, create_network
from borderlab.motion.learned.spec import MotionModelSpec, MotionRecipeSpec
from borderlab.motion.registry import create_motion_model
from borderlab.spec import DatasetSpec

KINDS = ("prediction", "reconstruction")


def model_spec(kind="reconstruction", input_flow="dis_medium", **changes):
    """A specification on the panning clip: six frames train, the rest are held out."""
    recipe = {"epochs": 2, "batch_size": 2, "crop": (64, 64), "width": 2, "validate_every_epochs": 2}
    values = {"train_split": "val", "eval_split": None, "held_out_share": 0.4, "held_out_pairs": 4, "seed": 0}
    own = {key: changes.pop(key) for key in list(changes) if key in MotionRecipeSpec.model_fields}
    return MotionModelSpec(
        dataset=DatasetSpec(key="pan", name="pan", identity="0"),
        kind=kind,
        input_flow=input_flow,
        recipe=MotionRecipeSpec(**(recipe | own)),
        **(values | changes),
    )


def random_model(kind, input_flow="dis_medium", **changes):
    """A model whose flow depends on all that it is shown: its last layer does not begin at zero."""
    spec = model_spec(kind, input_flow, **changes)
    network = create_network(spec)
    torch.manual_seed(1)
    torch.nn.init.normal_(network.head.weight)
    return LearnedMotion("random", spec, network, create_motion_model(input_flow))


class Pictures(ClipReader):
    """A clip of pictures that need no files."""

    def __init__(self, pictures):
        self.clip = Clip("pictures", tuple(pictures), 0.1)
        self.image = lambda index: pictures[index]


def noise_pictures(count, seed=0, size=(70, 90)):
    """Frames that have nothing to do with each other."""
    random = np.random.default_rng(seed)
    return [random.integers(0, 256, (*size, 3)).astype(np.uint8) for _ in range(count)]
