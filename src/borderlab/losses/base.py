"""What a training loss is: logits and target to one number, at a point in training."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Integer
from torch import Tensor

from borderlab.spec import LossSpec


@runtime_checkable
class Loss(Protocol):
    """A loss of a batch."""

    def __call__(
        self, logits: Float[Tensor, "n c *size"], target: Integer[Tensor, " n *size"], progress: float
    ) -> Float[Tensor, ""]:
        """Mean loss over the labelled samples or pixels; 0 where there are none.

        Args:
            logits: scores before softmax.
            target: class ids; of images (n c h w), train ids where `IGNORE_INDEX` is not counted.
            progress: share of training that is done, 0..1.
        """
        ...


LossFactory = Callable[[LossSpec, float, tuple[str, ...]], Loss]
"""Makes a loss from its specification, the recipe's label smoothing (0..1) and the names of the classes."""
