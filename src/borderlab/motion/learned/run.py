"""One motion model from its specification to the files in its folder.

    spec.json          the resolved specification
    curve.csv          one row for each epoch: training loss, held-out PSNR
    held_out.csv       PSNR and SSIM of each held-out pair, by copy, by the flow shown, and by the network
    model.safetensors  final weights
    provenance.json    where, when, with what
    training.json      means of held_out.csv, sizes
    checkpoints/       while training lasts

`training.json` is written last: a folder that has it is finished.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from borderlab.allocator import keep_freed_pages
from borderlab.data.base import SegmentationDataset
from borderlab.data.loader import TrainingLoader
from borderlab.data.source import InMemory
from borderlab.device import choose_device, device_name, make_repeatable
from borderlab.errors import RunError
from borderlab.files import atomic_file, sha256_of_json, write_json
from borderlab.motion.learned.held_out import held_out_rows, mean_psnr_db, summary
from borderlab.motion.learned.loss import PhotometricLoss
from borderlab.motion.learned.model import SPEC_FILE, WEIGHTS_FILE, create_network
from borderlab.motion.learned.network import FlowUNet
from borderlab.motion.learned.samples import CropAndFlip, PairBatches, PairSource, training_and_held_out
from borderlab.motion.learned.spec import MotionModelSpec
from borderlab.motion.registry import create_motion_model
from borderlab.provenance import Stopwatch, describe
from borderlab.training.checkpoint import delete_checkpoints
from borderlab.training.interruption import Interruption, signals_noted
from borderlab.training.loop import Trainer
from borderlab.training.network_files import save_weights

FLOAT_FORMAT = "%.10g"
# Samples whose flows decide the scale of the network's output.
MEASURED_SAMPLES = 64
LEAST_STD_PX = 0.1


def train_motion_model(
    spec: MotionModelSpec,
    folder: Path,
    *,
    dataset: SegmentationDataset,
    data_folder: Path,
    gpus: int = 0,
    workers: int = 0,
) -> None:
    """Train the motion model of `spec` and leave its files in `folder`.

    Resumes from the folder's newest checkpoint, on a CPU bit for bit.

    Raises:
        InterruptedRunError: if a signal asked it to stop; a checkpoint stands.
        RunError: if the GPU that was asked for is missing, the loss is not finite, or an epoch has no whole batch.
        DataError: if frames are missing, damaged or smaller than the crop, or a split has no video.
    """
    stopwatch = Stopwatch()
    keep_freed_pages()
    make_repeatable(spec.recipe.threads)
    device = choose_device(gpus)
    with signals_noted() as interruption:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / SPEC_FILE, spec.model_dump(mode="json"))
        training, held_out = _sources(spec, dataset, data_folder)
        network = create_network(spec)
        set_flow_scale(network, training)
        network.to(device)
        trainer = _trainer(spec, network, folder / "checkpoints", device, interruption, stopwatch)
        batches = _batches(spec, training, workers)
        trainer.fit(batches, validate=lambda: mean_psnr_db(network, spec.kind, held_out))
    save_weights(network, folder / WEIGHTS_FILE)
    curve = pd.DataFrame(trainer.curve.rows).rename(columns={"metric_pct": "psnr_db"})
    rows = held_out_rows(network, spec.kind, held_out)
    _write_csv(curve, folder / "curve.csv")
    _write_csv(pd.DataFrame(rows), folder / "held_out.csv")
    write_json(folder / "provenance.json", _provenance(spec, stopwatch, device))
    write_json(folder / "training.json", _content(network, trainer, len(training), rows))
    delete_checkpoints(folder / "checkpoints")


def set_flow_scale(network: FlowUNet, training: InMemory) -> None:
    """Give the network mean and standard deviation of the flow that it starts from, over some training pairs."""
    count = min(len(training), MEASURED_SAMPLES)
    chosen = np.linspace(0, len(training) - 1, count).round().astype(int)
    flows = np.concatenate([np.asarray(training.load(index)[1])[..., -2:].reshape(-1, 2) for index in chosen])
    network.flow_mean.copy_(torch.from_numpy(flows.mean(axis=0, dtype=np.float64)))
    network.flow_std.copy_(torch.from_numpy(flows.std(axis=0, dtype=np.float64).clip(min=LEAST_STD_PX)))


def _sources(spec: MotionModelSpec, dataset: SegmentationDataset, root: Path) -> tuple[InMemory, InMemory]:
    """Training and held-out pairs, in memory where they fit."""
    model = create_motion_model(spec.input_flow)
    training, held_out = training_and_held_out(spec, dataset, root)
    return InMemory(PairSource(training, spec.kind, model)), InMemory(PairSource(held_out, spec.kind, model))


def _batches(spec: MotionModelSpec, training: InMemory, workers: int) -> TrainingLoader:
    recipe = spec.recipe
    batches = TrainingLoader(
        training,
        CropAndFlip(recipe.crop, recipe.flip),
        PairBatches(spec.kind),
        batch_size=recipe.batch_size,
        seed=spec.seed,
        samples_per_epoch=recipe.samples_per_epoch,
        workers=workers,
    )
    if len(batches) == 0:
        raise RunError(
            f"the training set has {batches.n_samples} pairs, and an epoch of {batches.drawn} holds no batch of "
            f"{recipe.batch_size}: lower recipe.batch_size or raise recipe.samples_per_epoch"
        )
    return batches


def _trainer(
    spec: MotionModelSpec,
    network: FlowUNet,
    checkpoints: Path,
    device: torch.device,
    interruption: Interruption,
    stopwatch: Stopwatch,
) -> Trainer:
    return Trainer(
        model=network,
        loss=PhotometricLoss(spec.recipe),
        recipe=spec.recipe.optimisation,
        device=device,
        checkpoints=checkpoints,
        identity=sha256_of_json(spec.model_dump(mode="json")),
        say=_say,
        interruption=interruption,
        stopwatch=stopwatch,
        metric_unit="dB",
    )


def _content(network: FlowUNet, trainer: Trainer, n_train_pairs: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    means = summary(rows)
    return {
        "held_out": means,
        "n_held_out_pairs": len(rows) // len(means),
        "n_train_pairs": n_train_pairs,
        "n_steps": trainer.steps,
        "n_parameters": sum(parameter.numel() for parameter in network.parameters()),
        "metrics_by": f"scikit-image {version('scikit-image')}",
    }


def _provenance(spec: MotionModelSpec, stopwatch: Stopwatch, device: torch.device) -> dict[str, Any]:
    peak_gpu = torch.cuda.max_memory_allocated() / 1e6 if device.type == "cuda" else None
    facts = describe(stopwatch, device_name(device))
    return {**facts, "peak_gpu_memory_mb": peak_gpu, "seed": spec.seed, "data_identity": spec.dataset.identity}


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    with atomic_file(path) as part:
        table.to_csv(part, index=False, float_format=FLOAT_FORMAT, lineterminator="\n")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
