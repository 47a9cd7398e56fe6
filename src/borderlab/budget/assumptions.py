"""Figures that a budget rests on, each with its source; none of them decides a result."""

from dataclasses import dataclass

# Bytes of a pixel, mean of 300 propagated CamVid frames of ours: PNG at compression 1.
IMAGE_BYTES_PER_PX, LABEL_BYTES_PER_PX = 1.52, 0.05
# A stored flow: two float16 values for each pixel, forward and backward.
FLOW_BYTES_PER_PX = 4
# CPU microseconds for each pixel, one thread, ours: DIS medium 272 ms and a warp of image and label 19.3 ms at
# 2048x1024; writing the PNG files takes about as long as the warp. Other motion models are counted as DIS medium.
FLOW_US_PER_PX, WARP_US_PER_PX = 0.130, 0.019
# A training checkpoint holds weights and one momentum, in float32; two are kept while a run lasts.
CHECKPOINT_COPIES = 2 * 2
BYTES_PER_WEIGHT = 4
# CPU seconds before a job's own work begins, most of them imports of torch and timm: docs/benchmarks.md.
JOB_START_S = 7
# Backward costs twice forward.
PASSES = 3


@dataclass(frozen=True)
class Speed:
    """What one device does in training, validation and loading included.

    One GPU: one anchor, nothing more. The code of Zhu et al. states about 9 hours for SEResNeXt-50 on Cityscapes with
    eight V100 in float16 (NVIDIA/semantic-segmentation, README of the sdcnet branch). 175 epochs of 2,975 crops of
    896x896 at 1.106 TFLOP forward are 1.73e6 TFLOP in 259,200 GPU seconds. ImageNet in float32 is counted at the same
    speed for want of a published figure; a newer GPU is several times as fast.

    One CPU thread: median over 127 trainings of ours (smoke, CamVid, propagation, Imagenette; AMD EPYC, CPU time of the
    process); eight of ten lie between 0.024 and 0.037.
    """

    tflop_per_s: float = 6.7
    cpu_tflop_per_s: float = 0.026


@dataclass(frozen=True)
class Cost:
    """Of one training step for one sample: forward operations; and the weights of the network."""

    gflop: float
    n_parameters: int
