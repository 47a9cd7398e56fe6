"""Motion models by name."""

from importlib import import_module

from borderlab.errors import ConfigError
from borderlab.motion.base import MotionModel
from borderlab.motion.names import MOTION_MODEL_MODULES


def create_motion_model(name: str) -> MotionModel:
    """The motion model `name`.

    Raises:
        ConfigError: if there is none of this name.
    """
    if name not in MOTION_MODEL_MODULES:
        raise ConfigError(f"motion model {name!r} does not exist; allowed: {', '.join(sorted(MOTION_MODEL_MODULES))}")
    model: MotionModel = import_module(MOTION_MODEL_MODULES[name]).MODELS[name]()
    return model
