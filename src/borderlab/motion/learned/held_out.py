"""How well a flow rebuilds frames that were not trained on: PSNR and SSIM of the warped neighbour.

Three ways to make each held-out frame from its neighbour: `copy` it; warp it along the flow that the network was
shown (`input_flow`; for a prediction, the motion one step earlier); warp it along the network's flow (`learned`).
Warped frames are 8-bit, as propagation stores them. Higher is better for both measures.

PSNR: 10 log10(255^2 / mean squared difference), in dB, mean over pairs; equal frames count as `BEST_PSNR_DB`.
SSIM: Wang et al. 2004, scikit-image's mean over a flat 7x7 window, colours averaged; 1 at most.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from borderlab.data.source import InMemory
from borderlab.motion.base import Flow
from borderlab.motion.learned.model import flow_of
from borderlab.motion.learned.network import FlowUNet
from borderlab.motion.learned.spec import N_FRAMES, MotionKind
from borderlab.motion.learned.view import Pixels, View
from borderlab.propagation.warp import sampling_map, warp_image

METHODS = ("copy", "input_flow", "learned")
BEST_PSNR_DB = 100.0


def mean_psnr_db(network: FlowUNet, kind: MotionKind, held_out: InMemory) -> float:
    """Mean PSNR of the network's frames."""
    values = []
    for view, source, real in _scenes(kind, held_out):
        values.append(psnr_db(real, _warped(source, flow_of(network, view))))
    return float(np.mean(values))


def held_out_rows(network: FlowUNet, kind: MotionKind, held_out: InMemory) -> list[dict[str, Any]]:
    """One row for each pair and method: pair, method, psnr_db, ssim."""
    rows = []
    for index, (view, source, real) in enumerate(_scenes(kind, held_out)):
        shown = np.ascontiguousarray(view.flows[..., -2:].transpose(2, 0, 1))
        made = {"copy": source, "input_flow": _warped(source, shown)}
        made["learned"] = _warped(source, flow_of(network, view))
        for method, picture in made.items():
            scores = {"psnr_db": psnr_db(real, picture), "ssim": ssim(real, picture)}
            rows.append({"pair": held_out.sample_id(index), "method": method, **scores})
    return rows


def summary(rows: list[dict[str, Any]]) -> Mapping[str, dict[str, float]]:
    """Means by method, and the share of pairs in which the method has a higher PSNR than the flow shown."""
    by_method = {name: [row for row in rows if row["method"] == name] for name in METHODS}
    shown = np.array([row["psnr_db"] for row in by_method["input_flow"]])
    found = {}
    for method, own in by_method.items():
        values = np.array([row["psnr_db"] for row in own])
        found[method] = {
            "psnr_db": float(values.mean()),
            "ssim": float(np.mean([row["ssim"] for row in own])),
            "better_than_input_pct": 100 * float((values > shown).mean()),
        }
    return found


def psnr_db(real: Pixels, made: Pixels) -> float:
    """Peak signal to noise ratio of two 8-bit pictures, in dB; at most `BEST_PSNR_DB`."""
    if np.array_equal(real, made):
        return BEST_PSNR_DB
    return float(peak_signal_noise_ratio(real, made, data_range=255))


def ssim(real: Pixels, made: Pixels) -> float:
    """Mean structural similarity of two 8-bit pictures (h w 3), at most 1."""
    return float(structural_similarity(real, made, channel_axis=2, data_range=255))


def _scenes(kind: MotionKind, held_out: InMemory) -> Iterator[tuple[View, Pixels, Pixels]]:
    """View, source frame and real frame of each pair."""
    for index in range(len(held_out)):
        frames, flows = held_out.load(index)
        view = View(frames[..., : 3 * N_FRAMES[kind]], np.asarray(flows, np.float32))
        yield view, np.ascontiguousarray(frames[..., 3:6]), np.ascontiguousarray(frames[..., 6:9])


def _warped(source: Pixels, flow: Flow) -> Pixels:
    return warp_image(source, *sampling_map(flow))
