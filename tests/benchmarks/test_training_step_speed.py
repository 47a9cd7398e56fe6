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
    "plain": set(),
    "channels-last": {"channels_last"},
    "channels-last, pages kept": {"channels_last", "keep_pages"},
    "channels-last, pages kept, depthwise": {"channels_last", "keep_pages", "depthwise"},
    "channels-last, pages kept, depthwise, bfloat16": {"channels_last", "keep_pages", "depthwise", "bfloat16"},
}
REPETITIONS, STEPS, WARM_UP = 3, 4, 2
FLOOR = 1.7

PROGRAM = """
import json, sys, time
steps, *settings = json.loads(sys.argv[1])
from contextlib import nullcontext
import torch
import torch.nn.functional as F
from borderlab.allocator import keep_freed_pages
from borderlab.models.backbone import create_backbone
from borderlab.models.deeplab import DeepLabV3Plus
from borderlab.training.depthwise import fast_depthwise
torch.manual_seed(0)
torch.set_num_threads(2)
if "keep_pages" in settings:
    assert keep_freed_pages()
backbone = create_backbone("tf_efficientnet_lite0", "random", features_only=True, output_stride=16)
model = DeepLabV3Plus(backbone, 11, decoder_channels=32, aspp_rates=(2, 4))
image, target = torch.randn(8, 3, 192, 256), torch.randint(0, 11, (8, 192, 256))
if "channels_last" in settings:
    model = model.to(memory_format=torch.channels_last)
    image = image.contiguous(memory_format=torch.channels_last)
optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
wall, cpu = [], []
for step in range(steps):
    begun, begun_cpu = time.perf_counter(), time.process_time()
    faster = fast_depthwise(torch.device("cpu")) if "depthwise" in settings else nullcontext()
    with torch.autocast("cpu", torch.bfloat16, enabled="bfloat16" in settings), faster:
        logits = model(image)
    F.cross_entropy(logits.float(), target).backward()
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    wall.append(time.perf_counter() - begun)
    cpu.append(time.process_time() - begun_cpu)
print(json.dumps({"wall": wall, "cpu": cpu}))
"""


def step_times(settings: set[str]) -> dict[str, list[float]]:
    """Seconds of each step after the first ones, by the wall's clock and by the process's."""
    arguments = json.dumps([STEPS + WARM_UP, *settings])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, arguments], capture_output=True, text=True, check=True, timeout=600
    )
    times: dict[str, list[float]] = json.loads(done.stdout)
    return {clock: values[WARM_UP:] for clock, values in times.items()}


@pytest.mark.benchmark(group="training step on a CPU")
def test_training_step(benchmark: Any) -> None:
    if benchmark.disabled:
        pytest.skip("takes minutes: `make benchmark` runs it")
    times: dict[str, dict[str, list[float]]] = {clock: {arm: [] for arm in ARMS} for clock in ("wall", "cpu")}

    def all_arms() -> None:
        for arm, settings in ARMS.items():
            for clock, values in step_times(settings).items():
                times[clock][arm] += values

    benchmark.pedantic(all_arms, rounds=REPETITIONS, warmup_rounds=0)
    medians = {clock: {arm: statistics.median(values) for arm, values in arms.items()} for clock, arms in times.items()}
    for clock, arms in medians.items():
        ratios = {arm: round(arms["plain"] / median, 2) for arm, median in arms.items()}
        seconds = {arm: round(median, 3) for arm, median in arms.items()}
        benchmark.extra_info.update({f"{clock}_ratios": ratios, f"{clock}_seconds": seconds})
    kept = [median for arm, median in medians["wall"].items() if "depthwise" in arm]
    found = medians["wall"]["plain"] / min(kept)
    if found < FLOOR:
        pytest.fail(f"{found:.2f} times as fast as the plain loop; the floor is {FLOOR}: {benchmark.extra_info}")
