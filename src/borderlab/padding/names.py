"""Names of the padding modes, readable without importing torch.

A mode called `x` is the object `SCHEME` of the module `borderlab.padding.x`: adding one takes that file and one line
here (see docs/add_a_padding.md).
"""

from borderlab.registered import modules_by_name

PADDING_MODE_NAMES = (
    "zeros",
    "reflect",
    "replicate",
    "circular",
    "partial",
)

PADDING_MODE_MODULES = modules_by_name("borderlab.padding", PADDING_MODE_NAMES)
