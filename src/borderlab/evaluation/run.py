"""The evaluation of a trained run, from its weights to metrics and sample pictures.

metrics.json                    metric, classes, rings by distance from the image border
images.npz                      counts and recording of each image, for intervals over images
pictures/<sample>/*.png         frame, label, prediction, error (segmentation)
"""

from pathlib import Path

import numpy as np

from borderlab.allocator import keep_freed_pages
from borderlab.data.base import Dataset, SegmentationDataset
from borderlab.device import choose_device, device_name, make_repeatable
from borderlab.evaluation.image_counts import IMAGES_FILE, Recordings, write_image_counts
from borderlab.evaluation.images import measure_images
from borderlab.evaluation.metric import METRIC_NAMES, Measurement
from borderlab.evaluation.pictures import write_sample_pictures
from borderlab.evaluation.segmentation import SegmentationCounts
from borderlab.files import atomic_folder, write_json
from borderlab.models.factory import create_network
from borderlab.provenance import Stopwatch, describe
from borderlab.spec import RunSpec
from borderlab.training.inputs import RunInputs
from borderlab.training.network_files import load_weights
from borderlab.training.sources import evaluation_loader

PICTURES = 4


def evaluate_run(
    spec: RunSpec,
    run_folder: Path,
    folder: Path,
    *,
    dataset: Dataset,
    data_folder: Path,
    gpus: int = 0,
    workers: int = 0,
) -> None:
    """Evaluate the run in `run_folder` on its evaluation split and fill `folder`.

    Raises:
        RunError: if the weights are missing or damaged.
        DataError: if samples are missing or damaged.
    """
    stopwatch = Stopwatch()
    keep_freed_pages()
    make_repeatable(spec.recipe.threads)
    device = choose_device(gpus)
    network = create_network(spec, len(dataset.info.classes))
    load_weights(network.module, run_folder / "model.safetensors")
    network.module.to(device)
    loader = evaluation_loader(spec, RunInputs(dataset, data_folder, {}, workers, device), network)
    measurement, image_counts = measure_images(spec, network.module, loader, device)
    seconds = stopwatch.wall_time_s
    with atomic_folder(folder) as part:
        if spec.task == "segmentation":
            write_sample_pictures(spec, network, loader, device, part / "pictures", PICTURES)
        recordings = _recordings(dataset, data_folder, spec.eval_split, len(image_counts))
        write_image_counts(part / IMAGES_FILE, image_counts, recordings)
        write_json(part / "provenance.json", describe(stopwatch, device_name(device)))
        write_json(part / "metrics.json", _content(spec, dataset, measurement, loader.n_samples, seconds))


def _recordings(dataset: Dataset, data_folder: Path, split: str, n_images: int) -> Recordings:
    """The recording of each image; photographs of a classification set are each their own."""
    if not isinstance(dataset, SegmentationDataset):
        return np.arange(n_images)
    names = [dataset.recording(frame) for frame in dataset.frames(data_folder, split)]
    return np.unique(names, return_inverse=True)[1]


def _content(
    spec: RunSpec, dataset: Dataset, measurement: Measurement, n_images: int, seconds: float
) -> dict[str, object]:
    counts = measurement.counts
    common: dict[str, object] = {
        "metric": METRIC_NAMES[spec.task],
        "value": measurement.value_pct,
        "n_images": n_images,
        "seconds": round(seconds, 3),
    }
    names = dataset.info.classes
    if isinstance(counts, SegmentationCounts):
        return {**common, "classes": counts.class_iou_pct(names), "rings": counts.rings_pct()}
    shares = {
        name: float(100.0 * correct / total) if total else None
        for name, (correct, total) in zip(names, counts.tolist(), strict=True)
    }
    return {**common, "classes": shares, "rings": []}
