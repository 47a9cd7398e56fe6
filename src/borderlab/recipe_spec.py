"""Specification of a recipe: how a network is trained and how it is evaluated (a part of `borderlab.spec`)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Precision = Literal["float32", "bfloat16", "float16"]
MemoryFormat = Literal["contiguous", "channels_last"]
Size = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]


class Spec(BaseModel):
    """A frozen model without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScheduleSpec(Spec):
    """Learning rate over training; every schedule is a factor on the recipe's `lr`."""

    name: Literal["constant", "poly", "restarted_poly", "step", "cosine"] = "poly"
    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0
    poly_power: Annotated[float, Field(gt=0)] = Field(0.9, description="Used by `poly` and `restarted_poly`.")
    restart_epoch: Annotated[float, Field(ge=0)] = Field(
        100.0, description="Used by `restarted_poly` alone: from here on the rate falls anew, over what is left."
    )
    restart_factor: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="Used by `restarted_poly` alone: share of `lr` at the restart."
    )
    restart_power: Annotated[float, Field(gt=0)] = Field(
        1.5, description="Used by `restarted_poly` alone: power of the fall after the restart."
    )
    step_epochs: Annotated[int, Field(ge=1)] = Field(30, description="Used by `step` alone.")
    step_factor: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="Used by `step` alone.")


class AugmentSpec(Spec):
    """Random changes of a training sample. All ranges are closed; equal ends switch a change off."""

    crop: Size = Field((224, 224), description="Height and width of a training sample, in pixels.")
    scale: tuple[float, float] = Field(
        (0.5, 2.0), description="Segmentation: factor on the size. Classification: share of the area that is cropped."
    )
    aspect: tuple[float, float] = Field(
        (1.0, 1.0), description="Classification: width over height of a crop, before resizing."
    )
    flip: bool = True
    brightness: Annotated[float, Field(ge=0, le=1)] = 0.0
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.0
    saturation: Annotated[float, Field(ge=0, le=1)] = 0.0
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    blur_sigma: tuple[float, float] = Field((0.0, 0.0), description="Gaussian blur of the image, in pixels.")


class ClassUniformSpec(Spec):
    """Sampling that draws rare classes as often as common ones (Zhu et al. 2019).

    A share of each epoch is divided evenly over the classes: each draw takes a tile that holds the class, and a crop
    that holds the centre of the class's pixels in that tile.
    """

    share: Annotated[float, Field(gt=0, le=1)] = Field(0.5, description="Share of an epoch that is drawn so.")
    tile_px: Annotated[int, Field(ge=1)] = Field(1024, description="Side of the square tiles, in pixels.")
    extra_split: str | None = Field(
        None, description="Split whose frames join for `extra_classes` alone, such as coarsely labelled ones."
    )
    extra_classes: tuple[str, ...] = Field((), description="Classes that are also drawn from `extra_split`.")
    extra_until: Annotated[float, Field(ge=0, le=1)] = Field(
        1.0, description="Share of training after which `extra_split` is left out."
    )
    reference: bool = Field(
        False,
        description="As the published code: what is left of an image beside its whole tiles is not looked at, and "
        "`extra_until` has no effect.",
    )


class EvaluationSpec(Spec):
    """How a validation image is brought to the network."""

    resize: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Classification: shorter side after resizing. Absent: images keep their size."
    )
    crop: Size | None = Field(None, description="Classification: centre crop. Absent: the whole image.")
    batch_size: Annotated[int, Field(ge=1)] = 16
    scales: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = Field(
        (1.0,), description="Segmentation: factors on the image's size; the mean of their logits decides."
    )
    flip: bool = Field(False, description="Segmentation: the mirrored image votes too.")
    window: Size | None = Field(
        None, description="Segmentation: height and width of a sliding window, in pixels. Absent: whole images."
    )
    overlap: Annotated[float, Field(ge=0, lt=1)] = Field(
        1 / 3, description="Segmentation: share of a sliding window that it has in common with the next one."
    )

    @property
    def is_plain(self) -> bool:
        """Whether one pass over the whole image is all."""
        return self.scales == (1.0,) and not self.flip and self.window is None


class RecipeSpec(Spec):
    """How a network is trained."""

    epochs: Annotated[int, Field(ge=1)] = 30
    samples_per_epoch: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="Samples drawn in one epoch, so that training sets of different size get equal steps. "
        "Absent: each sample once.",
    )
    class_uniform: ClassUniformSpec | None = Field(
        None, description="Segmentation: draw rare classes as often as common ones. Absent: every sample alike."
    )
    resident: bool = Field(
        False,
        description="Classification: all images are decoded onto the device once, which crops, resizes and recolours "
        "them. Same draws; samples differ by roundings.",
    )
    batch_size: Annotated[int, Field(ge=1)] = 16
    optimiser: Literal["sgd", "adamw"] = "sgd"
    lr: Annotated[float, Field(gt=0)] = 0.01
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    nesterov: bool = False
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    gradient_clip: Annotated[float, Field(gt=0)] | None = None
    schedule: ScheduleSpec = ScheduleSpec()
    augment: AugmentSpec = AugmentSpec()
    evaluation: EvaluationSpec = EvaluationSpec()
    precision: Precision = Field("float32", description="Arithmetic of the forward pass (autocast).")
    memory_format: MemoryFormat = "channels_last"
    output_stride: Literal[8, 16, 32] = Field(16, description="Segmentation: input size over size of deepest map.")
    decoder_channels: Annotated[int, Field(ge=1)] = Field(256, description="Segmentation: width of the decoder.")
    aspp_rates: tuple[int, ...] = Field((6, 12, 18), description="Segmentation: dilations of the decoder's pyramid.")
    threads: Annotated[int, Field(ge=1)] = Field(1, description="CPU threads; the bits of a sum depend on them.")
    validate_every_epochs: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _restarts_before_the_end(self) -> "RecipeSpec":
        if self.schedule.name == "restarted_poly" and self.schedule.restart_epoch >= self.epochs:
            raise ValueError(f"schedule.restart_epoch {self.schedule.restart_epoch:g} must be below epochs")
        return self
