"""What a conversion did: layers converted, layers without padding, and padding that was left as it is."""

from dataclasses import dataclass

from borderlab.padding.base import Pair

_SHOWN = 5


@dataclass(frozen=True)
class ConvertedLayer:
    """A convolution that now pads by the new mode; `padding` is (vertical, horizontal) in pixels, or a rule's name."""

    name: str
    kind: str
    kernel: Pair
    stride: Pair
    padding: Pair | str


@dataclass(frozen=True)
class LeftLayer:
    """A module that pads in a way of its own, which the conversion did not change."""

    name: str
    kind: str
    reason: str


@dataclass(frozen=True)
class ConversionReport:
    """Outcome of `set_padding_mode`.

    Padding that a module does with `torch.nn.functional` in its own `forward` cannot be seen and is not listed.
    """

    mode: str
    converted: tuple[ConvertedLayer, ...]
    n_unpadded: int
    left: tuple[LeftLayer, ...]

    def __str__(self) -> str:
        names = [layer.name or layer.kind for layer in self.left[:_SHOWN]]
        more = [f"{len(self.left) - _SHOWN} more"] if len(self.left) > _SHOWN else []
        return (
            f"padding mode {self.mode}: {len(self.converted)} convolutions converted, {self.n_unpadded} without "
            f"padding; left with a padding of their own: {', '.join(names + more) or 'none'}"
        )
