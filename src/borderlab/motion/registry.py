"""Motion models by name: those of this package, and learned ones by the folder that training left."""

from importlib import import_module
from pathlib import Path

from borderlab.errors import ConfigError
from borderlab.motion.base import MotionModel
from borderlab.motion.names import LEARNED_MODULE, MOTION_MODEL_MODULES


def create_motion_model(name: str, trained: Path | None = None) -> MotionModel:
    """The motion model `name`.

    Args:
        name: a name of the registry, or any name for a learned model.
        trained: folder of a learned model; absent for models of the registry.

    Raises:
        ConfigError: if there is none of this name.
        DataError: if the weights that a model needs are missing.
    """
    if trained is not None:
        learned: MotionModel = import_module(LEARNED_MODULE).load_learned_motion(name, trained)
        return learned
    if name not in MOTION_MODEL_MODULES:
        raise ConfigError(f"motion model {name!r} does not exist; allowed: {', '.join(sorted(MOTION_MODEL_MODULES))}")
    model: MotionModel = import_module(MOTION_MODEL_MODULES[name]).MODELS[name]()
    return model
