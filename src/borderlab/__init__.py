"""Borderlab: a reproducibility benchmark suite for image borders and object borders.

Image borders: partial-convolution padding (Liu et al. 2018, arXiv:1811.11718). Object borders: video propagation and
label relaxation (Zhu et al. 2019, arXiv:1812.01593).
"""

from importlib.metadata import version

__version__ = version("borderlab")
