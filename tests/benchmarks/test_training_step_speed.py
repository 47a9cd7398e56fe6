"""A training step on a CPU, beside the plain loop: NCHW, float32, default allocator.

The allocator is a setting of the whole process, so each arm runs in a process of its own, in turn; the figure is the
ratio of the median step times. tf_efficientnet_lite0 with a small decoder, 11 classes, batch 8 of 192x256, SGD, two
threads, wall time. The ratio depends on the processor: bfloat16 pays only where it has instructions for it.
"""

import json
import statistics
import subprocess
import sys
from typing import Any

import pytest

ARMS = {
    "plain": {"channels_last": False, "keep_pages": False, "bfloat16": False},
    "channels_last": {"channels_last": True, "keep_pages": False, "bfloat16": False},
    "channels_last, pages kept": {"channels_last": True, "keep_pages": True, "bfloat16": False},
    "channels_last, pages kept, bfloat16": {"channels_last": True, "keep_pages": True, "bfloat16": True},
}
REPETITIONS, STEPS = 3, 6

PROGRAM = """
import json, sys, time
settings = json.loads(sys.argv[1])
import torch
import torch.nn.functional as F
from borderlab.allocator import keep_freed_pages
from borderlab.models.backbone import create_backbone
from borderlab.models.deeplab import DeepLabV3Plus
torch.manual_seed(0)
torch.set_num_threads(2)
if settings["keep_pages"]:
    assert keep_freed_pages()
backbone = create_backbone("tf_efficientnet_lite0", "random", features_only=True, output_stride=16)
model = DeepLabV3Plus(backbone, 11, decoder_channels=32, aspp_rates=(2, 4))
image, target = torch.randn(8, 3, 192, 256), torch.randint(0, 11, (8, 192, 256))
if settings["channels_last"]:
    model = model.to(memory_format=torch.channels_last)
    image = image.contiguous(memory_format=torch.channels_last)
optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
times = []
for step in range(settings["steps"] + 2):
    begun = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=settings["bfloat16"]):
        logits = model(image)
    F.cross_entropy(logits.float(), target).backward()
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    times.append(time.perf_counter() - begun)
print(json.dumps(times[2:]))
"""


def step_times(settings: dict[str, bool]) -> list[float]:
    arguments = json.dumps({**settings, "steps": STEPS})
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, arguments], capture_output=True, text=True, check=True, timeout=600
    )
    times: list[float] = json.loads(done.stdout)
    return times


@pytest.mark.benchmark(group="training step on a CPU")
def test_training_step(benchmark: Any) -> None:
    if benchmark.disabled:
        pytest.skip("takes minutes: `make benchmark` runs it")
    times: dict[str, list[float]] = {arm: [] for arm in ARMS}

    def all_arms() -> None:
        for arm, settings in ARMS.items():
            times[arm] += step_times(settings)

    benchmark.pedantic(all_arms, rounds=REPETITIONS, warmup_rounds=0)
    medians = {arm: statistics.median(values) for arm, values in times.items()}
    ratios = {arm: round(medians["plain"] / median, 2) for arm, median in medians.items()}
    benchmark.extra_info.update(ratios=ratios, seconds={arm: round(value, 3) for arm, value in medians.items()})
    assert max(ratios.values()) >= 1.7, ratios
