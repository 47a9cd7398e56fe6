"""What a user can set of the rendered data set."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from borderlab.data.base import Options

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")

_MIN_ASPECT, _MAX_ASPECT = 0.5, 3.0
# A clip is rendered in memory, at 22 bytes a pixel.
_MAX_CLIP_PIXELS = 64_000_000

ClipCount = Annotated[int, Field(ge=1, le=10_000)]


class StreetsOptions(Options):
    """Size, number and noise of the rendered clips."""

    height: Annotated[int, Field(ge=24, le=1080)] = Field(120, description="Height of a frame, in pixels.")
    width: Annotated[int, Field(ge=24, le=1920)] = Field(160, description="Width of a frame, in pixels.")
    clips_train: ClipCount = Field(12, description="Clips of the split train.")
    clips_val: ClipCount = Field(4, description="Clips of the split val.")
    clips_test: ClipCount = Field(4, description="Clips of the split test.")
    frames_per_clip: Annotated[int, Field(ge=2, le=300)] = Field(11, description="Frames of each clip, at 15 Hz.")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(0, description="Decides every world; splits never share one.")
    noise_std: Annotated[float, Field(ge=0, le=25)] = Field(
        2.0, description="Standard deviation of the sensor noise of a mid-grey pixel, in steps of 8 bits."
    )

    @model_validator(mode="after")
    def _aspect_is_a_cameras(self) -> "StreetsOptions":
        if not _MIN_ASPECT <= self.width / self.height <= _MAX_ASPECT:
            raise ValueError(f"width / height must be in {_MIN_ASPECT}..{_MAX_ASPECT}, not {self.width}/{self.height}")
        return self

    @model_validator(mode="after")
    def _clip_fits_in_memory(self) -> "StreetsOptions":
        pixels = self.height * self.width * self.frames_per_clip
        if pixels > _MAX_CLIP_PIXELS:
            raise ValueError(f"height * width * frames_per_clip must not exceed {_MAX_CLIP_PIXELS}, not {pixels}")
        return self

    def clip_count(self, split: Split) -> int:
        """Number of clips of `split`."""
        return {"train": self.clips_train, "val": self.clips_val, "test": self.clips_test}[split]
