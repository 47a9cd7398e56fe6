"""Specification of a learned motion model: everything that decides its weights. Light: no torch.

It stands beside the models, not in `borderlab.spec`: training and evaluation of segmentation hash that module, and a
setting of motion models must not rename their results.
"""

from typing import Annotated, Literal

from pydantic import Field

from borderlab.spec import DatasetSpec, Precision, RecipeSpec, ScheduleSpec, Size, Spec

MotionKind = Literal["prediction", "reconstruction"]

N_FRAMES: dict[MotionKind, int] = {"prediction": 2, "reconstruction": 3}
"""Frames that a network of each kind is shown; it is shown one flow fewer."""


class MotionRecipeSpec(Spec):
    """How a motion model is trained. Facts of the paper are few: widths, weights and schedule are our choice."""

    epochs: Annotated[int, Field(ge=1)] = 20
    samples_per_epoch: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Pairs of frames drawn in one epoch. Absent: each pair once, in both directions."
    )
    batch_size: Annotated[int, Field(ge=1)] = 8
    crop: Size = Field((96, 128), description="Height and width of a training sample, in pixels.")
    flip: bool = Field(True, description="Mirror half of the samples, flow and all.")
    width: Annotated[int, Field(ge=1)] = Field(16, description="Channels of the first layer; the deepest has 8 times.")
    residual: bool = Field(
        True,
        description="The network adds to the flow that it is given. Off: as published, it gives the whole flow.",
    )
    lr: Annotated[float, Field(gt=0)] = Field(1e-3, description="Peak learning rate of AdamW.")
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    schedule: ScheduleSpec = ScheduleSpec(name="cosine")
    gradient_clip: Annotated[float, Field(gt=0)] | None = 1.0
    colour_weight: Annotated[float, Field(ge=0)] = Field(1.0, description="Mean absolute difference of colours.")
    gradient_weight: Annotated[float, Field(ge=0)] = Field(1.0, description="The same of colours' differences.")
    smoothness_weight: Annotated[float, Field(ge=0)] = Field(
        0.02, description="Mean absolute difference of neighbouring flow, in pixels, where the image is smooth."
    )
    precision: Precision = Field("float32", description="Arithmetic of the forward pass (autocast).")
    threads: Annotated[int, Field(ge=1)] = Field(1, description="CPU threads; the bits of a sum depend on them.")
    validate_every_epochs: Annotated[int, Field(ge=1)] = 1

    @property
    def optimisation(self) -> RecipeSpec:
        """The part that the training loop reads, in its own terms."""
        return RecipeSpec(
            epochs=self.epochs,
            batch_size=self.batch_size,
            optimiser="adamw",
            lr=self.lr,
            weight_decay=self.weight_decay,
            schedule=self.schedule,
            gradient_clip=self.gradient_clip,
            precision=self.precision,
            validate_every_epochs=self.validate_every_epochs,
        )


class MotionModelSpec(Spec):
    """One learned motion model: its training video, what it is shown, and how it is trained."""

    dataset: DatasetSpec
    train_split: str
    eval_split: str | None = Field(None, description="Absent: the end of each clip of the training split is held out.")
    held_out_share: Annotated[float, Field(ge=0, lt=1)]
    held_out_pairs: Annotated[int, Field(ge=1)]
    kind: MotionKind
    input_flow: str = Field(description="Name in the registry of motion models.")
    recipe: MotionRecipeSpec
    seed: Annotated[int, Field(ge=0)]
