"""Weights of another run as a start."""

import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from borderlab.errors import RunError
from borderlab.models.backbone import create_backbone
from borderlab.training import network_files
from borderlab.training.network_files import load_start, save_weights


class Network(nn.Module):
    def __init__(self, n_classes, width=4):
        super().__init__()
        self.body = nn.Linear(3, width)
        self.classifier = nn.Linear(width, n_classes)


@pytest.mark.parametrize("n_classes", [5, 2])
def test_classifier_of_another_width_keeps_its_own_weights(tmp_path, n_classes):
    torch.manual_seed(0)
    first, second = Network(5), Network(n_classes)
    own = second.classifier.weight.detach().clone()
    save_weights(first, tmp_path / "model.safetensors")
    load_start(second, tmp_path / "model.safetensors")
    assert torch.equal(second.body.weight, first.body.weight)
    assert torch.equal(second.classifier.weight, first.classifier.weight if n_classes == 5 else own)


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext"])
def test_classifiers_are_found_where_timm_says(tmp_path, name):
    """`fc` in one, `head` or `head.fc` in others."""
    torch.manual_seed(0)
    first, second = (create_backbone(name, "random", num_classes=n) for n in (7, 5))
    save_weights(first, tmp_path / "model.safetensors")
    load_start(second, tmp_path / "model.safetensors")
    own, start = second.state_dict(), first.state_dict()
    differing = {key for key in own if own[key].shape != start[key].shape}
    assert 0 < len(differing) <= 2
    assert all(torch.equal(own[key], start[key]) for key in own.keys() - differing)


def test_another_network_is_refused(tmp_path):
    save_weights(Network(5, width=6), tmp_path / "model.safetensors")
    with pytest.raises(RunError, match=r"is of another network: body\.bias and 1 more"):
        load_start(Network(5), tmp_path / "model.safetensors")


@pytest.mark.parametrize("content", [None, b"nothing"])
def test_missing_or_damaged_weights_are_named(tmp_path, content):
    if content is not None:
        (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(RunError, match=r"^[^\n]*model\.safetensors: weights to start from cannot be loaded[^\n]*$"):
        load_start(Network(5), tmp_path / "model.safetensors")


def test_a_disk_without_room_is_named(tmp_path, monkeypatch):
    def save_file(tensors, path):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(network_files, "save_file", save_file)
    with pytest.raises(RunError, match=r"^[^\n]*model\.safetensors: weights cannot be written \([^\n]*No space left"):
        save_weights(Network(5), tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []
