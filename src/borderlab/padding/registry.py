"""All padding schemes by name."""

from importlib import import_module

from borderlab.padding.base import PaddingScheme
from borderlab.padding.names import PADDING_MODE_MODULES

PADDING_MODES: dict[str, PaddingScheme] = {
    name: import_module(module).SCHEME for name, module in PADDING_MODE_MODULES.items()
}
