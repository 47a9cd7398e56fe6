"""Names of the motion models, readable without importing OpenCV or torch."""

MOTION_MODEL_MODULES = {
    "copy": "borderlab.motion.copying",
    "dis_ultrafast": "borderlab.motion.dis",
    "dis_fast": "borderlab.motion.dis",
    "dis_medium": "borderlab.motion.dis",
    "farneback": "borderlab.motion.farneback",
    "raft_large": "borderlab.motion.raft",
    "raft_small": "borderlab.motion.raft",
    "truth": "borderlab.motion.truth",
}
"""Module that holds each motion model."""

MOTION_MODEL_NAMES = tuple(MOTION_MODEL_MODULES)
"""Motion models by name."""

DOWNLOADED_MODELS = frozenset({"raft_large", "raft_small"})
"""Models whose weights are fetched at first use."""

LEARNED_MODULE = "borderlab.motion.learned.model"
"""Module of the models that an experiment trains; their names are its own, with the hash of their making behind."""


def motion_members(name: str) -> tuple[str, ...]:
    """Modules whose code a result uses that follows the model `name`: none for a learned one, whose name has it all."""
    return (MOTION_MODEL_MODULES[name],) if name in MOTION_MODEL_MODULES else ()


def motion_label(name: str) -> str:
    """What a reader calls a model: the experiment's own name, without the hash behind a learned one's."""
    return name.partition("-")[0]
