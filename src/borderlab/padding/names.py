"""Names of the padding modes, readable without importing torch.

A mode called `x` is the object `SCHEME` of the module `borderlab.padding.x`: adding one takes that file and one line
here (see docs/add_a_padding.md).
"""

PADDING_MODE_NAMES = (
    "zeros",
    "reflect",
    "replicate",
    "circular",
    "partial",
    "symmetric",
    "mean_interp",
    "random",
    "linear_prediction",
    "pp_pad",
)


def modules_by_name(names: tuple[str, ...]) -> dict[str, str]:
    """Dotted module name of each padding mode.

    Raises:
        ValueError: if a name occurs twice.
    """
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"padding modes registered twice: {', '.join(repeated)}")
    return {name: f"borderlab.padding.{name}" for name in names}


PADDING_MODE_MODULES = modules_by_name(PADDING_MODE_NAMES)
