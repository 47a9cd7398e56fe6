"""What a run trains on and is evaluated on, as loaders."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from borderlab.data.augment import augment_classification, augment_segmentation, centre_crop
from borderlab.data.base import ClassificationDataset, Dataset, LabelledImage, SegmentationDataset
from borderlab.data.class_uniform import ClassUniform, Focus, centroids_of
from borderlab.data.decode import read_image, read_label, read_pair
from borderlab.data.loader import (
    EvaluationLoader,
    InMemory,
    Normalisation,
    Pixels,
    Sample,
    SampleSource,
    Target,
    TrainingLoader,
)
from borderlab.errors import DataError, RunError
from borderlab.models.factory import Network
from borderlab.propagation.samples import TrainingFrame, keyframe_frames, propagated_frames
from borderlab.spec import AugmentSpec, ClassUniformSpec, RunSpec
from borderlab.training.inputs import RunInputs
from borderlab.training.resident_sources import resident_evaluation_loader, resident_training_loader


class FrameSource:
    """Frames with labels, each with the table that turns its label ids into train ids."""

    def __init__(self, frames: Sequence[TrainingFrame]) -> None:
        self.frames = frames

    def __len__(self) -> int:
        return len(self.frames)

    def load(self, index: int) -> Sample:
        """Image and train ids of one frame."""
        frame = self.frames[index]
        return read_pair(frame.frame, frame.lut)

    def label(self, index: int) -> NDArray[np.uint8]:
        """Train ids of one frame."""
        frame = self.frames[index]
        if frame.frame.label is None:
            raise DataError(f"{frame.frame.image}: has no label; choose a split with labels")
        return read_label(frame.frame.label, frame.lut)

    def sample_id(self, index: int) -> str:
        """Name of one frame."""
        return self.frames[index].frame.sample_id


class FrameLabels(Sequence[NDArray[np.uint8]]):
    """The labels of a source alone, each decoded when it is asked for."""

    def __init__(self, source: FrameSource) -> None:
        self.source = source

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: Any) -> Any:
        return self.source.label(index)


class ImageSource:
    """Images with one class each."""

    def __init__(self, images: Sequence[LabelledImage]) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def load(self, index: int) -> Sample:
        """Image and class of one sample."""
        sample = self.images[index]
        pixels = sample.image if isinstance(sample.image, np.ndarray) else read_image(sample.image)
        return pixels, sample.class_id

    def sample_id(self, index: int) -> str:
        """Name of one image."""
        return self.images[index].sample_id


def training_loader(spec: RunSpec, inputs: RunInputs, network: Network) -> TrainingLoader:
    """The training set of `spec`, augmented as its recipe says.

    Raises:
        RunError: if one epoch has no whole batch.
        DataError: if samples are missing.
    """
    recipe = spec.recipe
    make = resident_training_loader if recipe.resident else _streaming_loader
    loader = make(spec, inputs, network)
    if len(loader) == 0 or loader.n_samples == 0:
        raise RunError(
            f"the training set has {loader.n_samples} samples, and an epoch of {loader.drawn} holds no batch of "
            f"{recipe.batch_size}: lower recipe.batch_size or raise recipe.samples_per_epoch"
        )
    return loader


def _streaming_loader(spec: RunSpec, inputs: RunInputs, network: Network) -> TrainingLoader:
    recipe = spec.recipe
    normalisation = _normalisation(spec, network)
    source = _training_source(spec, inputs)
    n_plain, class_uniform = len(source), None
    if recipe.class_uniform is not None:
        source, class_uniform = _class_uniform(source, recipe.class_uniform, recipe.epochs, inputs)
    return TrainingLoader(
        InMemory(source),
        partial(_CHANGES[spec.task], recipe.augment, normalisation.fill),
        normalisation,
        batch_size=recipe.batch_size,
        seed=spec.seed,
        samples_per_epoch=recipe.samples_per_epoch,
        workers=inputs.workers,
        class_uniform=class_uniform,
        n_plain=n_plain,
    )


def evaluation_loader(spec: RunSpec, inputs: RunInputs, network: Network) -> EvaluationLoader:
    """The evaluation split of `spec`: segmentation in whole images, classification as its recipe crops.

    Raises:
        DataError: if samples are missing.
    """
    evaluation = spec.recipe.evaluation
    if spec.recipe.resident:
        return resident_evaluation_loader(spec, inputs, network)
    change = _whole if spec.task == "segmentation" else partial(centre_crop, spec=evaluation)
    return EvaluationLoader(
        InMemory(_source(inputs, spec.eval_split)),
        change,
        _normalisation(spec, network),
        batch_size=evaluation.batch_size,
        n_classes=len(inputs.dataset.info.classes),
        workers=inputs.workers,
    )


def _training_source(spec: RunSpec, inputs: RunInputs) -> SampleSource:
    if spec.keyframes is None:
        return _source(inputs, spec.train_split)
    dataset = _segmentation(inputs.dataset)
    frames = keyframe_frames(dataset, inputs.data_folder, spec.train_split, spec.keyframes)
    if spec.propagation is not None:
        frames = frames + propagated_frames(
            spec.propagation,
            dataset,
            inputs.data_folder,
            spec.train_split,
            spec.keyframes,
            inputs.synthesis_folders,
        )
    return FrameSource(frames)


def _class_uniform(
    source: SampleSource, spec: ClassUniformSpec, epochs: int, inputs: RunInputs
) -> tuple[SampleSource, ClassUniform]:
    """The training set with the extra split's frames behind it, and the draws of both."""
    if not isinstance(source, FrameSource):
        raise RunError("recipe.class_uniform: needs a label for each pixel; remove it for classification")
    names = inputs.dataset.info.classes
    late = early = centroids_of(FrameLabels(source), len(names), spec)
    if spec.extra_split is not None:
        extra = _source(inputs, spec.extra_split)
        assert isinstance(extra, FrameSource)  # noqa: S101  (of the same data set)
        wanted = [names.index(name) for name in spec.extra_classes]
        of_extra = centroids_of(FrameLabels(extra), len(names), spec).restricted(wanted)
        early = late.and_also(of_extra, len(source))
        source = FrameSource([*source.frames, *extra.frames])
    late = early if spec.reference else late
    return source, ClassUniform(spec.share, early, late, spec.extra_until * epochs)


def _source(inputs: RunInputs, split: str) -> SampleSource:
    if isinstance(inputs.dataset, ClassificationDataset):
        return ImageSource(inputs.dataset.images(inputs.data_folder, split))
    dataset = _segmentation(inputs.dataset)
    lut = dataset.label_lut
    return FrameSource([TrainingFrame(frame, lut) for frame in dataset.frames(inputs.data_folder, split)])


def _segmentation(dataset: Dataset) -> SegmentationDataset:
    if not isinstance(dataset, SegmentationDataset):
        raise RunError(f"{dataset.info.name}: is no segmentation set")
    return dataset


def _normalisation(spec: RunSpec, network: Network) -> Normalisation:
    return Normalisation(network.mean, network.std, spec.recipe.memory_format)


def _change_frame(
    augment: AugmentSpec,
    fill: tuple[int, int, int],
    image: Pixels,
    target: Target,
    random: Generator,
    focus: Focus | None = None,
) -> Sample:
    label: NDArray[np.uint8] = np.asarray(target, dtype=np.uint8)
    return augment_segmentation(image, label, augment, fill, random, focus)


def _change_image(
    augment: AugmentSpec, fill: tuple[int, int, int], image: Pixels, target: Target, random: Generator
) -> Sample:
    return augment_classification(image, augment, random), target


_CHANGES = {"segmentation": _change_frame, "classification": _change_image}


def _whole(image: Pixels) -> Pixels:
    return image
