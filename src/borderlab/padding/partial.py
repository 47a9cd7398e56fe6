"""Partial-convolution padding: padded pixels are holes, not zeros.

Source: Liu et al. 2018, arXiv:1811.11718, equation 1.

    zeros    0 a b  ->   w0*0 + w1*a + w2*b          + bias
    partial  . a b  ->  (       w1*a + w2*b) * 3/2   + bias

The factor r = (window area) / (part of the window inside the image) depends on nothing but geometry and is a product
of one factor for the rows and one for the columns.

Differs from the reference: r comes from a closed form in place of a convolution over a mask, so there is no epsilon;
a window that sees no pixel is refused where the reference gives 0 or NaN; nothing is stored on the layer.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from borderlab.errors import PaddingError
from borderlab.padding.base import Pad, PaddingScheme, Pair

# Where a bias is added in a pass of its own over a convolution's output: the ratio rides along in that pass. Counted in
# passes, not measured; tests/benchmarks/test_padding_speed_gpu.py has both ways.
_BIAS_ADDED_APART = frozenset({"cuda"})
# Enough for the layers of one network at a few image sizes; a miss costs some twenty tiny operations.
_CACHED_RATIOS = 64


def partial_conv2d(
    x: Float[Tensor, "*n c_in h w"],
    weight: Float[Tensor, "c_out c_in_per_group k_h k_w"],
    bias: Float[Tensor, " c_out"] | None,
    stride: Pair,
    pad: Pad,
    dilation: Pair,
    groups: int,
) -> Float[Tensor, "*n c_out h_out w_out"]:
    """Convolve with zero padding, multiply by `coverage_ratio`, add the bias.

    Where a window lies wholly inside the image, the result has the bits of `torch.nn.functional.conv2d`; on a GPU up to
    the rounding of the sum with the bias, if its convolution does that sum inside.

    Raises:
        PaddingError: if a window sees no image pixel.
    """
    size, kernel = (x.shape[-2], x.shape[-1]), (weight.shape[-2], weight.shape[-1])
    if bias is not None and x.device.type in _BIAS_ADDED_APART:
        y = _zero_padded_conv2d(x, weight, None, stride, pad, dilation, groups)
        ratio = _ratio_like(y, size, kernel, stride, pad, dilation)
        return torch.addcmul(bias.to(y.dtype)[:, None, None], y, ratio)
    y = _zero_padded_conv2d(x, weight, bias, stride, pad, dilation, groups)
    ratio = _ratio_like(y, size, kernel, stride, pad, dilation)
    if bias is None:
        return y.mul_(ratio)
    # y holds Wx + b already: y + (1 - r) * (b - y) = r * Wx + b, in one pass.
    return y.lerp_(bias.to(y.dtype)[:, None, None], 1 - ratio)


def coverage_ratio(
    size: Pair,
    kernel: Pair,
    stride: Pair,
    pad: Pad,
    dilation: Pair,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Float[Tensor, "1 1 h_out w_out"]:
    """Window area divided by the part of the window inside the image.

    Args:
        size: input height and width, in pixels.
        kernel: height and width of the kernel, in taps.
        stride: vertical and horizontal stride.
        pad: pad (left, right, top, bottom), in pixels.
        dilation: vertical and horizontal distance between taps, in pixels.
        dtype: type of the result, rounded once from at least single precision.
        device: where the result lies.

    Returns:
        Ratio r >= 1; 1 wherever the window is wholly inside.

    Raises:
        PaddingError: if a window sees no image pixel.
    """
    rows = _covered_taps(size[0], kernel[0], stride[0], (pad[2], pad[3]), dilation[0], device)
    columns = _covered_taps(size[1], kernel[1], stride[1], (pad[0], pad[1]), dilation[1], device)
    exact = torch.float64 if dtype == torch.float64 else torch.float32
    covered = (rows[:, None] * columns).to(exact)
    # A quotient of tensors: a number over a tensor would be rounded twice, as a product with a reciprocal.
    return torch.full_like(covered, kernel[0] * kernel[1]).div_(covered).to(dtype)[None, None]


def _zero_padded_conv2d(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, pad: Pad, dilation: Pair, groups: int
) -> Tensor:
    left, right, top, bottom = pad
    if left == right and top == bottom:
        return F.conv2d(x, weight, bias, stride, (top, left), dilation, groups)
    return F.conv2d(F.pad(x, pad), weight, bias, stride, 0, dilation, groups)


def _ratio_like(y: Tensor, size: Pair, kernel: Pair, stride: Pair, pad: Pad, dilation: Pair) -> Float[Tensor, "h w"]:
    """`coverage_ratio` of the type and place of `y`, from the cache where `y` is an ordinary tensor.

    A compiler, an exporter or a tensor subclass must see how the ratio is made, and its tensors must not be cached.
    """
    if torch.compiler.is_compiling() or type(y) is not Tensor:
        return coverage_ratio(size, kernel, stride, pad, dilation, y.dtype, y.device)[0, 0]
    return _cached_ratio(size, kernel, stride, pad, dilation, y.dtype, y.device)


@lru_cache(maxsize=_CACHED_RATIOS)
def _cached_ratio(
    size: Pair, kernel: Pair, stride: Pair, pad: Pad, dilation: Pair, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "h w"]:
    # The ratio outlives the call: it must belong neither to an inference mode nor to a torch.func transform.
    with torch.inference_mode(False):
        return torch.func.debug_unwrap(coverage_ratio(size, kernel, stride, pad, dilation, dtype, device)[0, 0])


def _covered_taps(
    size: int, kernel: int, stride: int, pad: Pair, dilation: int, device: torch.device | str | None
) -> Int[Tensor, " out"]:
    """Number of taps of each window that lie on 0..size-1, along one axis.

    A window starts at s = -pad[0], stride - pad[0], ... and has taps at s, s + dilation, ...; ceil(-s / dilation) of
    them lie before the image.
    """
    extent = dilation * (kernel - 1) + 1
    n_windows = (size + sum(pad) - extent) // stride + 1
    _check_windows_see(size, extent, stride, pad, dilation, n_windows)
    start = torch.arange(n_windows, device=device) * stride - pad[0]
    before = ((-start).clamp(min=0) + dilation - 1) // dilation
    after = ((start + extent - size).clamp(min=0) + dilation - 1) // dilation
    return kernel - before - after


def _check_windows_see(size: int, extent: int, stride: int, pad: Pair, dilation: int, n_windows: int) -> None:
    """Raise `PaddingError` if there is no window, or one without a tap on 0..size-1."""
    if n_windows < 1:
        raise PaddingError(f"partial padding: no window of {extent} px fits into {size} px and their padding")
    # Taps at most `size` apart cannot step over the image, so only a window that lies wholly in the padding misses it.
    # Compared like this, ordinary layers ask nothing of the size that an exporter with dynamic sizes could not prove.
    if dilation > size or max(pad) >= extent:
        for index in range(n_windows):
            _check_window_sees(index, n_windows, size, extent, stride, pad[0], dilation)


def _check_window_sees(
    index: int, n_windows: int, size: int, extent: int, stride: int, pad_before: int, dilation: int
) -> None:
    """Raise `PaddingError` if window `index` has no tap on 0..size-1."""
    start = index * stride - pad_before
    first_tap = start if start >= 0 else start % dilation
    if first_tap >= size or start + extent <= first_tap:
        raise PaddingError(
            f"partial padding: window {index} of {n_windows} sees no image pixel (length {size}, {pad_before} "
            f"padded before it, window {extent} long, dilation {dilation}); use larger images or a smaller pad"
        )


SCHEME: PaddingScheme = partial_conv2d
