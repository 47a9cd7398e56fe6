"""Names of the losses, readable without importing torch.

A loss called `x` is the function `create` of the module `borderlab.losses.x`.
"""

from borderlab.registered import modules_by_name

LOSS_NAMES = (
    "cross_entropy",
    "relaxed",
)

LOSS_MODULES = modules_by_name("borderlab.losses", LOSS_NAMES)
