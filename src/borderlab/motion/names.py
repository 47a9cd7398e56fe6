"""Names of the motion models, readable without importing OpenCV or torch."""

MOTION_MODEL_MODULES = {
    "copy": "borderlab.motion.copying",
    "dis_ultrafast": "borderlab.motion.dis",
    "dis_fast": "borderlab.motion.dis",
    "dis_medium": "borderlab.motion.dis",
    "farneback": "borderlab.motion.farneback",
    "truth": "borderlab.motion.truth",
}
"""Module that holds each motion model."""

MOTION_MODEL_NAMES = tuple(MOTION_MODEL_MODULES)
