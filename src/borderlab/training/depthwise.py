"""A faster gradient of dilated depthwise convolutions on a CPU.

A backbone at output stride 8 or 16 dilates the depthwise convolutions of its last stages. oneDNN has no fast kernel for
their gradients: three such layers of `tf_efficientnet_lite0` take a fifth of a training step. Both gradients are plain
enough to be written as what is fast. That of the input is a forward convolution with the kernel turned around; that of
the kernel is, for each of its taps, one product and one sum. The forward pass stays torch's own, to the bit.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.modules.utils import _pair
from torch.overrides import TorchFunctionMode

from borderlab.padding.base import Pair

_DTYPES = (torch.float32, torch.float64)


def fast_depthwise(device: torch.device) -> AbstractContextManager[Any]:
    """Within it, forward passes on a CPU record the faster gradient; elsewhere it does nothing."""
    return _FastDepthwise() if device.type == "cpu" else nullcontext()


class _FastDepthwise(TorchFunctionMode):
    """Looks at each convolution on its way to torch, whatever layer or padding scheme asks for it."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.conv2d:
            return _conv2d(*args, **kwargs)
        return func(*args, **kwargs)


def _conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    if isinstance(padding, str) or not _is_dilated_depthwise(input, weight, _pair(stride), _pair(dilation), groups):
        return torch.conv2d(input, weight, bias, stride, padding, dilation, groups)
    pad, dilated = _pair(padding), _pair(dilation)
    if any(own > reach for own, reach in zip(pad, _reach(weight, dilated), strict=True)):
        return torch.conv2d(input, weight, bias, stride, padding, dilation, groups)
    found: Tensor = _DilatedDepthwise.apply(input, weight, bias, pad, dilated)
    return found


def _is_dilated_depthwise(x: Tensor, weight: Tensor, stride: Pair, dilation: Pair, groups: int) -> bool:
    is_depthwise = x.dim() == 4 and groups == x.shape[1] == weight.shape[0] and weight.shape[1] == 1
    learns = torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)
    is_plain = x.dtype == weight.dtype and x.dtype in _DTYPES and not torch.is_autocast_enabled("cpu")
    return is_depthwise and max(dilation) > 1 and tuple(stride) == (1, 1) and learns and is_plain


def _reach(weight: Tensor, dilation: Pair) -> Pair:
    """Distance between the first and the last tap of a kernel, in pixels."""
    return dilation[0] * (weight.shape[2] - 1), dilation[1] * (weight.shape[3] - 1)


class _DilatedDepthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, pad: Pair, dilation: Pair) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.pad, ctx.dilation = pad, dilation
        return torch.conv2d(x, weight, bias, 1, pad, dilation, x.shape[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        of_x = _of_input(gradient, weight, ctx.pad, ctx.dilation) if ctx.needs_input_grad[0] else None
        of_weight = _of_kernel(gradient, x, weight, ctx.pad, ctx.dilation) if ctx.needs_input_grad[1] else None
        of_bias = gradient.sum((0, 2, 3)) if ctx.needs_input_grad[2] else None
        return of_x, of_weight, of_bias, None, None


def _of_input(gradient: Tensor, weight: Tensor, pad: Pair, dilation: Pair) -> Tensor:
    reach = _reach(weight, dilation)
    outside = (reach[0] - pad[0], reach[1] - pad[1])
    return torch.conv2d(gradient, weight.flip(2, 3), None, 1, outside, dilation, weight.shape[0])


def _of_kernel(gradient: Tensor, x: Tensor, weight: Tensor, pad: Pair, dilation: Pair) -> Tensor:
    result = torch.empty_like(weight)
    for row in range(weight.shape[2]):
        rows = _meeting(x.shape[2], gradient.shape[2], row * dilation[0] - pad[0])
        for column in range(weight.shape[3]):
            columns = _meeting(x.shape[3], gradient.shape[3], column * dilation[1] - pad[1])
            seen, own = x[:, :, rows[0], columns[0]], gradient[:, :, rows[1], columns[1]]
            result[:, 0, row, column] = (seen * own).sum((0, 2, 3))
    return result


def _meeting(n_in: int, n_out: int, shift: int) -> tuple[slice, slice]:
    """The pixels of an axis that a tap `shift` pixels away sees inside the image, and the outputs that see them."""
    first, last = max(0, -shift), max(0, -shift, min(n_out, n_in - shift))
    return slice(first + shift, last + shift), slice(first, last)
