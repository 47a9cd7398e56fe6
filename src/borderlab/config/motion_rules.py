"""Rules of `motion_models` that no single key can state, and of the names that they add."""

from collections.abc import Iterator

from borderlab.config.naming import allowed, alone_faults, split_faults
from borderlab.config.schema import ExperimentConfig, MotionModelConfig
from borderlab.data import DATASETS
from borderlab.data.base import ClassificationDataset
from borderlab.motion.names import MOTION_MODEL_NAMES


def motion_names(config: ExperimentConfig) -> tuple[str, ...]:
    """Every name that `motion` and `motions` may hold: the registry's, and the models that the experiment trains."""
    return (*MOTION_MODEL_NAMES, *config.motion_models)


def motion_model_faults(config: ExperimentConfig) -> Iterator[str]:
    """One line for each fault of the motion models of `config`, with the key in front."""
    for name, entry in config.motion_models.items():
        for fault in _faults(config, name, entry):
            yield f"motion_models.{name}{fault}"


def _faults(config: ExperimentConfig, name: str, entry: MotionModelConfig) -> Iterator[str]:
    if name in MOTION_MODEL_NAMES:
        yield ": is the name of a motion model of the registry; choose another"
    if entry.input_flow not in MOTION_MODEL_NAMES:
        yield f".input_flow: got {entry.input_flow!r}; {allowed(MOTION_MODEL_NAMES)}"
    for fault in alone_faults(entry.resources):
        yield f".{fault}"
    if entry.dataset not in config.datasets:
        yield f".dataset: got {entry.dataset!r}; {allowed(config.datasets)}"
        return
    if (config.datasets[entry.dataset].name or entry.dataset) not in DATASETS:
        return
    dataset = config.create_dataset(entry.dataset)
    if isinstance(dataset, ClassificationDataset):
        yield f".dataset: {entry.dataset} is a classification set without clips"
        return
    splits = {"train_split": entry.train_split}
    if entry.eval_split is not None:
        splits["eval_split"] = entry.eval_split
        if entry.eval_split == entry.train_split:
            yield f".eval_split: got {entry.eval_split!r}, which trains; leave it out to hold out the end of each clip"
    for fault in split_faults(dataset, **splits):
        yield f".{fault}"
