"""Cost of warping and of the confusion matrix beside the usual way in torch.

Run with `pytest tests/benchmarks/test_propagation_speed.py --benchmark-enable`. One thread, process CPU time; variants
take turns within each repetition, and a ratio is the median over repetitions of the baseline's time to ours: above 1,
ours is faster. Both ways give equal labels and counts, which is asserted at every size.

The check of types that the tests switch on costs 0.15 ms at each update of a matrix: at 480x360 that is a third of
our time, and the ratio without it is 12 to 14.
"""

import statistics
import time

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from borderlab.data.base import Clip, DatasetInfo, Frame, SegmentationDataset
from borderlab.evaluation.confusion import ConfusionMatrix
from borderlab.evaluation.rings import RingConfusion
from borderlab.motion.dis import DenseInverseSearch
from borderlab.propagation.estimate import estimate_motion
from borderlab.propagation.moving import Step, move_at_once, move_step
from borderlab.propagation.synthesis import synthesise
from borderlab.propagation.warp import sampling_map, warp_image, warp_label
from borderlab.spec import DatasetSpec, KeyframesSpec, SynthesisSpec

SIZES = {"480x360": (360, 480), "960x720": (720, 960), "2048x1024": (1024, 2048)}
SMALL = (24, 32)
N_CLASSES = 19


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])


def median_ratios(variants, repetitions):
    """Median over repetitions of each variant's time to that of the first; all take turns."""
    ratios = {name: [] for name in variants}
    for repetition in range(repetitions + 1):
        seconds = {}
        for name, call in variants.items():
            start = time.process_time()
            call()
            seconds[name] = time.process_time() - start
        base = seconds[next(iter(variants))]
        for name, duration in seconds.items() if repetition else ():  # the first round warms up
            ratios[name].append(duration / base)
    return {name: round(statistics.median(values), 2) for name, values in ratios.items()}


def warp_cv2(image, label, flow):
    grid = sampling_map(flow)
    return warp_image(image, *grid), warp_label(label, *grid)


def warp_torch(image, label, flow):
    """The same by `grid_sample` over one grid, with the conversions that 8-bit pictures need."""
    height, width = label.shape
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    x, y = columns + torch.from_numpy(flow[0]), rows + torch.from_numpy(flow[1])
    grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], -1)[None]
    options = {"padding_mode": "border", "align_corners": True}
    colours = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    moved = F.grid_sample(colours, grid, mode="bilinear", **options).round().byte()[0].permute(1, 2, 0)
    ids = torch.from_numpy(label)[None, None].float()
    return moved.numpy(), F.grid_sample(ids, grid, mode="nearest", **options).byte()[0, 0].numpy()


def count_torch(target, pred):
    """The usual matrix: mask of known pixels, pairs as one number, bincount in int64."""
    known = target != 255
    pairs = target[known].long() * N_CLASSES + pred[known].long()
    return torch.bincount(pairs, minlength=N_CLASSES**2).view(N_CLASSES, N_CLASSES)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_warp_speed(benchmark, size):
    size = SMALL if benchmark.disabled else size
    random = np.random.default_rng(0)
    image = cv2.GaussianBlur(random.integers(0, 256, (*size, 3)).astype(np.uint8), (0, 0), 3)
    label = random.integers(0, N_CLASSES, size).astype(np.uint8)
    flow = np.ascontiguousarray(cv2.GaussianBlur(random.normal(0, 60, (*size, 2)), (0, 0), 8).transpose(2, 0, 1))
    flow = flow.astype(np.float32)
    ours, torchs = warp_cv2(image, label, flow), warp_torch(image, label, flow)
    assert np.abs(ours[0].astype(int) - torchs[0]).max() <= 1
    assert (ours[1] == torchs[1]).mean() > 0.999  # torch rounds its rescaled positions, halves to even
    calls = {"cv2": lambda: warp_cv2(image, label, flow), "torch": lambda: warp_torch(image, label, flow)}
    ratios = median_ratios(calls, 1 if benchmark.disabled else 9)
    benchmark.extra_info.update(floor=2.5, ratio_of_torch_grid_sample=ratios["torch"])
    benchmark.pedantic(calls["cv2"], rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_confusion_speed(benchmark, size):
    size = SMALL if benchmark.disabled else size
    random = np.random.default_rng(0)
    # Blocks, one in twenty of them void, and a tenth of the pixels wrong.
    blocks = random.integers(0, N_CLASSES + 1, (size[0] // 8, size[1] // 8)).astype(np.uint8)
    pred = np.kron(blocks, np.ones((8, 8), np.uint8)) % N_CLASSES
    target = np.where(random.random(size) < 0.1, (pred + 1) % N_CLASSES, pred).astype(np.uint8)
    target[np.kron(blocks, np.ones((8, 8), np.uint8)) == N_CLASSES] = 255
    tensors = torch.from_numpy(target), torch.from_numpy(pred)
    matrix, rings = ConfusionMatrix(N_CLASSES), RingConfusion(N_CLASSES)
    matrix.update(target, pred)
    np.testing.assert_array_equal(matrix.counts[:, :-1], count_torch(*tensors))
    calls = {
        "matrix": lambda: matrix.update(target, pred),
        "torch": lambda: count_torch(*tensors),
        "rings": lambda: rings.update(target, pred),
    }
    ratios = median_ratios(calls, 1 if benchmark.disabled else 9)
    benchmark.extra_info.update(floor=10, ratio_of_torch_bincount=ratios["torch"], ratio_of_rings=ratios["rings"])
    benchmark.pedantic(calls["matrix"], rounds=3, warmup_rounds=1)


def smooth_steps(size, n):
    """A field of some pixels that changes from step to step, on the grid of each frame."""
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    fields = [
        (4 + 2 * np.sin(rows / 80 + step) + columns / 300, -2 + 2 * np.cos(columns / 90 - step)) for step in range(n)
    ]
    return [Step(np.stack(field).astype(np.float32), None) for field in fields]


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_accumulated_speed(benchmark, size):
    """Five steps, composed and warped once, against five warps of image and label; floor: 1."""
    size = SMALL if benchmark.disabled else size
    random = np.random.default_rng(0)
    key = random.integers(0, 256, (*size, 3)).astype(np.uint8), random.integers(0, N_CLASSES, size).astype(np.uint8)
    steps = smooth_steps(size, 5)

    def recursive():
        pair = key
        for index, step in enumerate(steps):
            pair = move_step(pair, step, index == 0)
        return pair

    calls = {"accumulated": lambda: move_at_once(key, steps), "recursive": recursive}
    assert calls["accumulated"]()[0].shape == recursive()[0].shape
    ratios = median_ratios(calls, 1 if benchmark.disabled else 9)
    benchmark.extra_info.update(floor=1, ratio_of_recursive=ratios["recursive"])
    benchmark.pedantic(calls["accumulated"], rounds=3, warmup_rounds=1)


class Street(SegmentationDataset):
    """One clip of eleven frames of 960x720, the middle one labelled."""

    info = DatasetInfo("street", "Street", "1", ("a", "b", "c"), "embedded", "", "CC0-1.0")
    splits = ("val",)

    def __init__(self, size):
        super().__init__()
        self.size = size

    def fetch(self, root, split, settings):
        random = np.random.default_rng(0)
        height, width = self.size
        plane = cv2.GaussianBlur(random.integers(0, 256, (height + 40, width + 60, 3)).astype(np.uint8), (0, 0), 3)
        plane = cv2.normalize(plane, None, 0, 255, cv2.NORM_MINMAX)
        labels = np.kron(random.integers(0, 3, (height // 8 + 1, width // 8 + 1)), np.ones((8, 8), int))
        for index in range(11):
            view = plane[index * 3 : index * 3 + height, index * 5 : index * 5 + width]
            cv2.imwrite(str(root / f"{index}.png"), view, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        cv2.imwrite(str(root / "label.png"), labels[:height, :width].astype(np.uint8))

    def frames(self, root, split):
        return [frame for clip in self.clips(root, split) for frame in clip.frames]

    def clips(self, root, split):
        label = root / "label.png"
        frames = tuple(Frame(f"f{i}", root / f"{i}.png", label if i == 5 else None) for i in range(11))
        return [Clip("street", frames, 0.1)]


def test_share_of_flow_in_synthesis(benchmark, tmp_path):
    """One labelled frame at ±1..±5, joint, DIS medium, 960x720, with the check; floor: 85 % of the time is flow."""
    dataset = Street((80, 96) if benchmark.disabled else (720, 960))
    root, motion = tmp_path / "data", tmp_path / "motion"
    root.mkdir()
    dataset.fetch(root, "val", None)
    keyframes = KeyframesSpec(stride=11, offset=5)
    flow_seconds = []
    estimate = DenseInverseSearch.flow

    def timed(self, *pair):
        start = time.process_time()
        flow = estimate(self, *pair)
        flow_seconds.append(time.process_time() - start)
        return flow

    def synthesise_all():
        estimate_motion(dataset, root, "val", keyframes, "dis_medium", 5, motion)
        for sign in (-1, 1):
            previous = None
            for distance in range(1, 6):
                spec = SynthesisSpec(
                    dataset=DatasetSpec(key="street", name="street", identity="0"),
                    split="val",
                    keyframes=keyframes,
                    motion="dis_medium",
                    distance=sign * distance,
                )
                folder = tmp_path / f"{sign * distance:+d}"
                synthesise(dataset, root, "val", spec, motion, previous, folder)
                previous = folder

    DenseInverseSearch.flow = timed
    try:
        synthesise_all()
        shares = []
        for _ in range(1 if benchmark.disabled else 5):
            flow_seconds.clear()
            start = time.process_time()
            synthesise_all()
            shares.append(sum(flow_seconds) / (time.process_time() - start))
    finally:
        DenseInverseSearch.flow = estimate
    assert len(flow_seconds) == 20
    benchmark.extra_info.update(floor_pct=85, flow_pct=round(100 * statistics.median(shares), 1))
    benchmark.pedantic(synthesise_all, rounds=1)
