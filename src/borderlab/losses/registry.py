"""All losses by name."""

from importlib import import_module

from borderlab.errors import ConfigError
from borderlab.losses.base import Loss, LossFactory
from borderlab.losses.names import LOSS_MODULES, LOSS_NAMES
from borderlab.spec import LossSpec

LOSSES: dict[str, LossFactory] = {name: import_module(module).create for name, module in LOSS_MODULES.items()}


def create_loss(spec: LossSpec, label_smoothing: float = 0.0, classes: tuple[str, ...] = ()) -> Loss:
    """The loss of `spec`.

    Args:
        spec: name and options of the loss.
        label_smoothing: share of the target that is spread evenly over all classes, 0..1.
        classes: names of the data set's classes, by train id.

    Raises:
        ConfigError: if there is no loss of that name, or if it does not go with label smoothing.
    """
    if spec.name not in LOSSES:
        raise ConfigError(f"loss.name: got {spec.name!r}; use one of {', '.join(LOSS_NAMES)}")
    return LOSSES[spec.name](spec, label_smoothing, classes)
