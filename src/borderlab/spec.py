"""Specifications: everything that decides a result, and nothing else.

An experiment's configuration (`borderlab.config`) is what a person writes; `borderlab.plan` turns it into the
specifications of this module. A result's folder is named by the hash of its specification (`borderlab.identity`), so
a field added here renames results: add one only if it changes numbers.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Task = Literal["classification", "segmentation"]
Weights = Literal["random", "wheel", "timm"]
PropagationKind = Literal["label", "joint", "true"]
Method = Literal["recursive"]
Precision = Literal["float32", "bfloat16", "float16"]
MemoryFormat = Literal["contiguous", "channels_last"]
Size = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]


class Spec(BaseModel):
    """A frozen model without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DatasetSpec(Spec):
    """A data set by name, options and content."""

    key: str = Field(description="Name in the experiment; the registry's, unless two of its keys share a data set.")
    name: str = Field(description="Name in the registry of data sets.")
    identity: str = Field(description="Hash of the content (see `Dataset.identity`).")
    options: dict[str, object] = Field(default_factory=dict, description="Options of the data set.")


class KeyframesSpec(Spec):
    """Which frames of each clip keep their label; the others count as unlabelled video."""

    stride: Annotated[int, Field(ge=1)] = Field(10, description="Every stride-th frame is a key frame.")
    offset: Annotated[int, Field(ge=0)] = Field(5, description="Index of the first key frame in a clip.")


class MotionSpec(Spec):
    """Flow between neighbouring frames around the key frames of one split."""

    dataset: DatasetSpec
    split: str
    keyframes: KeyframesSpec
    model: str = Field(description="Name in the registry of motion models.")
    max_distance: Annotated[int, Field(ge=1)] = Field(description="Farthest distance from a key frame, in frames.")


class SynthesisSpec(Spec):
    """Images and labels moved from each key frame over one signed distance."""

    dataset: DatasetSpec
    split: str
    keyframes: KeyframesSpec
    motion: str
    distance: int = Field(description="Signed distance from the key frame, in frames; not 0.")
    method: Method = "recursive"
    void_occluded: bool = Field(True, description="Void where the forward-backward check fails or out of frame.")

    @model_validator(mode="after")
    def _distance_is_not_zero(self) -> "SynthesisSpec":
        if self.distance == 0:
            raise ValueError("distance must not be 0: that is the key frame itself")
        return self


class PropagationSpec(Spec):
    """Which propagated samples join the key frames in training (Zhu et al. 2019, section 3.1).

    `label`: real frame, moved label. `joint`: moved frame, moved label. `true`: real frame, real label, the upper
    bound that only data sets with labels on every frame can give.
    """

    kind: PropagationKind
    motion: str = Field("dis_medium", description="Name in the registry of motion models.")
    max_distance: Annotated[int, Field(ge=1)] = Field(1, description="Distances -k..k join, in frames.")
    method: Method = "recursive"
    void_occluded: bool = True

    @property
    def distances(self) -> tuple[int, ...]:
        """Signed distances, nearest first: -1, 1, -2, 2, ..."""
        return tuple(sign * step for step in range(1, self.max_distance + 1) for sign in (-1, 1))


class ScoreSpec(Spec):
    """Propagated labels of one split scored at all distances up to `max_distance`."""

    dataset: DatasetSpec
    split: str
    keyframes: KeyframesSpec
    motion: str
    max_distance: int
    void_occluded: bool

    @property
    def propagation(self) -> PropagationSpec:
        """The propagation whose samples are scored."""
        return PropagationSpec(
            kind="label", motion=self.motion, max_distance=self.max_distance, void_occluded=self.void_occluded
        )


class LossSpec(Spec):
    """Training loss; `relaxed` is Zhu et al. 2019, section 3.2."""

    name: str = Field("cross_entropy", description="Name in the registry of losses.")
    relax_radius_px: Annotated[int, Field(ge=0, le=15)] = Field(
        1, description="Half width of the neighbourhood whose classes count as right; used by `relaxed` alone."
    )
    relax_until: Annotated[float, Field(ge=0, le=1)] = Field(
        1.0, description="Share of training after which `relaxed` turns into cross-entropy."
    )


class ScheduleSpec(Spec):
    """Learning rate over training; every schedule is a factor on the recipe's `lr`."""

    name: Literal["constant", "poly", "step", "cosine"] = "poly"
    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0
    poly_power: Annotated[float, Field(gt=0)] = Field(0.9, description="Used by `poly` alone.")
    step_epochs: Annotated[int, Field(ge=1)] = Field(30, description="Used by `step` alone.")
    step_factor: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="Used by `step` alone.")


class AugmentSpec(Spec):
    """Random changes of a training sample. All ranges are closed; equal ends switch a change off."""

    crop: Size = Field((224, 224), description="Height and width of a training sample, in pixels.")
    scale: tuple[float, float] = Field(
        (0.5, 2.0), description="Segmentation: factor on the size. Classification: share of the area that is cropped."
    )
    aspect: tuple[float, float] = Field((1.0, 1.0), description="Width over height of a crop, before resizing.")
    flip: bool = True
    brightness: Annotated[float, Field(ge=0, le=1)] = 0.0
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.0
    saturation: Annotated[float, Field(ge=0, le=1)] = 0.0
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    blur_sigma: tuple[float, float] = Field((0.0, 0.0), description="Gaussian blur of the image, in pixels.")


class EvaluationSpec(Spec):
    """How a validation image is brought to the network."""

    resize: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Classification: shorter side after resizing. Absent: images keep their size."
    )
    crop: Size | None = Field(None, description="Classification: centre crop. Absent: the whole image.")
    batch_size: Annotated[int, Field(ge=1)] = 16


class RecipeSpec(Spec):
    """How a network is trained."""

    epochs: Annotated[int, Field(ge=1)] = 30
    samples_per_epoch: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="Samples drawn in one epoch, so that training sets of different size get equal steps. "
        "Absent: each sample once.",
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


class RunSpec(Spec):
    """One training run: one network, one training set, one seed."""

    task: Task
    dataset: DatasetSpec
    train_split: str
    eval_split: str
    keyframes: KeyframesSpec | None = Field(None, description="Absent: all labelled frames of the split train.")
    propagation: PropagationSpec | None = None
    backbone: str
    weights: Weights
    padding_mode: str
    loss: LossSpec = LossSpec()
    recipe: RecipeSpec
    seed: Annotated[int, Field(ge=0)]
