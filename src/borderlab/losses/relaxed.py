"""Relaxed cross-entropy: at an object's border, any class of the neighbourhood is right.

Source: Zhu et al. 2019, arXiv:1812.01593, section 3.2, equations 2 and 3:

    loss(pixel) = -log sum over c in N of p(c),    N = classes in the window around the pixel

where N has one class, this is cross-entropy.

Differs from the reference: the mean is taken over labelled pixels, not multiplied by the border weights of the whole
batch; it is finite at any finite logits; ignored pixels are never trained, whatever lies beside them; the outside of
the image is no class. `losses.published` holds the published loss as it is.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Integer
from torch import Tensor

from borderlab.data.base import IGNORE_INDEX
from borderlab.errors import ConfigError
from borderlab.losses.base import Loss
from borderlab.losses.boundary import is_beside_another_class
from borderlab.losses.cross_entropy import as_single, is_channels_last, mean_cross_entropy, mean_of
from borderlab.losses.published import published_loss
from borderlab.losses.set_loss import SetLoss, pixel_sets, pixel_weights
from borderlab.spec import LossSpec


def relaxed_cross_entropy(
    logits: Float[Tensor, "n c h w"],
    target: Integer[Tensor, "n h w"],
    radius_px: int,
    strict_classes: tuple[int, ...] = (),
    class_weights: Float[Tensor, " c"] | None = None,
    image_weight_bound: float = 0.0,
) -> Float[Tensor, ""]:
    """Mean over labelled pixels of -log of the probability of the classes around the pixel.

    Ignored pixels and the outside of the image contribute no class. With `class_weights` a pixel weighs as much as
    the mean of the classes in its set, and the mean is a weighted one. `image_weight_bound` multiplies, in each image
    by itself, the weight of class c by 1 + bound * (1 - share of the image's labelled pixels that are of class c); this
    leaves the divisor as it is, so that no image weighs on another.

    Args:
        logits: scores before softmax.
        target: train ids 0..c-1, or `IGNORE_INDEX`.
        radius_px: half width of the window, in pixels; 0 is cross-entropy.
        strict_classes: pixels of these classes count their own class alone.
        class_weights: weight of each class, 0 or more.
        image_weight_bound: 0 or more; 0 weighs all classes of an image alike.

    Returns:
        Loss in single precision or better; 0 where nothing counts.

    Raises:
        ConfigError: if the radius is negative.
    """
    if radius_px < 0:
        raise ConfigError(f"loss.relax_radius_px: got {radius_px}; use 0 or more")
    if radius_px == 0 and image_weight_bound == 0:
        return mean_cross_entropy(logits, target, class_weights)
    logits, target = as_single(logits), target.long()
    if torch.compiler.is_compiling() and class_weights is None and image_weight_bound == 0:
        # Here alone: the module brings in torch's compiler, seconds that nobody else should wait for.
        from borderlab.losses.compiled import compiled_loss

        return compiled_loss(logits, target, radius_px, strict_classes)
    sets = pixel_sets(target, logits.shape[1], radius_px, strict_classes)
    divisor = sets.labelled.to(logits) if class_weights is None else pixel_weights(sets, class_weights.to(logits))
    weights = divisor
    if image_weight_bound > 0:
        per_image = image_weights(target, logits.shape[1], image_weight_bound).to(logits)
        weights = pixel_weights(sets, per_image if class_weights is None else per_image * class_weights.to(logits))
    # In channels-last order the classes of a pixel lie side by side: the last axis is then the quick one.
    dim = 3 if is_channels_last(logits) else 1
    total = SetLoss.apply(logits.movedim(1, dim), dim, sets, weights)
    return mean_of(total, divisor)


def image_weights(target: Integer[Tensor, "n h w"], n_classes: int, bound: float) -> Float[Tensor, "n c"]:
    """Weight of each class in each image, 1..1 + bound: the rarer in the image, the more."""
    return 1 + bound * (1 - class_shares(target, n_classes))


def class_shares(target: Integer[Tensor, "n h w"], n_classes: int) -> Float[Tensor, "n c"]:
    """Share of each image's labelled pixels that each class has, 0..1; 0 where nothing is labelled."""
    counts = torch.stack([torch.bincount(image[image < n_classes], minlength=n_classes) for image in target.flatten(1)])
    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)


def boundary_cross_entropy(
    logits: Float[Tensor, "n c h w"],
    target: Integer[Tensor, "n h w"],
    boundary_weight: float,
    image_weight_bound: float = 0.0,
) -> Float[Tensor, ""]:
    """Weighted mean of cross-entropy over labelled pixels; those beside another class weigh `boundary_weight`.

    `image_weight_bound` multiplies the weights and leaves the divisor as it is, as in `relaxed_cross_entropy`.
    """
    logits, target, labelled = as_single(logits), target.long(), target != IGNORE_INDEX
    near = is_beside_another_class(target, logits.shape[1])
    divisor = torch.where(near, boundary_weight, 1.0).to(logits) * labelled
    weights = divisor
    if image_weight_bound > 0:
        per_image = image_weights(target, logits.shape[1], image_weight_bound).to(logits)
        weights = weights * per_image.gather(1, target.where(labelled, 0).flatten(1)).view_as(target)
    pixels = F.cross_entropy(logits, target, ignore_index=IGNORE_INDEX, reduction="none")
    return mean_of((pixels * weights).sum(), divisor)


@dataclass(frozen=True)
class RelaxedLoss:
    """Relaxed cross-entropy up to the share `until` of training, cross-entropy from then on.

    From then on pixels beside another class weigh `boundary_weight`. `reference`: the published loss in both phases.
    """

    radius_px: int
    until: float = 1.0
    strict_classes: tuple[int, ...] = ()
    boundary_weight: float = 1.0
    image_weight_bound: float = 0.0
    reference: bool = False

    def __call__(
        self, logits: Float[Tensor, "n c *size"], target: Integer[Tensor, " n *size"], progress: float
    ) -> Float[Tensor, ""]:
        if logits.ndim != 4:
            raise ConfigError("loss.name: relaxed needs a label for each pixel; use cross_entropy for classification")
        radius_px = self.radius_px if progress < self.until else 0
        bound = self.image_weight_bound
        if self.reference:
            return published_loss(logits, target, radius_px, self.strict_classes, bound)
        if progress >= self.until and self.boundary_weight != 1:
            return boundary_cross_entropy(logits, target, self.boundary_weight, bound)
        return relaxed_cross_entropy(logits, target, radius_px, self.strict_classes, image_weight_bound=bound)


def create(spec: LossSpec, label_smoothing: float, classes: tuple[str, ...]) -> Loss:
    """The relaxed loss of `spec`.

    Raises:
        ConfigError: if labels are to be smoothed, which has no meaning for a set of classes, or a strict class is none
            of `classes`.
    """
    if label_smoothing > 0:
        raise ConfigError(f"recipe.label_smoothing: got {label_smoothing} with loss relaxed; set it to 0")
    unknown = [name for name in spec.strict_classes if name not in classes]
    if unknown:
        raise ConfigError(f"loss.strict_classes: got {unknown[0]!r}; allowed: {', '.join(classes)}")
    return RelaxedLoss(
        radius_px=spec.relax_radius_px,
        until=spec.relax_until,
        strict_classes=tuple(classes.index(name) for name in spec.strict_classes),
        boundary_weight=spec.boundary_weight,
        image_weight_bound=spec.image_weight_bound,
        reference=spec.reference,
    )
