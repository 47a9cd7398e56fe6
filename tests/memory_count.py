"""Memory of a call, counted at torch's allocator: no clock, no page, no other process in it."""

from collections.abc import Callable

import torch
from torch.autograd import ProfilerActivity, ProfilerConfig, ProfilerState


def peak_bytes(call: Callable[[], object]) -> int:
    """Most bytes of tensors on the CPU that were held at one time beyond those that stood before the call.

    torch.profiler gives the same, after building a tree of all events, which takes minutes here.
    """
    config = ProfilerConfig(ProfilerState.KINETO, False, True, False, False, False, _experimental_config())
    torch.autograd._prepare_profiler(config, {ProfilerActivity.CPU})
    torch.autograd._enable_profiler(config, {ProfilerActivity.CPU})
    try:
        result = call()
    finally:
        events = torch.autograd._disable_profiler().events()
    del result
    held = peak = 0
    changes = [(event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]"]
    for _, change in sorted(changes, key=lambda pair: pair[0]):
        held += change
        peak = max(peak, held)
    return peak


def _experimental_config() -> object:
    return torch._C._profiler._ExperimentalConfig()
