"""Loaders of a run whose images lie on its device (`resident` in the recipe)."""

from functools import partial

import torch

from borderlab.data.base import ClassificationDataset
from borderlab.data.cutting import PixelStore, cut_of_centre, draw_cut
from borderlab.data.decoded import DecodedImages, decoded_images
from borderlab.data.loader import EvaluationLoader, KeptEvaluationLoader, TrainingLoader
from borderlab.data.resident import ResidentBatches, bytes_for_images
from borderlab.errors import RunError
from borderlab.models.factory import Network
from borderlab.spec import AugmentSpec, RunSpec, Size
from borderlab.training.inputs import RunInputs

FOLDER = "decoded"
"""Below the data set's folder: the decoded bytes of each split."""


def decoded_split(inputs: RunInputs, split: str) -> DecodedImages:
    """One split, decoded: kept from an earlier run, or for the next one.

    Raises:
        RunError: if the data set is no classification set.
        DataError: if images are missing, or take more than half of the device's free memory.
    """
    if not isinstance(inputs.dataset, ClassificationDataset):
        raise RunError(f"recipe.resident: {inputs.dataset.info.name} is no classification set; set it to false")
    images = inputs.dataset.images(inputs.data_folder, split)
    folder = inputs.data_folder / FOLDER / split
    return decoded_images(images, folder, inputs.dataset.identity, bytes_for_images(inputs.device))


def resident_training_loader(spec: RunSpec, inputs: RunInputs, network: Network) -> TrainingLoader:
    """The training set of `spec` on the device, changed there as the recipe says; raises as `decoded_split` does."""
    recipe = spec.recipe
    images = decoded_split(inputs, spec.train_split)
    return TrainingLoader(
        images,
        partial(draw_cut, recipe.augment),
        _batches(images, spec, inputs, network, recipe.augment.crop, recipe.augment),
        batch_size=recipe.batch_size,
        seed=spec.seed,
        samples_per_epoch=recipe.samples_per_epoch,
        workers=inputs.workers,
    )


def resident_evaluation_loader(spec: RunSpec, inputs: RunInputs, network: Network) -> EvaluationLoader:
    """The evaluation split of `spec` on the device, cropped there; raises as `decoded_split` does."""
    evaluation = spec.recipe.evaluation
    if evaluation.crop is None:
        raise RunError("recipe.evaluation.crop: resident images are cropped to one size; set it")
    images = decoded_split(inputs, spec.eval_split)
    return KeptEvaluationLoader(
        images,
        partial(cut_of_centre, spec=evaluation),
        _batches(images, spec, inputs, network, evaluation.crop, None),
        batch_size=evaluation.batch_size,
        n_classes=len(inputs.dataset.info.classes),
        # Eight numbers an image: handing them from process to process would take longer than making them.
        workers=0,
    )


def _batches(
    images: DecodedImages, spec: RunSpec, inputs: RunInputs, network: Network, size: Size, colours: AugmentSpec | None
) -> ResidentBatches:
    return ResidentBatches(
        network.mean,
        network.std,
        spec.recipe.memory_format,
        store=PixelStore(images, inputs.device),
        targets=torch.from_numpy(images.targets),
        size=size,
        colours=colours,
    )
