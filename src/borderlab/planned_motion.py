"""From the motion models that an experiment trains to their specifications and names (a part of `borderlab.plan`).

The name of a learned model ends in the hash of all that decides it. Specifications of what follows it carry that
name, so they need no further field, and a model that is trained otherwise renames all that rests on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from borderlab.config.schema import (
    ExperimentConfig,
    MotionModelConfig,
    PropagationQualityConfig,
    ResourcesConfig,
    StudyConfig,
)
from borderlab.data import DATASETS
from borderlab.identity import Identity, identity_of
from borderlab.motion.learned.spec import MotionModelSpec
from borderlab.motion.names import motion_members
from borderlab.spec import DatasetSpec

TRAIN_MOTION_CODE = "borderlab.motion.learned.run"


@dataclass(frozen=True)
class PlannedMotionModel:
    """One learned motion model, by the name that the configuration gives it, and what its job may use."""

    label: str
    spec: MotionModelSpec
    resources: ResourcesConfig

    @property
    def identity(self) -> Identity:
        """What decides its weights."""
        members = (DATASETS[self.spec.dataset.name].__module__, *motion_members(self.spec.input_flow))
        return identity_of(self.spec, TRAIN_MOTION_CODE, members)

    @property
    def name(self) -> str:
        """Folder of the model below artifacts/motion_models/."""
        return f"{self.label}-{self.identity.short_hash}"

    @property
    def receipts(self) -> list[tuple[str, str]]:
        """(data set, split) pairs that its training reads."""
        splits = dict.fromkeys((self.spec.train_split, self.spec.eval_split or self.spec.train_split))
        return [(self.spec.dataset.key, split) for split in splits]


def plan_motion_models(config: ExperimentConfig, datasets: Mapping[str, DatasetSpec]) -> dict[str, PlannedMotionModel]:
    """Every motion model that `config` trains, by its folder's name."""
    planned = [
        PlannedMotionModel(label, _spec(entry, datasets[entry.dataset]), entry.resources)
        for label, entry in config.motion_models.items()
    ]
    return {model.name: model for model in planned}


def with_full_names(config: ExperimentConfig, planned: Mapping[str, PlannedMotionModel]) -> ExperimentConfig:
    """`config` with the folder's name in place of each learned model's own name."""
    names = {model.label: name for name, model in planned.items()}
    return config.model_copy(
        update={
            "studies": [_study_with(study, names) for study in config.studies],
            "propagation_quality": [_quality_with(quality, names) for quality in config.propagation_quality],
        }
    )


def _spec(entry: MotionModelConfig, dataset: DatasetSpec) -> MotionModelSpec:
    return MotionModelSpec(
        dataset=dataset,
        train_split=entry.train_split,
        eval_split=entry.eval_split,
        # Not read where a split of its own is held out, so it must not rename anything there.
        held_out_share=0 if entry.eval_split is not None else entry.held_out_share,
        held_out_pairs=entry.held_out_pairs,
        kind=entry.kind,
        input_flow=entry.input_flow,
        recipe=entry.recipe,
        seed=entry.seed,
    )


def _study_with(study: StudyConfig, names: Mapping[str, str]) -> StudyConfig:
    propagation = [
        own if own is None else own.model_copy(update={"motion": names.get(own.motion, own.motion)})
        for own in study.propagation
    ]
    return study.model_copy(update={"propagation": propagation})


def _quality_with(quality: PropagationQualityConfig, names: Mapping[str, str]) -> PropagationQualityConfig:
    return quality.model_copy(update={"motions": [names.get(motion, motion) for motion in quality.motions]})
