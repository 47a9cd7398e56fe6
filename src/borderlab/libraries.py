"""Versions of the libraries that decide numbers."""

from functools import cache
from importlib.metadata import version

LIBRARIES = ("numpy", "opencv-python-headless", "simplejpeg", "timm", "torch")


@cache
def library_versions() -> dict[str, str]:
    """Version of each library, without local labels: a CPU and a CUDA build share a result."""
    return {name: version(name).split("+")[0] for name in LIBRARIES}
