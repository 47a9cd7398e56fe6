"""Rules of recipes, losses and chains of runs that no single key can state. Light: no torch, no timm."""

from collections.abc import Iterable, Iterator

from borderlab.config.naming import allowed
from borderlab.config.schema import ExperimentConfig, StudyConfig
from borderlab.data.base import ClassificationDataset, Dataset
from borderlab.models.names import output_strides
from borderlab.recipe_spec import ScheduleSpec, Spec
from borderlab.spec import LossSpec, RecipeSpec

_OPTIONS_OF_SCHEDULE = {
    "constant": (),
    "poly": ("poly_power",),
    "restarted_poly": ("poly_power", "restart_epoch", "restart_factor", "restart_power"),
    "step": ("step_epochs", "step_factor"),
    "cosine": (),
}


def recipe_faults(config: ExperimentConfig, study: StudyConfig, dataset: Dataset) -> Iterator[str]:
    """One line for each fault of a study's recipe, losses and start."""
    recipe = config.recipes[study.recipe]
    yield from _value_faults(study, recipe)
    yield from _unused_faults(study, recipe)
    if not _serves_both_tasks(config, study.recipe):
        yield from _other_task_faults(config, study, recipe)
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


def _unused_faults(study: StudyConfig, recipe: RecipeSpec) -> Iterator[str]:
    """Options without effect: they would name another result, and the same numbers would stand in it."""
    where = f"recipe: {study.recipe!r}"
    if recipe.optimiser == "adamw":
        yield from _given(recipe, ("momentum", "nesterov"), where, "which adamw does not use")
    schedule = recipe.schedule
    used = ("name", "warmup_epochs", *_OPTIONS_OF_SCHEDULE[schedule.name])
    unused = [key for key in ScheduleSpec.model_fields if key not in used]
    yield from _given(schedule, unused, f"{where}.schedule", f"which {schedule.name} does not use")
    if recipe.evaluation.window is None:
        yield from _given(recipe.evaluation, ("overlap",), f"{where}.evaluation", "which belongs to a window")


def _other_task_faults(config: ExperimentConfig, study: StudyConfig, recipe: RecipeSpec) -> Iterator[str]:
    """Options without effect, again: those of the task that the study does not have."""
    where = f"recipe: {study.recipe!r}"
    if _is_classification(config, study):
        why = f"but classification ({study.dataset})"
        yield from _given(recipe, ("output_stride", "decoder_channels", "aspp_rates"), where, f"{why} has no decoder")
        votes = ("scales", "flip", "window")
        yield from _given(recipe.evaluation, votes, f"{where}.evaluation", f"{why} is evaluated by resize and crop")
    else:
        why = f"but segmentation ({study.dataset})"
        yield from _given(recipe.augment, ("aspect",), f"{where}.augment", f"{why} keeps an image's shape")
        where += ".evaluation"
        yield from _given(recipe.evaluation, ("resize", "crop"), where, f"{why} is evaluated on whole images")


def _given(spec: Spec, keys: Iterable[str], where: str, why: str) -> Iterator[str]:
    """One line for each of `keys` that has not its default."""
    for key in keys:
        value = getattr(spec, key)
        if value != type(spec).model_fields[key].get_default():
            shown = list(value) if isinstance(value, tuple) else value
            yield f"{where}.{key}: got {shown}, {why}; remove it"


def _loss_faults(study: StudyConfig) -> Iterator[str]:
    plain = LossSpec()
    for index, loss in enumerate(study.losses):
        where = f"losses[{index}]"
        if loss.name == "cross_entropy":
            unused = [key for key in LossSpec.model_fields if key != "name"]
            yield from _given(loss, unused, where, "which cross_entropy does not use")
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


def _classification_faults(study: StudyConfig, recipe: RecipeSpec) -> Iterator[str]:
    low, high = recipe.augment.scale
    if low > 1:
        yield (
            f"recipe: {study.recipe!r}.augment.scale: got [{low:g}, {high:g}]; classification ({study.dataset}) crops "
            "that share of the area: allowed: a smaller number up to 1"
        )
    if recipe.class_uniform is not None:
        yield f"recipe: {study.recipe!r} has class_uniform; classification ({study.dataset}) has no pixel labels"


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
    if _is_classification(config, study) != _is_classification(config, start):
        yield f"start_from: {start.name} is of another task"
    for key in ("decoder_channels", "aspp_rates"):
        ours, theirs = (getattr(config.recipes[one.recipe], key) for one in (study, start))
        if ours != theirs:
            yield f"recipe: {study.recipe!r} has {key} {ours}, the study to start from ({start.name}) {theirs}"


def _names(entries: list[object]) -> list[str]:
    return [str(getattr(entry, "name", entry)) for entry in entries]


def _serves_both_tasks(config: ExperimentConfig, recipe: str) -> bool:
    studies = [study for study in config.studies if study.recipe == recipe and study.dataset in config.datasets]
    return len({_is_classification(config, study) for study in studies}) > 1


def _is_classification(config: ExperimentConfig, study: StudyConfig) -> bool:
    return isinstance(config.create_dataset(study.dataset), ClassificationDataset)
