"""How much a convolution pads: fixed amounts, and the rules that depend on the size of the image."""

from typing import Literal

from borderlab.padding.base import Pad, Pair

PadRule = Literal["valid", "same", "tf_same"]
"""`valid` and `same` are PyTorch's; `tf_same` is TensorFlow's, where a stride of s gives ceil(size / s) outputs."""

Padding = Pair | PadRule
"""Fixed amounts (vertical, horizontal) in pixels, or a rule."""


def resolve_pad(padding: Padding, size: Pair, kernel: Pair, stride: Pair, dilation: Pair) -> Pad:
    """Pad (left, right, top, bottom) of a convolution on an image of `size`, in pixels.

    Both `same` rules put the odd pixel behind the image.

    Args:
        padding: fixed amounts (vertical, horizontal), or a rule.
        size: height and width of the image.
        kernel: height and width of the kernel.
        stride: vertical and horizontal stride.
        dilation: vertical and horizontal dilation.
    """
    if padding == "valid":
        return (0, 0, 0, 0)
    if not isinstance(padding, str):
        return (padding[1], padding[1], padding[0], padding[0])
    total = [_same_total(padding, *axis) for axis in zip(size, kernel, stride, dilation, strict=True)]
    height, width = total
    return (width // 2, width - width // 2, height // 2, height - height // 2)


def can_pad(padding: Padding, kernel: Pair) -> bool:
    """Whether there is an image size for which the convolution pads."""
    if isinstance(padding, str):
        return padding != "valid" and max(kernel) > 1
    return max(padding) > 0


def _same_total(rule: str, size: int, kernel: int, stride: int, dilation: int) -> int:
    reach = dilation * (kernel - 1)
    if rule == "same":
        return reach
    return max((-(-size // stride) - 1) * stride + reach + 1 - size, 0)
