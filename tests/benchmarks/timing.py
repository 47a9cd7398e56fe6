"""Times of several ways to do the same work, taken in turn, as ratios to the first of them.

One machine's minutes differ more than the ways do: within each repetition every way runs once, and the ratio is taken
within the repetition. Process CPU time leaves out what other processes take; on a GPU the clock is that of its events.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

Clock = Callable[[], float]


def ratios_in_turn(clocks: Mapping[str, Clock], repetitions: int) -> dict[str, dict[str, float]]:
    """Median and quartiles, over repetitions, of each way's seconds divided by the first way's.

    Args:
        clocks: do the work once and return its seconds, by name; the first is the base.
        repetitions: rounds that count, after one that warms up.
    """
    ratios: dict[str, list[float]] = {name: [] for name in clocks}
    for repetition in range(repetitions + 1):
        seconds = {name: clock() for name, clock in clocks.items()}
        base = seconds[next(iter(clocks))]
        for name, duration in seconds.items() if repetition else ():
            ratios[name].append(duration / base)
    return {name: _summary(values) for name, values in ratios.items()}


def cpu_seconds(call: Callable[[], Any]) -> float:
    """Process CPU time of one call."""
    begun = time.process_time()
    call()
    return time.process_time() - begun


def gpu_seconds(call: Callable[[], Any]) -> float:
    """Time of one call between two events on the GPU."""
    begun, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begun.record()
    call()
    ended.record()
    torch.cuda.synchronize()
    return begun.elapsed_time(ended) / 1e3


def _summary(values: list[float]) -> dict[str, float]:
    low, median, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    return {"median": round(median, 3), "quartile_low": round(low, 3), "quartile_high": round(high, 3)}
