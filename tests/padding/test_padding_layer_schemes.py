"""Schemes that depend on their layer (`random`, `pp_pad`), and where the computed fillings must refuse."""

import pytest
import torch
from torch import nn

from borderlab.errors import PaddingError
from borderlab.padding import PADDING_MODES, set_padding_mode
from borderlab.padding.linear_prediction import linear_prediction_fill
from borderlab.padding.pp_pad import BorderNet, pp_pad_fill
from borderlab.padding.replicate import replicate_fill
from padding_traits import own_keys


@pytest.fixture
def x():
    return torch.randn(2, 3, 9, 8, generator=torch.Generator().manual_seed(1))


def layer_of(mode, **options):
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 4, 5, padding=2, **options)
    set_padding_mode(layer, mode)
    return layer


def test_random_pads_zeros_in_eval_mode(x):
    assert torch.equal(layer_of("random").eval()(x), layer_of("zeros")(x))


def test_random_training_is_decided_by_the_seed_and_keeps_the_size(x):
    layer, outputs = layer_of("random"), []
    for seed in (1, 1, 2, 3, 4, 5):
        torch.manual_seed(seed)
        outputs.append(layer(x))
    assert torch.equal(outputs[0], outputs[1])
    assert {tuple(y.shape) for y in outputs} == {(2, 4, 9, 8)}
    assert 2 <= len({y.sum().item() for y in outputs}) <= 4


def test_random_draws_once_for_a_batch(x):
    layer = layer_of("random")
    torch.manual_seed(3)
    together = layer(x)
    for image, expected in zip(x, together, strict=True):
        torch.manual_seed(3)
        torch.testing.assert_close(layer(image), expected)


def test_random_draws_nothing_where_nothing_is_padded():
    training = PADDING_MODES["random"].on_layer(True, ())
    for pad, draws in (((0, 0, 0, 0), False), ((1, 0, 0, 0), True)):
        tensors = arguments(pad)
        state = torch.get_rng_state()
        training(*tensors)
        assert torch.equal(torch.get_rng_state(), state) is not draws


def arguments(pad, size=(4, 4)):
    return torch.randn(1, 1, *size), torch.randn(1, 1, 2, 2), None, (1, 1), pad, (1, 1), 1


def test_new_networks_pad_as_replicate(x):
    networks = tuple(BorderNet().parameters())
    for pad in ((1, 1, 1, 1), (3, 0, 2, 5), (0, 0, 4, 0)):
        assert torch.equal(pp_pad_fill(networks, x, pad), replicate_fill(x, pad))


def test_networks_are_learned_and_survive_a_second_conversion(x):
    layer = layer_of("pp_pad")
    optimiser = torch.optim.SGD(layer.border_net.parameters(), lr=1e-5)
    for _ in range(2):
        optimiser.zero_grad()
        layer(x).square().sum().backward()
        optimiser.step()
    assert all(parameter.grad.abs().sum() > 0 for parameter in layer.border_net.parameters())
    learned = layer(x)
    assert not torch.allclose(learned, layer_of("replicate")(x))
    set_padding_mode(layer, "pp_pad")
    assert torch.equal(layer(x), learned)


@pytest.mark.parametrize("other", sorted(set(PADDING_MODES) - {"pp_pad"}))
def test_networks_are_the_only_addition_and_go_with_the_mode(other):
    plain, layer = nn.Conv2d(3, 4, 5, padding=2).state_dict(), layer_of("pp_pad")
    added = [f"border_net.{name}" for name in ("hidden_weight", "hidden_bias", "out_weight", "out_bias")]
    assert list(layer.state_dict()) == [*plain, *added]
    assert layer.load_state_dict(plain, strict=False).missing_keys == added
    set_padding_mode(layer, other)
    assert list(layer.state_dict()) == own_keys(layer.state_dict()) == list(plain)
    assert not hasattr(layer, "border_net")


@pytest.mark.parametrize("options", [{"dtype": torch.float64}, {"dtype": torch.bfloat16}, {"device": "meta"}])
def test_networks_are_where_the_weight_is(options):
    layer = layer_of("pp_pad", **options)
    assert {(p.dtype, p.device) for p in layer.border_net.parameters()} == {(layer.weight.dtype, layer.weight.device)}


@pytest.mark.slow
def test_trained_networks_have_exact_gradients():
    torch.manual_seed(0)
    networks = [torch.randn(4, *shape, dtype=torch.float64) for shape in ((8, 6), (8,), (1, 8), (1,))]
    x = torch.randn(1, 2, 3, 4, dtype=torch.float64)
    tensors = [tensor.requires_grad_() for tensor in (*networks, x)]
    assert torch.autograd.gradcheck(lambda *values: pp_pad_fill(values[:-1], values[-1], (2, 1, 0, 1)), tensors)


def test_a_long_continuation_stays_bounded(x):
    """36 px, as in the widest dilation of an ASPP: at worst a linear growth."""
    padded = linear_prediction_fill(x, (36, 36, 36, 36))
    assert padded.abs().max() <= (1 + 2 * 36) ** 2 * x.abs().max()
    assert linear_prediction_fill(torch.exp(torch.arange(12.0)).reshape(1, 1, 1, 12), (0, 36, 0, 0)).isfinite().all()


def test_half_precision_does_not_overflow():
    x = torch.full((1, 1, 4, 200), 300.0, dtype=torch.float16)
    assert (linear_prediction_fill(x, (2, 2, 0, 0)) - 300).abs().max() <= 1


@pytest.mark.parametrize(
    ("mode", "pad", "size"),
    [
        ("mean_interp", (2, 2, 0, 0), (9, 4)),
        ("mean_interp", (0, 0, 1, 3), (4, 9)),
        ("linear_prediction", (1, 0, 0, 0), (9, 2)),
        ("linear_prediction", (0, 0, 0, 1), (2, 9)),
        ("pp_pad", (0, 1, 0, 0), (9, 1)),
        ("pp_pad", (0, 0, 1, 0), (1, 9)),
    ],
)
def test_too_small_maps_are_refused_and_the_next_size_is_not(mode, pad, size):
    with pytest.raises(PaddingError, match=f"{mode} padding .* on a map of {size[0]}x{size[1]} px; use larger images"):
        PADDING_MODES[mode](*arguments(pad, size))
    assert PADDING_MODES[mode](*arguments(pad, (size[0] + 1, size[1] + 1))).isfinite().all()


@pytest.mark.parametrize(("mode", "pad"), [("mean_interp", (0, 0, 1, 1)), ("linear_prediction", (0, 0, 2, 2))])
def test_an_axis_without_padding_may_be_short(mode, pad):
    x, weight = torch.randn(1, 1, 5, 1), torch.randn(1, 1, 2, 1)
    assert PADDING_MODES[mode](x, weight, None, (1, 1), pad, (1, 1), 1).shape[-1] == 1


def test_rim_of_means_feels_no_gradient(x):
    x.requires_grad_()
    y = PADDING_MODES["mean_interp"](x, torch.ones(1, 3, 3, 3), None, (1, 1), (1, 1, 1, 1), (1, 1), 1)
    zeros = nn.functional.conv2d(x, torch.ones(1, 3, 3, 3), padding=1)
    assert torch.equal(*(torch.autograd.grad(output.sum(), x)[0] for output in (y, zeros)))


def test_random_sides_have_exact_gradients():
    training = PADDING_MODES["random"].on_layer(True, ())
    geometry = ((1, 1), (1, 2, 2, 1), (1, 1), 1)

    def convolve(*tensors):
        torch.manual_seed(5)  # one draw for all evaluations
        return training(*tensors, *geometry)

    tensors = [
        torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((1, 2, 4, 5), (3, 2, 3, 3), (3,))
    ]
    assert torch.autograd.gradcheck(convolve, tensors)


@pytest.mark.slow
def test_random_training_is_one_graph(x):
    torch._dynamo.reset()
    layer = layer_of("random", bias=False)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    shifts = [
        nn.functional.conv2d(nn.functional.pad(x, (*columns, *rows)), layer.weight)
        for rows in ((4, 0), (0, 4))
        for columns in ((4, 0), (0, 4))
    ]
    for _ in range(4):
        y = compiled(x)
        assert [torch.allclose(y, shift, atol=1e-5) for shift in shifts].count(True) == 1
