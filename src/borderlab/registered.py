"""From the names of a registry to the modules that hold its members: one file and one line for each member."""


def modules_by_name(package: str, names: tuple[str, ...]) -> dict[str, str]:
    """Dotted module name of each member of `package`.

    Raises:
        ValueError: if a name occurs twice.
    """
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"{package}: registered twice: {', '.join(repeated)}")
    return {name: f"{package}.{name}" for name in names}
