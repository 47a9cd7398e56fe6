"""Versions of the libraries that decide numbers."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from borderlab.errors import BorderlabError

LIBRARIES = ("numpy", "opencv-python-headless", "simplejpeg", "timm", "torch")


@cache
def library_versions() -> dict[str, str]:
    """Version of each library, without local labels: a CPU and a CUDA build share a result.

    Raises:
        BorderlabError: if one is not installed under its own name.
    """
    try:
        return {name: version(name).split("+")[0] for name in LIBRARIES}
    except PackageNotFoundError as fault:
        raise BorderlabError(f"{fault.name}: is not installed; its version is part of the names of results") from fault
