"""Fused for inference, a converted model computes what it did, or says that it cannot."""

import copy
import pickle

import pytest
import torch
from torch import nn

import borderlab.torchvision_compat  # noqa: F401  isort: skip
import timm
from timm.models import reparameterize_model
from timm.models.byobnet import MobileOneBlock, RepVggBlock
from timm.models.levit import ConvNorm as LevitConvNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval

from borderlab.errors import PaddingError
from borderlab.padding import PADDING_MODES, fusing, set_padding_mode
from borderlab.padding.base import Filling
from borderlab.padding.fusing import FOLDS, PASSES, SUMS, FusionGuard
from borderlab.padding.layers import PaddedLayer

OTHER_MODES = sorted(set(PADDING_MODES) - {"zeros"})
NESTED_MODES = [mode for mode in OTHER_MODES if getattr(PADDING_MODES[mode], "nested", False)]
OWN_RIM_MODES = sorted(set(OTHER_MODES) - set(NESTED_MODES))

SUMMED_MODELS = (
    "repvgg_a0",
    "mobileone_s1",
    "fastvit_t8",
    "fastvit_sa12",
    "repvit_m0_9",
    "repghostnet_050",
    "ghostnetv3_050",
    "lcnetv2_small",
    "efficientvim_m1",
    "shvit_s1",
    "iformer_t",
)
FOLDED_MODELS = ("levit_128s", "tiny_vit_5m_224", "efficientvit_m0")


@pytest.fixture(autouse=True)
def _double_precision():
    """Several methods of timm make their new layer in the default type, whatever the old one had."""
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


def roughened(model):
    """`model` in eval mode with batch normalisations that are no identity."""
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
    return model.eval()


def test_the_modes_of_this_file():
    assert NESTED_MODES == ["circular", "linear_prediction", "reflect", "replicate", "symmetric"]
    assert isinstance(PADDING_MODES["reflect"], Filling)


@pytest.mark.parametrize("mode", [*NESTED_MODES, "zeros"])
@pytest.mark.parametrize("make", [RepVggBlock, MobileOneBlock], ids=lambda make: make.__name__)
def test_a_fused_sum_is_exact_for_fillings(mode, make):
    block, x = roughened(make(4, 4)), torch.randn(2, 4, 7, 6)
    set_padding_mode(block, mode)
    expected = block(x)
    block.reparameterize()
    assert block.reparam_conv.padding_mode == mode
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize("mode", OWN_RIM_MODES)
def test_a_sum_is_refused_where_branches_see_different_rims(mode):
    block, x = roughened(RepVggBlock(4, 4)), torch.randn(2, 4, 7, 6)
    set_padding_mode(block, mode)
    expected = block(x)
    with pytest.raises(PaddingError, match=f"^conv_kxk.conv: RepVggBlock cannot be fused under {mode} padding: its br"):
        block.reparameterize()
    assert torch.equal(block(x), expected)


def test_the_fused_sum_would_be_wrong_under_partial_padding():
    """Why it is refused: only the 3x3 branch is re-weighted, the fused kernel as a whole would be."""
    block, x = roughened(RepVggBlock(4, 4)), torch.randn(1, 4, 5, 5)
    fused = copy.deepcopy(block)
    fused.reparameterize()
    for module in (block, fused):
        set_padding_mode(module, "partial")
    torch.testing.assert_close(fused(x)[..., 1:-1, 1:-1], block(x)[..., 1:-1, 1:-1])
    assert (fused(x) - block(x)).abs().max() > 0.1


@pytest.mark.parametrize("mode", OTHER_MODES)
def test_folding_a_batch_normalisation_is_exact_in_every_mode(mode):
    pair = roughened(nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4)))
    set_padding_mode(pair, mode)
    x = torch.randn(2, 3, 7, 6)
    fused = fuse_conv_bn_eval(*pair)
    assert type(fused) is type(pair[0])
    torch.testing.assert_close(fused(x), pair(x))


@pytest.mark.parametrize("mode", OTHER_MODES)
def test_methods_that_fold_keep_the_mode(mode):
    block, x = roughened(LevitConvNorm(3, 4, 3, 2, 1)), torch.randn(2, 3, 7, 6)
    set_padding_mode(block, mode)
    if mode == "pp_pad":
        nn.init.normal_(block.linear.border_net.out_weight)
    fused = block.fuse()
    assert fused.padding_mode == mode
    torch.testing.assert_close(fused(x), block(x))


def test_copies_and_pickles_are_guarded_by_themselves():
    block = RepVggBlock(4, 4)
    set_padding_mode(block, "reflect")
    for twin in (copy.deepcopy(block), pickle.loads(pickle.dumps(block))):
        assert twin.reparameterize.owner is twin
        twin.eval().reparameterize()
        assert twin.reparam_conv.padding_mode == "reflect"
    assert block.reparam_conv is None


def test_zeros_take_the_guards_away():
    model = timm.create_model("repvgg_a0", num_classes=2)
    before = [set(vars(module)) for module in model.modules()]
    set_padding_mode(model, "partial")
    assert sum(isinstance(vars(m).get("reparameterize"), FusionGuard) for m in model.modules()) == 22
    set_padding_mode(model, "zeros")
    assert [set(vars(module)) for module in model.modules()] == before


def test_an_unknown_method_is_refused():
    class Own(nn.Sequential):
        def fuse(self):
            return self[0]

    own = Own(nn.Conv2d(1, 1, 3, padding=1))
    set_padding_mode(own, "reflect")
    with pytest.raises(PaddingError, match=r"^0: Own cannot be fused under reflect padding: what its method does"):
        own.fuse()
    set_padding_mode(own, "zeros")
    assert own.fuse() is own[0]


def test_two_modes_in_one_block_are_refused():
    block = MobileOneBlock(4, 4, num_conv_branches=2)
    set_padding_mode(block, "reflect")
    set_padding_mode(block.conv_kxk[0], "circular")
    with pytest.raises(PaddingError, match="under circular and reflect padding"):
        block.reparameterize()


def test_every_fusing_class_of_timm_is_known():
    """Classes with a fusing method that hold a two-dimensional convolution; those for linear layers need no guard."""
    import timm.models

    linear = {"ConvLayer1d", "LinearNorm", "NormLinear", "RepVitClassifier"}
    found = set()
    for module in vars(timm.models).values():
        for name, value in vars(module).items() if type(module) is type(timm) else ():
            is_local = isinstance(value, type) and value.__module__ == module.__name__
            if is_local and {"fuse", "reparameterize", "switch_to_deploy"} & set(vars(value)) and name not in linear:
                found.add(f"{value.__module__}.{name}")
    assert found == FOLDS | SUMS | PASSES


class DropsBeforeItMakes(nn.Module):
    """Fused the hard way: the old layers are gone before the new one is made, which may get their place in memory."""

    def __init__(self):
        super().__init__()
        self.old = nn.Sequential(*(nn.Conv2d(2, 2, 3, padding=1) for _ in range(8)))

    def fuse(self):
        del self.old
        self.new = nn.Conv2d(2, 2, 3, padding=1)


def test_a_new_layer_in_the_place_of_a_dropped_one_is_converted_too(monkeypatch):
    monkeypatch.setattr(fusing, "SUMS", {f"{__name__}.{DropsBeforeItMakes.__qualname__}"})
    for _ in range(20):
        block = DropsBeforeItMakes()
        set_padding_mode(block, "replicate")
        block.fuse()
        assert isinstance(block.new, PaddedLayer)


def size_of(model):
    return model.pretrained_cfg["input_size"][1:]


@pytest.mark.slow
@pytest.mark.parametrize("name", SUMMED_MODELS)
def test_whole_models_with_branches(name):
    model = roughened(timm.create_model(name, num_classes=3))
    x = torch.randn(1, 3, *size_of(model))
    with torch.inference_mode():
        set_padding_mode(model, "replicate")
        expected = model(x)
        fused = reparameterize_model(model)
        torch.testing.assert_close(fused(x), expected, rtol=1e-6, atol=1e-8)
        assert any(isinstance(layer, PaddedLayer) for layer in fused.modules())
        set_padding_mode(model, "partial")
        expected = model(x)
        with pytest.raises(PaddingError, match="cannot be fused under partial padding"):
            reparameterize_model(model)
        assert torch.equal(model(x), expected)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["partial", "linear_prediction", "pp_pad"])
@pytest.mark.parametrize("name", FOLDED_MODELS)
def test_whole_models_that_fold(name, mode):
    model = roughened(timm.create_model(name, num_classes=3))
    set_padding_mode(model, mode)
    x = torch.randn(1, 3, *size_of(model))
    with torch.inference_mode():
        expected = model(x)
        torch.testing.assert_close(reparameterize_model(model)(x), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iformer_t", "repvit_m0_9", "shvit_s1"])
def test_whole_models_with_a_method_of_their_own(name):
    """Their `fuse` walks the model: a refusal must come before anything has changed."""
    model = roughened(timm.create_model(name, num_classes=3))
    x = torch.randn(1, 3, *size_of(model))
    with torch.inference_mode():
        set_padding_mode(model, "partial")
        expected, classes = model(x), [type(module) for module in model.modules()]
        with pytest.raises(PaddingError, match="cannot be fused under partial padding"):
            model.fuse()
        assert [type(module) for module in model.modules()] == classes
        assert torch.equal(model(x), expected)
        set_padding_mode(model, "symmetric")
        expected = model(x)
        model.fuse()
        torch.testing.assert_close(model(x), expected, rtol=1e-6, atol=1e-8)
