"""Names of the losses, readable without importing torch.

A loss called `x` is the function `create` of the module `borderlab.losses.x`.
"""

LOSS_NAMES = (
    "cross_entropy",
    "relaxed",
)


def modules_by_name(names: tuple[str, ...]) -> dict[str, str]:
    """Dotted module name of each loss.

    Raises:
        ValueError: if a name occurs twice.
    """
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"losses registered twice: {', '.join(repeated)}")
    return {name: f"borderlab.losses.{name}" for name in names}


LOSS_MODULES = modules_by_name(LOSS_NAMES)
