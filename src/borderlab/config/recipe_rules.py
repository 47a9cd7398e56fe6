"""Rules of recipes, losses and chains of runs that no single key can state. Light: no torch, no timm."""

from collections.abc import Iterator

from borderlab.config.naming import allowed
from borderlab.config.schema import ExperimentConfig, StudyConfig
from borderlab.data.base import ClassificationDataset, Dataset
from borderlab.models.names import output_strides
from borderlab.recipe_spec import AugmentSpec
from borderlab.spec import LossSpec, RecipeSpec


def recipe_faults(config: ExperimentConfig, study: StudyConfig, dataset: Dataset) -> Iterator[str]:
    """One line for each fault of a study's recipe, losses and start."""
    recipe = config.recipes[study.recipe]
    yield from _value_faults(study, recipe)
    yield from _loss_faults(study)
    if isinstance(dataset, ClassificationDataset):
        yield from _classification_faults(study, recipe)
    else:
        yield from _segmentation_faults(study, recipe)
        yield from _parallel_faults(study)
        yield from _class_name_faults(study, recipe, dataset)
        yield from _output_stride_faults(study, recipe)
    yield from _start_faults(config, study)


def _value_faults(study: StudyConfig, recipe: RecipeSpec) -> Iterator[str]:
    """What torch would refuse, or divide by, only when the job runs."""
    where = f"recipe: {study.recipe!r}"
    if recipe.nesterov and recipe.momentum == 0:
        yield f"{where} has nesterov without momentum; set momentum above 0, or nesterov to false"
    for key in ("scale", "aspect"):
        low, high = getattr(recipe.augment, key)
        if not 0 < low <= high:
            yield f"{where}.augment.{key}: got [{low:g}, {high:g}]; allowed: two numbers above 0, the smaller one first"
    low, high = recipe.augment.blur_sigma
    if not 0 <= low <= high:
        yield f"{where}.augment.blur_sigma: got [{low:g}, {high:g}]; allowed: two numbers from 0, the smaller one first"
    for rate in recipe.aspp_rates:
        if rate < 1:
            yield f"{where}.aspp_rates: got {list(recipe.aspp_rates)}; allowed: whole numbers from 1"


def _loss_faults(study: StudyConfig) -> Iterator[str]:
    """Options without effect: they would name another result, and the same numbers would stand in it."""
    plain = LossSpec()
    for index, loss in enumerate(study.losses):
        where = f"losses[{index}]"
        if loss.name == "cross_entropy":
            for key in type(loss).model_fields:
                if key != "name" and getattr(loss, key) != getattr(plain, key):
                    yield f"{where}.{key}: got {getattr(loss, key)}, which cross_entropy does not use; remove it"
        elif loss.boundary_weight != plain.boundary_weight:
            got = f"{where}.boundary_weight: got {loss.boundary_weight:g}"
            if loss.reference:
                yield f"{got}; `reference` has its own; remove it"
            elif loss.relax_until == plain.relax_until:
                yield f"{got}, which is used after relax_until, the end of training; lower that, or remove this"


def _segmentation_faults(study: StudyConfig, recipe: RecipeSpec) -> Iterator[str]:
    where = f"recipe: {study.recipe!r}"
    if recipe.resident:
        yield f"{where} has resident; {study.dataset} is no classification set: set it to false"
    if recipe.augment.aspect != AugmentSpec().aspect:
        yield f"{where} has augment.aspect; segmentation ({study.dataset}) keeps an image's shape; remove it"


def _classification_faults(study: StudyConfig, recipe: RecipeSpec) -> Iterator[str]:
    low, high = recipe.augment.scale
    if low > 1:
        yield (
            f"recipe: {study.recipe!r}.augment.scale: got [{low:g}, {high:g}]; classification ({study.dataset}) crops "
            "that share of the area: allowed: a smaller number up to 1"
        )
    if recipe.class_uniform is not None:
        yield f"recipe: {study.recipe!r} has class_uniform; classification ({study.dataset}) has no pixel labels"
    if not recipe.evaluation.is_plain:
        yield (
            f"recipe: {study.recipe!r} has evaluation.scales, flip or window; classification ({study.dataset}) is "
            "evaluated by evaluation.resize and crop"
        )


def _parallel_faults(study: StudyConfig) -> Iterator[str]:
    """Several processes share a loss that is a mean over labelled pixels; these are not."""
    for index, loss in enumerate(study.losses):
        if study.resources.processes > 1 and (loss.reference or loss.boundary_weight != 1):
            name = "reference" if loss.reference else "boundary_weight"
            yield f"losses[{index}].{name}: cannot be shared by {study.resources.processes} processes; train in one"


def _class_name_faults(study: StudyConfig, recipe: RecipeSpec, dataset: Dataset) -> Iterator[str]:
    names = dataset.info.classes
    for index, loss in enumerate(study.losses):
        for name in loss.strict_classes:
            if name not in names:
                yield f"losses[{index}].strict_classes: got {name!r}; {allowed(names)}"
    uniform = recipe.class_uniform
    if uniform is None:
        return
    where = f"recipe: {study.recipe!r}.class_uniform"
    for name in uniform.extra_classes:
        if name not in names:
            yield f"{where}.extra_classes: got {name!r}; {allowed(names)}"
    if uniform.extra_split is not None and uniform.extra_split not in dataset.splits:
        yield f"{where}.extra_split: got {uniform.extra_split!r}; {allowed(dataset.splits)}"
    if uniform.extra_split in (study.train_split, study.eval_split):
        yield f"{where}.extra_split: got {uniform.extra_split!r}, which the study trains or evaluates on; name another"
    if (uniform.extra_split is None) != (not uniform.extra_classes):
        yield f"{where}: extra_split and extra_classes go together; give both or neither"


def _output_stride_faults(study: StudyConfig, recipe: RecipeSpec) -> Iterator[str]:
    for index, backbone in enumerate(study.backbones):
        strides = output_strides(backbone.name)
        if recipe.output_stride not in strides:
            can = f"it can do {', '.join(map(str, strides))}" if strides else "it cannot segment here"
            yield (
                f"backbones[{index}].name: got {backbone.name!r} with output_stride {recipe.output_stride} of recipe "
                f"{study.recipe!r}; {can}"
            )


def _start_faults(config: ExperimentConfig, study: StudyConfig) -> Iterator[str]:
    if study.start_from is None:
        return
    earlier = {other.name: other for other in config.studies[: config.studies.index(study)]}
    if study.start_from not in earlier:
        yield f"start_from: got {study.start_from!r}; {allowed(earlier) if earlier else 'there is no earlier study'}"
        return
    start = earlier[study.start_from]
    if len(start.propagation) * len(start.losses) > 1:
        yield f"start_from: {start.name} has several losses or propagations; name a study with one of each"
    names = [backbone.name for backbone in start.backbones]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"start_from: {start.name} has {name} with several weights; name a study with one of them"
    for key in ("backbones", "padding_modes"):
        ours, theirs = (_names(getattr(one, key)) for one in (study, start))
        for name in ours:
            if name not in theirs:
                yield f"{key}: got {name!r}, which the study to start from ({start.name}) lacks; {allowed(theirs)}"
    seeds, start_seeds = (one.seeds or config.seeds for one in (study, start))
    if len(start_seeds) > 1 and not set(seeds) <= set(start_seeds):
        yield f"seeds: got {seeds}; the study to start from ({start.name}) has {start_seeds}"
    if _task(config, study) != _task(config, start):
        yield f"start_from: {start.name} is of another task"
    for key in ("decoder_channels", "aspp_rates"):
        ours, theirs = (getattr(config.recipes[one.recipe], key) for one in (study, start))
        if ours != theirs:
            yield f"recipe: {study.recipe!r} has {key} {ours}, the study to start from ({start.name}) {theirs}"


def _names(entries: list[object]) -> list[str]:
    return [str(getattr(entry, "name", entry)) for entry in entries]


def _task(config: ExperimentConfig, study: StudyConfig) -> bool:
    return isinstance(config.create_dataset(study.dataset), ClassificationDataset)
