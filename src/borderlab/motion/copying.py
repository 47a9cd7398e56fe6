"""No motion at all: labels are copied. The floor that every motion model must beat."""

import numpy as np

from borderlab.motion.base import ClipReader, Flow, MotionModel


class Copy(MotionModel):
    """Zero flow."""

    name = "copy"

    def flow(self, clip: ClipReader, from_index: int, to_index: int) -> Flow:
        return np.zeros((2, *clip.image(from_index).shape[:2]), dtype=np.float32)


MODELS = {"copy": Copy}
