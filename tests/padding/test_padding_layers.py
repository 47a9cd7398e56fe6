"""A converted layer lives like any other: it is copied, pickled, compiled, traced and converted again."""

import copy
import pickle
import subprocess
import sys

import pytest
import torch
from torch import nn

from padding_traits import LACKS, modes_with, own_keys

import borderlab.torchvision_compat  # noqa: F401  isort: skip
from timm.layers.conv2d_same import Conv2dSame, Conv2dSameExport
from timm.layers.std_conv import ScaledStdConv2d, ScaledStdConv2dSame, StdConv2d, StdConv2dSame

from borderlab.errors import PaddingError
from borderlab.padding import PADDING_MODES, set_padding_mode
from borderlab.padding.layers import layer_kind, unpadded_class

LAYERS = {
    "plain": lambda: nn.Conv2d(3, 4, 3, padding=1),
    "plain_same": lambda: nn.Conv2d(3, 4, (4, 3), padding="same"),
    "same": lambda: Conv2dSame(3, 4, 3, stride=2),
    "same_export": lambda: Conv2dSameExport(3, 4, 3, stride=2),
    "std": lambda: StdConv2d(3, 4, 3),
    "std_same": lambda: StdConv2dSame(3, 4, 3, stride=2),
    "std_same_static": lambda: StdConv2dSame(3, 4, 3),
    "scaled": lambda: ScaledStdConv2d(3, 4, 3, gain_init=0.7),
    "scaled_same": lambda: ScaledStdConv2dSame(3, 4, 3, stride=2, gamma=1.7),
    "scaled_same_static": lambda: ScaledStdConv2dSame(3, 4, 3),
}
OTHER_MODES = sorted(set(PADDING_MODES) - {"zeros"})
VISIBLE_MODES = [mode for mode in modes_with("differs_from_zeros_in_eval") if mode != "zeros"]


@pytest.fixture(params=LAYERS)
def layer(request):
    torch.manual_seed(0)
    return LAYERS[request.param]().eval()


@pytest.fixture
def x():
    return torch.randn(2, 3, 10, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("mode", VISIBLE_MODES)
def test_every_kind_changes_at_the_border_alone_and_comes_back(layer, x, mode):
    before, keys, original = layer(x), list(layer.state_dict()), type(layer)
    set_padding_mode(layer, mode)
    after = layer(x)
    torch.testing.assert_close(after[..., 1:-1, 1:-1][..., :2, :2], before[..., 1:-1, 1:-1][..., :2, :2])
    assert not torch.equal(after, before)
    assert own_keys(layer.state_dict()) == keys
    assert (list(layer.state_dict()) == keys) is (mode not in LACKS["keeps_state_dict_keys"])
    set_padding_mode(layer, "zeros")
    assert list(layer.state_dict()) == keys
    assert torch.equal(layer(x), before)
    assert type(layer) is original
    assert "layer_name" not in vars(layer)


@pytest.mark.parametrize("mode", OTHER_MODES)
def test_gradients_reach_the_parameters(layer, x, mode):
    set_padding_mode(layer, mode)
    layer(x).square().sum().backward()
    feel = {name: bool(parameter.grad.abs().sum() > 0) for name, parameter in layer.named_parameters()}
    assert all(felt for name, felt in feel.items() if name in own_keys(feel))
    assert all(feel.values()) is (mode not in LACKS["gradient_of_all_parameters_at_start"])


@pytest.mark.parametrize("mode", OTHER_MODES)
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_copies_and_pickles(layer, x, mode, duplicate):
    set_padding_mode(layer, mode)
    twin = duplicate(layer)
    assert type(twin) is type(layer)
    assert torch.equal(twin(x), layer(x))
    with torch.no_grad():
        twin.weight.zero_()
    assert layer.weight.abs().sum() > 0
    set_padding_mode(twin, "zeros")
    assert type(twin) is unpadded_class(layer)


@pytest.mark.slow
def test_pickle_is_read_by_a_fresh_process(tmp_path, x):
    layer = nn.Conv2d(3, 4, 3, padding=1)
    set_padding_mode(layer, "partial")
    torch.save((layer, x, layer(x)), tmp_path / "layer.pt")
    code = (
        "import sys, torch; layer, x, y = torch.load(sys.argv[1], weights_only=False);"
        "torch.set_num_threads(1); torch.testing.assert_close(layer(x), y)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "layer.pt")], check=True)


def test_error_names_the_layer():
    model = nn.Sequential(nn.Identity(), nn.Conv2d(1, 1, 7, padding=3))
    set_padding_mode(model, "reflect")
    message = r"^1: reflect padding must be smaller than the map: pad .* = \(3, 3, 3, 3\) on a map of 3x9 px; use .*$"
    with pytest.raises(PaddingError, match=message):
        model(torch.zeros(1, 1, 3, 9))


def test_hooks_survive_and_repr_tells_the_mode(x):
    layer = nn.Conv2d(3, 4, 3, padding=1)
    seen = []
    layer.register_forward_hook(lambda *_: seen.append(1))
    set_padding_mode(layer, "partial")
    layer(x)
    assert seen == [1]
    assert "PaddedConv2d(" in repr(layer)
    assert "padding_mode=partial" in repr(layer)


def test_state_dict_of_zeros_loads_into_partial():
    source, destination = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1)
    set_padding_mode(destination, "partial")
    assert destination.load_state_dict(source.state_dict()).missing_keys == []
    assert torch.equal(destination.weight, source.weight)


def test_layers_with_a_forward_of_their_own_have_no_kind():
    class Own(nn.Conv2d):
        def forward(self, x):
            return super().forward(x) + 1

    class OwnInner(nn.Conv2d):
        def _conv_forward(self, *tensors):
            return super()._conv_forward(*tensors) + 1

    patched = nn.Conv2d(1, 1, 3)
    patched.forward = lambda x: x
    assert layer_kind(Own(1, 1, 3)) is layer_kind(OwnInner(1, 1, 3)) is layer_kind(patched) is None
    assert layer_kind(type("Bare", (nn.Conv2d,), {})(1, 1, 3)) is not None


@pytest.mark.parametrize("mode", sorted(PADDING_MODES))
def test_symbolic_trace_works_at_any_size(mode, x):
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 3, 2, padding=1))
    set_padding_mode(model.eval(), mode)
    traced = torch.fx.symbolic_trace(model)
    for image in (x, x[..., :7, :5]):
        assert torch.equal(traced(image), model(image))


@pytest.mark.parametrize("mode", ["reflect", "partial"])
def test_vmap_of_gradients(mode, x):
    layer = nn.Conv2d(3, 4, 3, padding=1, bias=False)
    set_padding_mode(layer, mode)

    def loss(weight, image):
        return torch.func.functional_call(layer, {"weight": weight}, (image,)).square().sum()

    together = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(layer.weight, x)
    for image, gradient in zip(x, together, strict=True):
        torch.testing.assert_close(torch.func.grad(loss)(layer.weight, image), gradient)


def check_compiled(model, images, backend):
    torch._dynamo.reset()
    compiled = torch.compile(model, fullgraph=True, backend=backend)
    for image in images:
        torch.testing.assert_close(compiled(image), model(image))
    gradient = torch.autograd.grad(compiled(images[0]).square().sum(), model[0].weight)[0]
    expected = torch.autograd.grad(model(images[0]).square().sum(), model[0].weight)[0]
    torch.testing.assert_close(gradient, expected)


@pytest.mark.slow
@pytest.mark.parametrize("mode", sorted(PADDING_MODES))
def test_is_one_graph_at_any_size(mode, x):
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), Conv2dSame(4, 2, 3, 2, bias=False))
    set_padding_mode(model.eval(), mode)
    check_compiled(model, (x, x[..., :7, :6], x[..., :5]), "aot_eager")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["replicate", "partial"])
def test_compiles(mode, x):
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 3, 2, 1, bias=False))
    set_padding_mode(model, mode)
    check_compiled(model, (x,), "inductor")


@pytest.mark.slow
@pytest.mark.parametrize("mode", sorted(PADDING_MODES))
def test_exports(mode, x):
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 2, 3, 2, padding=1, bias=False)).eval()
    set_padding_mode(model, mode)
    torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), model(x))
