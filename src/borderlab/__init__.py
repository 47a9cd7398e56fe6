"""Borderlab: a reproducibility benchmark suite for image borders and object borders.

Image borders: partial-convolution padding (Liu et al. 2018, arXiv:1811.11718). Object borders: video propagation and
label relaxation (Zhu et al. 2019, arXiv:1812.01593).
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("borderlab")
except PackageNotFoundError:  # run from a checkout that nobody installed, as on a machine without a network
    __version__ = "0+checkout"
