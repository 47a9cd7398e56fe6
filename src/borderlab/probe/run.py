"""A probe from its specification to the files in its folder.

probe.json            networks, images, measures, provenance
<measure>.csv         one table for each measure that found something
pictures/<set>/*.png  the image, and activation maps by padding mode and stage
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from borderlab.allocator import keep_freed_pages
from borderlab.data.base import Dataset
from borderlab.device import choose_device, device_name, make_repeatable
from borderlab.files import atomic_folder, write_json
from borderlab.pictures import write_pictures
from borderlab.probe.activation_maps import activation_pictures, frame_picture
from borderlab.probe.border_profile import border_profile
from borderlab.probe.cross_test import cross_test
from borderlab.probe.feature_maps import activations
from borderlab.probe.images import ProbeImages, probe_images
from borderlab.probe.networks import ProbedNetwork, Row, probed_networks
from borderlab.probe.position_leak import position_leak
from borderlab.probe.shift_consistency import shift_consistency
from borderlab.probe.spec import PROBE_TABLES, Measure, ProbeSpec
from borderlab.provenance import Stopwatch, describe

FLOAT_FORMAT = "%.10g"
Maps = dict[str, dict[str, Sequence[torch.Tensor]]]


def run_probe(
    spec: ProbeSpec,
    folder: Path,
    *,
    dataset: Dataset,
    data_folder: Path,
    run_folders: Mapping[str, Path],
    gpus: int = 0,
) -> None:
    """Probe the networks of `spec` and fill `folder`, whole or not at all.

    Raises:
        RunError: if weights or images are missing, too small or damaged.
        PaddingError: if a map is too small for a padding mode.
    """
    stopwatch = Stopwatch()
    keep_freed_pages()
    make_repeatable(spec.threads)
    device = choose_device(gpus)
    images = probe_images(spec, dataset, data_folder)
    tables: dict[str, list[Row]] = {name: [] for name in PROBE_TABLES if name in spec.measures}
    maps: Maps = {}
    networks = []
    for network in probed_networks(spec, run_folders, dataset, device):
        networks.append(network.keys)
        for name in tables:
            tables[name] += [{**network.keys, **row} for row in _rows(name, network, spec, images)]
        if "activation_maps" in spec.measures:
            _add_maps(maps, network, spec, images)
    with atomic_folder(folder) as part:
        for name, rows in tables.items():
            # An empty frame has no header: what is not there is not written, and probe.json says so.
            if rows:
                pd.DataFrame(rows).to_csv(part / f"{name}.csv", index=False, float_format=FLOAT_FORMAT)
        _write_pictures(part / "pictures", maps, images)
        write_json(part / "provenance.json", describe(stopwatch, device_name(device)))
        write_json(part / "probe.json", _content(spec, networks, tables, len(images)))


def _rows(name: Measure | str, network: ProbedNetwork, spec: ProbeSpec, images: ProbeImages) -> Iterator[Row]:
    modes = spec.padding_modes
    if name == "cross_test":
        return cross_test(network, modes, images)
    if name == "border_profile":
        return border_profile(network, modes, images)
    if name == "position_leak":
        return position_leak(network, modes, spec.size)
    return shift_consistency(network, modes, spec.shifts_px, images)


def _add_maps(maps: Maps, network: ProbedNetwork, spec: ProbeSpec, images: ProbeImages) -> None:
    """Feature pyramid of the first image: a run with its own padding, other weights with every padding.

    Runs that differ in nothing but padding and seed share a set of pictures; the first seed of each padding is shown.
    """
    own = maps.setdefault(f"{network.backbone} ({network.weights} weights)", {})
    image = next(images.batches()).image[:1]
    for mode in (network.trained_mode,) if network.is_run else spec.padding_modes:
        if mode not in own:
            own[mode] = activations(network.padded(mode), network.normalise(image)).maps


def _write_pictures(folder: Path, maps: Maps, images: ProbeImages) -> None:
    for name, by_mode in maps.items():
        frame = frame_picture(next(images.batches()).image[0])
        pictures = {f"{mode}-stage{stage}": own for (mode, stage), own in activation_pictures(by_mode).items()}
        write_pictures(folder / name, {"frame": frame, **pictures})


def _content(spec: ProbeSpec, networks: list[Row], tables: dict[str, list[Row]], n_images: int) -> dict[str, Any]:
    return {
        "dataset": spec.dataset.key,
        "split": spec.split,
        "n_images": n_images,
        "rows": {name: len(rows) for name, rows in tables.items()},
        "networks": networks,
        "spec": spec.model_dump(mode="json"),
    }
