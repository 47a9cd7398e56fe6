"""Small wrong changes of the padding: each must fail a test that passes without it (`tests/mutants/mutation.py`)."""

import pytest
import torch
from tests.golden import test_padding_golden as golden
from tests.mutants.mutation import mutated
from tests.padding import test_padding_census as census_tests
from tests.padding import test_padding_convert as convert_tests
from tests.padding import test_padding_expert_layers as expert_tests
from tests.padding import test_padding_fusing as fusing_tests
from tests.padding import test_padding_geometry as geometry_tests
from tests.padding import test_padding_layer_schemes as layer_scheme_tests
from tests.padding import test_padding_layers as layer_tests
from tests.padding import test_padding_partial as partial_tests
from tests.padding import test_padding_schemes as scheme_tests
from tests.padding import test_reference_defects as defect_tests
from tests.parity import test_padding_parity as parity_tests
from timm.layers import CondConv2d, ScaledStdConv2d, StdConv2d
from timm.models.byobnet import RepVggBlock
from torch import nn

from borderlab.errors import PaddingError
from borderlab.padding import (
    base,
    census,
    circular,
    convert,
    fusing,
    geometry,
    kinds,
    layers,
    linear_prediction,
    mean_interp,
    partial,
    pp_pad,
    random,
    reflect,
    replicate,
    symmetric,
)

SEEN = (AssertionError, PaddingError, RuntimeError, KeyError, AttributeError, TypeError, pytest.fail.Exception)


def sum_of_neighbours(mode):
    expected = dict(golden.test_sum_of_three_neighbours.pytestmark[0].args[1])[mode]
    return lambda: golden.test_sum_of_three_neighbours(mode, expected)


def definition_of(mode, geometry_name):
    chosen = parity_tests.GEOMETRIES[geometry_name]
    return lambda: parity_tests.test_scheme_equals_its_definition(mode, chosen, True)


def a_layer_changes_and_comes_back(make, mode):
    def test():
        torch.manual_seed(0)
        x = torch.randn(2, 3, 10, 8, generator=torch.Generator().manual_seed(1))
        layer_tests.test_every_kind_changes_at_the_border_alone_and_comes_back(make().eval(), x, mode)

    return test


def windows_are_refused(*arguments):
    return lambda: partial_tests.test_windows_before_behind_and_astride_the_image_are_refused(*arguments)


def half_precision_at_one_size():
    """The ratio of one type must not serve another."""
    defect_tests.test_b_precision_follows_the_layer_at_the_same_size(torch.bfloat16)


def training_after_inference():
    defect_tests.test_d_training_follows_inference_mode_at_the_same_size(bias=False)


def a_fused_sum(mode):
    def run():
        torch.set_default_dtype(torch.float64)
        try:
            fusing_tests.test_a_sum_is_refused_where_branches_see_different_rims(mode)
        finally:
            torch.set_default_dtype(torch.float32)

    return run


def a_fused_filling():
    torch.set_default_dtype(torch.float64)
    try:
        fusing_tests.test_a_fused_sum_is_exact_for_fillings("reflect", RepVggBlock)
    finally:
        torch.set_default_dtype(torch.float32)


def a_conditional_layer():
    torch.manual_seed(0)
    layer = CondConv2d(4, 8, num_experts=3, **expert_tests.CONDITIONAL["plain"]).eval()
    inputs = torch.randn(3, 4, 9, 8), torch.rand(3, 3)
    expert_tests.test_conditional_layer_equals_its_images_one_by_one(layer, inputs, "partial")


MUTANTS = {
    "taps behind the image count as covered": (
        partial._covered_taps,
        "kernel - before - after",
        "kernel - before",
        golden.test_ratio_of_a_3x3_window,
    ),
    "taps before the image are rounded down": (
        partial._covered_taps,
        "((-start).clamp(min=0) + dilation - 1) // dilation",
        "(-start).clamp(min=0) // dilation",
        golden.test_ratio_of_dilated_windows,
    ),
    "windows start a stride too late": (
        partial._covered_taps,
        "* stride - pad[0]",
        "* stride",
        golden.test_ratio_of_the_resnet_stem,
    ),
    "an epsilon": (
        partial.coverage_ratio,
        ".div_(covered)",
        ".div_(covered + 1e-3)",
        golden.test_ratio_of_a_3x3_window,
    ),
    "rows alone are re-weighted": (
        partial.coverage_ratio,
        "rows[:, None] * columns",
        "rows[:, None] * kernel[1] + 0 * columns",
        golden.test_ratio_of_a_3x3_window,
    ),
    "kernel, stride and dilation of height and width are exchanged": (
        partial.coverage_ratio,
        "_covered_taps(size[0], kernel[0], stride[0], (pad[2], pad[3]), dilation[0], device)",
        "_covered_taps(size[0], kernel[0], stride[1], (pad[2], pad[3]), dilation[1], device)",
        lambda: parity_tests.test_coverage_ratio_counts_taps((12, 9), (2, 3)),
    ),
    "the bias is re-weighted": (
        partial.partial_conv2d,
        "return y.lerp_(bias.to(y.dtype)[:, None, None], 1 - ratio)",
        "return y.mul_(ratio)",
        golden.test_bias_stands_outside_the_ratio,
    ),
    "the ratio is turned over": (
        partial.partial_conv2d,
        "1 - ratio)",
        "1 - 1 / ratio)",
        golden.test_bias_stands_outside_the_ratio,
    ),
    "windows without a pixel are not looked for": (
        partial._check_windows_see,
        "dilation > size or max(pad) >= extent",
        "False",
        windows_are_refused(4, 3, 1, (3, 0), 1, "0 of 5"),
    ),
    "a window astride the image counts as seeing it": (
        partial._check_window_sees,
        "first_tap >= size or start + extent <= first_tap",
        "start >= size or start + extent <= 0",
        windows_are_refused(2, 2, 1, (4, 4), 5, "1 of 5"),
    ),
    "the ratio of one type serves all": (
        partial._ratio_like,
        "return _cached_ratio(size, kernel, stride, pad, dilation, y.dtype, y.device)",
        "return _cached_ratio(size, kernel, stride, pad, dilation, torch.float32, y.device)",
        half_precision_at_one_size,
    ),
    "a ratio of inference mode is kept": (
        partial._cached_ratio,
        "torch.inference_mode(False)",
        "torch.inference_mode(torch.is_inference_mode_enabled())",
        training_after_inference,
    ),
    "reflection repeats the edge": (
        reflect.reflect_fill,
        'mode="reflect"',
        'mode="replicate"',
        sum_of_neighbours("reflect"),
    ),
    "reflection needs one pixel more": (
        reflect.reflect_fill,
        "margin=1",
        "margin=2",
        lambda: scheme_tests.test_pad_larger_than_the_map_is_refused("reflect", 3),
    ),
    "replication is zeros": (
        replicate.replicate_fill,
        'F.pad(x, pad, mode="replicate")',
        "F.pad(x, pad)",
        sum_of_neighbours("replicate"),
    ),
    "the circle turns the wrong way": (
        circular._wrap,
        "[x.narrow(dim, size - before, before), x, x.narrow(dim, 0, after)]",
        "[x.narrow(dim, 0, before), x, x.narrow(dim, size - after, after)]",
        sum_of_neighbours("circular"),
    ),
    "a pad larger than the image is taken": (
        base.check_pad_fits,
        "max(pad[:2]) + margin > width",
        "max(pad[:2]) + margin > width + 1",
        lambda: scheme_tests.test_pad_larger_than_the_map_is_refused("symmetric", 4),
    ),
    "the mirror does not turn what it shows": (
        symmetric._mirror,
        "x.narrow(dim, 0, before).flip(dim)",
        "x.narrow(dim, 0, before)",
        definition_of("symmetric", "dilated"),
    ),
    "local means have a gradient": (
        mean_interp.mean_interp_fill,
        "x.detach()",
        "x",
        lambda: layer_scheme_tests.test_rim_of_means_feels_no_gradient(torch.randn(2, 3, 7, 8)),
    ),
    "local means are not stretched": (
        mean_interp.mean_interp_fill,
        "align_corners=False",
        "align_corners=True",
        definition_of("mean_interp", "plain"),
    ),
    "random padding is always on one side": (
        random._one_side,
        "torch.randint(2, (), device=x.device) * total",
        "torch.zeros((), dtype=torch.long, device=x.device)",
        golden.test_random_sides_in_training,
    ),
    "random padding is random in eval mode too": (
        random.RandomPadding.on_layer,
        "if training else filled(zeros_fill)",
        "if True else filled(zeros_fill)",
        lambda: layer_scheme_tests.test_random_pads_zeros_in_eval_mode(torch.randn(2, 3, 7, 8)),
    ),
    "a continuation may grow without end": (
        linear_prediction._fit,
        ".clamp(-1, 1)",
        "",
        golden.test_a_slope_of_two_is_cut_to_one,
    ),
    "a continuation is in the wrong order": (
        linear_prediction._extend,
        "before)[::-1], y]",
        "before), y]",
        golden.test_a_ramp_and_a_flat_row_continue,
    ),
    "a network looks at the wrong row": (
        pp_pad._grow,
        "if behind else (0, 1)",
        "if behind else (1, 0)",
        golden.test_one_prediction_of_a_network,
    ),
    "new networks pad zeros": (
        pp_pad._grow,
        "(near + _difference",
        "(0 * near + _difference",
        sum_of_neighbours("pp_pad"),
    ),
    "the odd pixel stands before the image": (
        geometry.resolve_pad,
        "(width // 2, width - width // 2, height // 2, height - height // 2)",
        "(width - width // 2, width // 2, height - height // 2, height // 2)",
        lambda: geometry_tests.test_same_pads_as_torch_does((4, 3), (1, 1)),
    ),
    "height and width of a fixed pad are exchanged": (
        geometry.resolve_pad,
        "(padding[1], padding[1], padding[0], padding[0])",
        "(padding[0], padding[0], padding[1], padding[1])",
        lambda: parity_tests.test_converted_layer_equals_definition("reflect", (2, 1)),
    ),
    "TensorFlow's rule forgets the stride": (
        geometry._same_total,
        "(-(-size // stride) - 1) * stride + reach",
        "(size - 1) + reach",
        lambda: geometry_tests.test_tf_same_pads_as_timm_does((10, 7), (3, 3), (2, 2), (1, 1)),
    ),
    "strict converts all the same": (
        convert.set_padding_mode,
        "if strict and survey.left:",
        "if False:",
        convert_tests.test_strict_refuses_before_anything_changes,
    ),
    "unpadded convolutions are converted": (
        convert._add_convolution,
        "kind is None or not can_pad(kind.padding(layer), kernel)",
        "kind is None",
        convert_tests.test_unpadded_layers_are_untouched,
    ),
    "standardised weights are used as they are": (
        kinds._standardised_weight,
        "_normalise_filters(layer, None)",
        "layer.weight",
        a_layer_changes_and_comes_back(lambda: StdConv2d(3, 4, 3), "partial"),
    ),
    "the gain of scaled weights is forgotten": (
        kinds._scaled_standardised_weight,
        "(layer.gain * layer.scale).view(-1)",
        "None",
        a_layer_changes_and_comes_back(lambda: ScaledStdConv2d(3, 4, 3, gain_init=0.7), "partial"),
    ),
    "zeros keep the converted class": (
        layers.pad_layer,
        "layer.__class__ = base",
        "pass",
        convert_tests.test_conversion_is_idempotent_and_goes_from_any_mode_to_any_other,
    ),
    "all images share the first one's kernel": (
        layers.padded_conv2d_per_sample,
        "weight.flatten(0, 1)",
        "weight[:1].expand_as(weight).flatten(0, 1)",
        a_conditional_layer,
    ),
    "a sum is fused whatever its branches see": (
        fusing._check,
        "and scheme.nested",
        "or True",
        a_fused_sum("partial"),
    ),
    "a fused layer pads zeros": (
        fusing.FusionGuard.__call__,
        "_pad_new_layers(result, before, padded[0])",
        "pass",
        a_fused_filling,
    ),
    "an average over padded zeros is not seen": (
        census._average,
        "_pads(module) and module.count_include_pad",
        "_pads(module) and not module.count_include_pad",
        lambda: census_tests.test_padding_is_found(nn.AvgPool2d(3, 1, 1), "averages over padded zeros"),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_noticed(name):
    function, fragment, replacement, test = MUTANTS[name]
    test()
    # Ratios are kept: a mutant must not be saved by a right one, nor leave a wrong one behind.
    partial._cached_ratio.cache_clear()
    try:
        with mutated(function, fragment, replacement), pytest.raises(SEEN):
            test()
    finally:
        partial._cached_ratio.cache_clear()
