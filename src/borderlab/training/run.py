"""One training run from its specification to the files in its folder.

    spec.json          the resolved specification
    curve.csv          one row for each epoch
    training.json      last and best validation metric, sizes
    model.safetensors  final weights
    provenance.json    where, when, with what
    checkpoints/       while training lasts

`training.json` is written last: a folder that has it is finished.
"""

import csv
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from borderlab.allocator import keep_freed_pages
from borderlab.data.base import Dataset
from borderlab.device import choose_device, device_name, make_repeatable
from borderlab.evaluation.metric import METRIC_NAMES, measure
from borderlab.files import atomic_file, sha256_of_json, write_json
from borderlab.losses import create_loss
from borderlab.models.factory import Network, create_network
from borderlab.provenance import Stopwatch, describe
from borderlab.spec import RunSpec
from borderlab.training.checkpoint import delete_checkpoints
from borderlab.training.inputs import RunInputs
from borderlab.training.interruption import Interruption, signals_noted
from borderlab.training.loop import Curve, Trainer
from borderlab.training.network_files import load_start, save_weights
from borderlab.training.sources import evaluation_loader, training_loader


def train_run(
    spec: RunSpec,
    folder: Path,
    *,
    dataset: Dataset,
    data_folder: Path,
    synthesis_folders: Mapping[int, Path],
    start_folder: Path | None = None,
    gpus: int = 0,
    workers: int = 0,
) -> None:
    """Train the network of `spec` and leave the run's files in `folder`.

    Resumes from the folder's newest checkpoint. On a CPU the result is the same, bit for bit, however often the run
    was interrupted and however many workers load.

    Raises:
        InterruptedRunError: if a signal asked it to stop; a checkpoint stands.
        RunError: if the GPU that was asked for is missing, the loss is not finite, or the training set is too small.
        DataError: if samples are missing or damaged.
    """
    stopwatch = Stopwatch()
    keep_freed_pages()
    make_repeatable(spec.recipe.threads)
    device = choose_device(gpus)
    inputs = RunInputs(dataset, data_folder, synthesis_folders, workers, device)
    # From before the first file stands: whoever sees the folder may ask the run to stop, and gets a checkpoint.
    with signals_noted() as interruption:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "spec.json", spec.model_dump(mode="json"))
        network = create_network(spec, len(dataset.info.classes))
        if start_folder is not None:
            load_start(network.module, start_folder / "model.safetensors")
        network.module.to(device)
        trainer = _trainer(spec, network, dataset.info.classes, folder / "checkpoints", device, interruption, stopwatch)
        n_samples = _fit(trainer, spec, network, inputs)
    _write_results(folder, network, trainer)
    write_json(folder / "provenance.json", _provenance(spec, stopwatch, device))
    write_json(folder / "training.json", _summary(spec, network, trainer, n_samples))
    delete_checkpoints(folder / "checkpoints")


def _trainer(
    spec: RunSpec,
    network: Network,
    classes: tuple[str, ...],
    checkpoints: Path,
    device: torch.device,
    interruption: Interruption,
    stopwatch: Stopwatch,
) -> Trainer:
    return Trainer(
        model=network.module,
        loss=create_loss(spec.loss, spec.recipe.label_smoothing, classes),
        recipe=spec.recipe,
        device=device,
        checkpoints=checkpoints,
        identity=sha256_of_json(spec.model_dump(mode="json")),
        say=_say,
        interruption=interruption,
        stopwatch=stopwatch,
    )


def _fit(trainer: Trainer, spec: RunSpec, network: Network, inputs: RunInputs) -> int:
    """Train to the end; return the number of samples in the training set."""
    batches = training_loader(spec, inputs, network)
    held_out = evaluation_loader(spec, inputs, network)
    trainer.fit(
        batches,
        validate=lambda: measure(spec, trainer.model, held_out, trainer.device).value_pct,
        watch=_watch,
    )
    return batches.n_samples


def _write_results(folder: Path, network: Network, trainer: Trainer) -> None:
    save_weights(network.module, folder / "model.safetensors")
    rows = trainer.curve.rows
    with atomic_file(folder / "curve.csv") as part, part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _summary(spec: RunSpec, network: Network, trainer: Trainer, n_samples: int) -> dict[str, Any]:
    curve: Curve = trainer.curve
    best, best_epoch = curve.best()
    return {
        "metric": METRIC_NAMES[spec.task],
        "last": curve.last(),
        "best": best,
        "best_epoch": best_epoch,
        "n_parameters": sum(parameter.numel() for parameter in network.module.parameters()),
        "n_train_samples": n_samples,
        "n_steps": trainer.steps,
        "converted_layers": len(network.conversion.converted),
        "left_padding": [f"{left.name} ({left.kind}) {left.reason}" for left in network.conversion.left],
    }


def _provenance(spec: RunSpec, stopwatch: Stopwatch, device: torch.device) -> dict[str, Any]:
    facts = describe(stopwatch, device_name(device))
    peak_gpu = torch.cuda.max_memory_allocated() / 1e6 if device.type == "cuda" else None
    return {**facts, "peak_gpu_memory_mb": peak_gpu, "seed": spec.seed, "data_identity": spec.dataset.identity}


def _watch(batches: Iterable[Any], epoch: int) -> Iterable[Any]:
    """A progress bar on a terminal; in a log file, the line after each epoch is enough."""
    if not sys.stderr.isatty():
        return batches
    # A job under a workflow never draws one.
    from rich.progress import track

    return track(batches, description=f"epoch {epoch + 1}", transient=True)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
