"""Sample pictures of a segmentation run: frame, label, prediction and error."""

from pathlib import Path

import numpy as np
import torch

from borderlab.data.loader import EvaluationLoader
from borderlab.evaluation.inference import Inference
from borderlab.models.factory import Network
from borderlab.pictures import colour_error, colour_label, spread, write_pictures
from borderlab.spec import RunSpec


@torch.no_grad()
def write_sample_pictures(
    spec: RunSpec, network: Network, loader: EvaluationLoader, device: torch.device, folder: Path, wanted: int
) -> None:
    """Write pictures of `wanted` samples, evenly spread over the split, each into a folder of its name."""
    network.module.eval()
    evaluation, precision = spec.recipe.evaluation, spec.recipe.precision
    inference = Inference(network.module, loader.normalisation, evaluation, loader.n_classes, device, precision)
    for index in spread(loader.n_samples, wanted):
        image, target = loader.source.load(index)
        label = np.asarray(target, dtype=np.uint8)
        pred = inference.predict(image)
        pictures = {
            "frame": image,
            "label": colour_label(label),
            "prediction": colour_label(pred),
            "error": colour_error(label, pred),
        }
        write_pictures(folder / loader.source.sample_id(index).replace("/", "_"), pictures)
