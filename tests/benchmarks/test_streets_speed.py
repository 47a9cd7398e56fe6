"""Frames a second of the renderer, everything included; recorded, not asserted."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from borderlab.data.streets.options import StreetsOptions
from borderlab.data.streets.render import render_clip


@pytest.mark.parametrize(("height", "width"), [(120, 160), (240, 320)])
def test_render_clip(benchmark: BenchmarkFixture, height: int, width: int) -> None:
    options = StreetsOptions(height=height, width=width)
    render_clip(options, "train", 0)
    clip = benchmark(render_clip, options, "train", 1)
    assert len(clip.frames) == options.frames_per_clip
    if benchmark.stats:
        benchmark.extra_info["frames_per_s"] = options.frames_per_clip / benchmark.stats.stats.median
