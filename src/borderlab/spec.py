"""Specifications: everything that decides a result, and nothing else.

An experiment's configuration (`borderlab.config`) is what a person writes; `borderlab.plan` turns it into the
specifications of this module. A result's folder is named by the hash of its specification (`borderlab.identity`), so
a field added here renames results: add one only if it changes numbers.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from borderlab.motion.names import motion_label
from borderlab.recipe_spec import (
    AugmentSpec,
    ClassUniformSpec,
    EvaluationSpec,
    MemoryFormat,
    Precision,
    RecipeSpec,
    ScheduleSpec,
    Size,
    Spec,
)

Task = Literal["classification", "segmentation"]
Weights = Literal["random", "wheel", "timm"]
PropagationKind = Literal["label", "joint", "true"]
Method = Literal["recursive", "accumulated"]
ReferenceChoice = Literal["nearest_images", "truncated_images", "bgr_flow", "farthest_only"]
"""Choices of the published code that differ from ours, by name; see `PropagationSpec.reference`."""

__all__ = [
    "AugmentSpec",
    "ClassUniformSpec",
    "DatasetSpec",
    "EvaluationSpec",
    "KeyframesSpec",
    "LossSpec",
    "MemoryFormat",
    "Method",
    "MotionSpec",
    "Precision",
    "PropagationKind",
    "PropagationSpec",
    "RecipeSpec",
    "ReferenceChoice",
    "RunSpec",
    "ScheduleSpec",
    "ScoreSpec",
    "Size",
    "Spec",
    "SynthesisSpec",
    "Task",
    "Weights",
]


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
    reference: tuple[ReferenceChoice, ...] = Field((), description="Of these, `bgr_flow` alone changes a flow.")


class SynthesisSpec(Spec):
    """Images and labels moved from each key frame over one signed distance."""

    dataset: DatasetSpec
    split: str
    keyframes: KeyframesSpec
    motion: str
    distance: int = Field(description="Signed distance from the key frame, in frames; not 0.")
    method: Method = "recursive"
    void_occluded: bool = Field(True, description="Void where the forward-backward check fails or out of frame.")
    reference: tuple[ReferenceChoice, ...] = ()
    allow_broken: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _distance_is_not_zero(self) -> "SynthesisSpec":
        if self.distance == 0:
            raise ValueError("distance must not be 0: that is the key frame itself")
        return self

    @property
    def starts_from_key_frame(self) -> bool:
        """Whether a sample is made from the key frame itself and not from the sample one step nearer to it."""
        return self.method == "accumulated" or abs(self.distance) == 1


class PropagationSpec(Spec):
    """Which propagated samples join the key frames in training (Zhu et al. 2019, section 3.1).

    `label`: real frame, moved label. `joint`: moved frame, moved label. `true`: real frame, real label, the upper
    bound that only data sets with labels on every frame can give.
    """

    kind: PropagationKind
    motion: str = Field("dis_medium", description="Name in the registry of motion models.")
    max_distance: Annotated[int, Field(ge=1)] = Field(1, description="Distances -k..k join, in frames.")
    method: Method = Field(
        "recursive",
        description="recursive: each step moves the result of the step before. accumulated: the flows of all steps "
        "are composed, and the key frame is moved once.",
    )
    void_occluded: bool = Field(
        True, description="Whether occluded and out-of-frame pixels become void; if not, edge pixels are repeated."
    )
    reference: tuple[ReferenceChoice, ...] = Field(
        (),
        description="Choices of the published code. nearest_images: images are sampled to the nearest pixel beyond the "
        "first step. truncated_images: samples lose their fraction in place of being rounded. bgr_flow: motion models "
        "get channels in the order blue, green, red. farthest_only: only the two frames at exactly ±max_distance join.",
    )
    allow_broken: Annotated[int, Field(ge=0)] = Field(
        0, description="Samples of one distance that may be missing because an input is broken; each is named."
    )

    @property
    def distances(self) -> tuple[int, ...]:
        """Signed distances at which samples are made, nearest first: -1, 1, -2, 2, ..."""
        return tuple(sign * step for step in range(1, self.max_distance + 1) for sign in (-1, 1))

    @property
    def joined_distances(self) -> tuple[int, ...]:
        """Those of `distances` whose samples train."""
        return self.distances[-2:] if "farthest_only" in self.reference else self.distances


class ScoreSpec(Spec):
    """Propagated labels of one split scored at all distances up to `max_distance`."""

    dataset: DatasetSpec
    split: str
    keyframes: KeyframesSpec
    motion: str
    max_distance: int
    void_occluded: bool
    method: Method = "recursive"
    reference: tuple[ReferenceChoice, ...] = ()

    @property
    def title(self) -> str:
        """The motion model, and how it is followed where that is not the usual way."""
        return " ".join(
            [motion_label(self.motion), *([] if self.method == "recursive" else [self.method]), *self.reference]
        )

    @property
    def propagation(self) -> PropagationSpec:
        """The propagation whose samples are scored."""
        return PropagationSpec(
            kind="label",
            motion=self.motion,
            max_distance=self.max_distance,
            void_occluded=self.void_occluded,
            method=self.method,
            reference=self.reference,
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
    strict_classes: tuple[str, ...] = Field((), description="Pixels of these classes count their own class alone.")
    boundary_weight: Annotated[float, Field(gt=0)] = Field(
        1.0, description="Weight of pixels beside another class, once `relaxed` has turned into cross-entropy."
    )
    image_weight_bound: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Weight of a class in an image: 1 + bound x (1 - its share of the image's pixels); 0: all 1."
    )
    reference: bool = Field(
        False, description="The published loss with its known defects, to compare with; for `relaxed` alone."
    )


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
    start_from: str | None = Field(None, description="Run whose weights come first, save a classifier of other width.")
    padding_mode: str
    loss: LossSpec = LossSpec()
    recipe: RecipeSpec
    seed: Annotated[int, Field(ge=0)]
