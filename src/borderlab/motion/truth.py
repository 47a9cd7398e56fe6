"""The exact flow, where a data set knows it: the ceiling of every motion model."""

from borderlab.motion.base import ClipReader, Flow, MotionModel


class Truth(MotionModel):
    """The data set's own flow."""

    name = "truth"

    def flow(self, clip: ClipReader, from_index: int, to_index: int) -> Flow:
        return clip.true_flow(from_index, to_index)


MODELS = {"truth": Truth}
