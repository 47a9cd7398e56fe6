"""Outputs of ImageNet classifiers that stand for a data set's classes."""

import borderlab.torchvision_compat  # noqa: F401  (must come before timm)
from borderlab.data import create_dataset
from borderlab.data.imagenette import WNIDS
from borderlab.probe.imagenet_ids import imagenet_ids

from timm.data import ImageNetInfo  # isort: skip


def test_imagenette_stands_where_timm_has_it() -> None:
    names = ImageNetInfo().label_names()
    found = imagenet_ids(create_dataset("imagenette"))
    assert found == tuple(names.index(wnid) for wnid in WNIDS)
    # Tench, English springer, cassette player, chain saw, church, French horn, garbage truck, gas pump, golf ball,
    # parachute: as every list of ImageNet's classes has them.
    assert found == (0, 217, 482, 491, 497, 566, 569, 571, 574, 701)


def test_imagenet_itself_is_in_order_and_others_have_no_output() -> None:
    assert imagenet_ids(create_dataset("imagenet")) == tuple(range(1000))
    assert imagenet_ids(create_dataset("digits")) is None
    assert imagenet_ids(create_dataset("streets")) is None
