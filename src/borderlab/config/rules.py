"""Rules that no single key can state: names that must exist, and settings that do not go together.

Each rule yields faults as one line each, with the key in front. None of them may import torch, timm or OpenCV: the
workflow runs them every time it plans.
"""

from collections.abc import Iterator, Sequence
from itertools import product

from borderlab.config.motion_rules import motion_model_faults, motion_names
from borderlab.config.naming import allowed, backbone_name_faults, padding_mode_faults, split_faults, weights_faults
from borderlab.config.probe_rules import probe_faults
from borderlab.config.recipe_rules import recipe_faults
from borderlab.config.schema import ExperimentConfig, PropagationQualityConfig, StudyConfig
from borderlab.data import DATASETS, create_dataset
from borderlab.data.base import ClassificationDataset
from borderlab.errors import BorderlabError
from borderlab.losses.names import LOSS_NAMES
from borderlab.spec import PropagationSpec


def check_combinations(config: ExperimentConfig) -> str | None:
    """The first fault of `config`, or None."""
    return next(_faults(config), None)


def _faults(config: ExperimentConfig) -> Iterator[str]:
    yield from _repeated_seeds(config.seeds)
    yield from _dataset_faults(config)
    yield from motion_model_faults(config)
    yield from _repeated_studies(config)
    for index, study in enumerate(config.studies):
        for fault in _study_faults(config, study):
            yield f"studies[{index}] ({study.name}).{fault}"
    yield from _repeated_scores(config)
    for index, quality in enumerate(config.propagation_quality):
        for fault in _quality_faults(config, quality):
            yield f"propagation_quality[{index}].{fault}"
    yield from probe_faults(config)


def _repeated_seeds(seeds: Sequence[int] | None) -> Iterator[str]:
    if len(seeds or ()) > len(set(seeds or ())):
        yield f"seeds: got {seeds}; name each once"


def _dataset_faults(config: ExperimentConfig) -> Iterator[str]:
    for key, entry in config.datasets.items():
        name = entry.name or key
        if name not in DATASETS:
            yield f"datasets.{key}: got {name!r}; {allowed(DATASETS)}"
            continue
        try:
            dataset = create_dataset(name, entry.options)
        except BorderlabError as fault:
            yield f"datasets.{key}.options: {fault}"
            continue
        known = [*dataset.splits, *(f"{split}_video" for split in dataset.splits)]
        for split in entry.content:
            if split not in known:
                yield f"datasets.{key}.content: got {split!r}; {allowed(known)}"


def _repeated_studies(config: ExperimentConfig) -> Iterator[str]:
    names = [study.name for study in config.studies]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield f"studies[{index}].name: got {name!r}, which names an earlier study; names must differ"


def _repeated_scores(config: ExperimentConfig) -> Iterator[str]:
    """Scores are told apart by data set, split, motion, void and way: two sets of key frames would share a row."""
    seen: set[tuple[object, ...]] = set()
    for index, quality in enumerate(config.propagation_quality):
        for motion, void, method in product(quality.motions, quality.void_occluded, quality.methods):
            key = (quality.dataset, quality.split, motion, void, method, quality.reference)
            if key in seen:
                yield f"propagation_quality[{index}].motions: got {motion!r}, scored by an earlier entry; remove one"
            seen.add(key)


def _study_faults(config: ExperimentConfig, study: StudyConfig) -> Iterator[str]:
    yield from _repeated_seeds(study.seeds)
    if study.dataset not in config.datasets:
        yield f"dataset: got {study.dataset!r}; {allowed(config.datasets)}"
        return
    if study.recipe not in config.recipes:
        yield f"recipe: got {study.recipe!r}; {allowed(config.recipes)}"
        return
    dataset = config.create_dataset(study.dataset)
    yield from split_faults(dataset, train_split=study.train_split, eval_split=study.eval_split)
    if study.train_split == study.eval_split:
        yield f"eval_split: got {study.eval_split!r}, which the study trains on; name another split"
    yield from _name_faults(config, study)
    yield from weights_faults(study.backbones)
    batch_size, processes = config.recipes[study.recipe].batch_size, study.resources.processes
    if batch_size % processes:
        yield f"resources: {processes} processes (gpus x nodes) cannot share recipe.batch_size {batch_size} evenly"
    if isinstance(dataset, ClassificationDataset):
        yield from _classification_faults(config, study)
    yield from _relaxation_faults(config, study)
    yield from _propagation_faults(study)
    yield from recipe_faults(config, study, dataset)


def _name_faults(config: ExperimentConfig, study: StudyConfig) -> Iterator[str]:
    if len(study.padding_modes) > len(set(study.padding_modes)):
        yield f"padding_modes: got {study.padding_modes}; name each once"
    yield from padding_mode_faults(study.padding_modes)
    for index, loss in enumerate(study.losses):
        if loss.name not in LOSS_NAMES:
            yield f"losses[{index}].name: got {loss.name!r}; {allowed(LOSS_NAMES)}"
    yield from backbone_name_faults(study.backbones)
    for index, propagation in enumerate(study.propagation):
        if propagation is not None and propagation.motion not in motion_names(config):
            yield f"propagation[{index}].motion: got {propagation.motion!r}; {allowed(motion_names(config))}"


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
                f"allowed: at most {stride // 2}, beyond which the next key frame is nearer"
            )


def _windows_overlap(study: StudyConfig, propagation: PropagationSpec) -> bool:
    return study.keyframes is not None and 2 * propagation.max_distance > study.keyframes.stride


def _quality_faults(config: ExperimentConfig, quality: PropagationQualityConfig) -> Iterator[str]:
    if quality.dataset not in config.datasets:
        yield f"dataset: got {quality.dataset!r}; {allowed(config.datasets)}"
        return
    dataset = config.create_dataset(quality.dataset)
    if isinstance(dataset, ClassificationDataset):
        yield f"dataset: {quality.dataset} is a classification set without clips"
        return
    yield from split_faults(dataset, split=quality.split)
    for index, motion in enumerate(quality.motions):
        if motion not in motion_names(config):
            yield f"motions[{index}]: got {motion!r}; {allowed(motion_names(config))}"
