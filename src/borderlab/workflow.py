"""What Snakemake's rules ask: paths of results, what each needs, and how long it may take.

The rules hold no logic of their own; this module holds no rule. It imports neither snakemake nor torch.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from borderlab.config.loading import check_config, load_config
from borderlab.config.schema import ExperimentConfig, FoldersConfig, ResourcesConfig
from borderlab.data.receipt import content_in
from borderlab.errors import ConfigError
from borderlab.files import sha256_of_json, write_text
from borderlab.identity import HASH_LENGTH
from borderlab.plan import Plan, make_plan
from borderlab.report.names import TABLES

PUBLISHED_FILES = ("report.html", "summary.md", "metrics.json", "tables.tex", "config.yaml")
TABLE_FORMATS = {"tables": "csv", "parquet": "parquet"}
# In the environment of a job on another node: the snapshot of the configuration that it was planned from.
SNAPSHOT = "BORDERLAB_SNAPSHOT"
FETCH_MINUTES = {"embedded": 10, "public": 12 * 60, "account": 24 * 60, "own copy": 12 * 60}


@dataclass(frozen=True)
class Paths:
    """Every path of the workflow, relative to the folder that it runs in. Names may hold wildcards."""

    folders: FoldersConfig
    experiment: str

    @property
    def results(self) -> str:
        """Folder of the published tables and report."""
        return f"{self.folders.results}/{self.experiment}"

    @property
    def artifacts(self) -> str:
        """Folder of everything that this experiment makes; one output of one DVC stage."""
        return f"{self.folders.artifacts}/{self.experiment}"

    def receipt(self, folder: str, split: str) -> str:
        """Proof that a split was fetched and verified."""
        return f"{self.folders.data}/receipts/{folder}/{split}.json"

    def motion(self, motion: str) -> str:
        """Manifest of estimated flows."""
        return f"{self.artifacts}/motion/{motion}/manifest.json"

    def synthesis(self, synthesis: str) -> str:
        """Manifest of propagated samples."""
        return f"{self.artifacts}/propagated/{synthesis}/manifest.json"

    def score(self, score: str) -> str:
        """Score of propagated labels."""
        return f"{self.artifacts}/scores/{score}/score.json"

    def motion_model_folder(self, motion_model: str) -> str:
        """Folder of a trained motion model."""
        return f"{self.artifacts}/motion_models/{motion_model}"

    def motion_model_files(self, motion_model: str) -> list[str]:
        """What training a motion model leaves."""
        names = ["identity.json", "spec.json", "training.json", "curve.csv", "held_out.csv"]
        names += ["provenance.json", "model.safetensors"]
        return [f"{self.motion_model_folder(motion_model)}/{name}" for name in names]

    def run_folder(self, run: str) -> str:
        """Folder of a training run."""
        return f"{self.artifacts}/runs/{run}"

    def run_files(self, run: str) -> list[str]:
        """All that a training run leaves."""
        names = ("identity.json", "spec.json", "training.json", "curve.csv", "provenance.json", "model.safetensors")
        return [f"{self.run_folder(run)}/{name}" for name in names]

    def trained(self, run: str) -> list[str]:
        """What Snakemake follows of a run: the mark that it is finished, written last, and what its dependents read.

        Where the mark stands, the other files do. To name all of them, for hundreds of runs and for each that reads
        them, would make half of what Snakemake looks at.
        """
        return [f"{self.run_folder(run)}/{name}" for name in ("training.json", "model.safetensors")]

    def evaluation(self, run: str, evaluation: str) -> str:
        """Metrics of a run."""
        return f"{self.run_folder(run)}/{evaluation}/metrics.json"

    def probe(self, probe: str) -> str:
        """What a probe found out, beside its tables and pictures."""
        return f"{self.artifacts}/probes/{probe}/probe.json"

    def census(self, census: str) -> str:
        """Table with a row for each architecture of timm."""
        return f"{self.artifacts}/census/{census}/census.csv"

    def report_folder(self, report: str) -> str:
        """Folder of tables, figures and the page."""
        return f"{self.artifacts}/reports/{report}"

    def tables(self, report: str) -> list[str]:
        """Tidy tables of an experiment."""
        return _all_table_files(self.report_folder(report))

    def report(self, report: str) -> list[str]:
        """Page, summary, metrics, LaTeX and configuration of an experiment."""
        return [f"{self.report_folder(report)}/{name}" for name in PUBLISHED_FILES]

    def stamp(self, report: str) -> str:
        """What says of which report the stable copies are."""
        return f"{self.results}/published-{report}.json"

    @property
    def published_pages(self) -> list[str]:
        """Stable copies of page, summary, metrics, LaTeX and configuration."""
        return [f"{self.results}/{name}" for name in PUBLISHED_FILES]

    @property
    def published_config(self) -> str:
        """The configuration that made what is published: in git, so that a clone can make it again."""
        return f"{self.results}/config.yaml"

    def published_tables(self, kind: str) -> list[str]:
        """Stable copies of the tables, in one of `TABLE_FORMATS`."""
        return _table_files(self.results, kind)

    def published(self, report: str) -> list[str]:
        """Stable copies, and their stamp."""
        return [self.stamp(report), *self.published_pages, *_all_table_files(self.results)]


@dataclass(frozen=True)
class Workflow:
    """A plan together with its paths and with what each result needs."""

    plan: Plan
    snapshot: str
    trust_existing: Callable[[], bool] = lambda: True

    @classmethod
    def from_config(
        cls, values: Mapping[str, Any], sources: Sequence[Any], trust_existing: Callable[[], bool] = lambda: True
    ) -> "Workflow":
        """The workflow of the merged configuration that Snakemake holds; writes its snapshot, and tells jobs of it.

        Args:
            values: the merged configuration.
            sources: the files that it comes from, for messages.
            trust_existing: tells whether a result that stands needs its inputs no more (see `missing_inputs`).

        Raises:
            ConfigError: one line that names file and key.
        """
        source = ", ".join(str(path) for path in sources) or "config/smoke.yaml"
        config = check_config(dict(values), source)
        snapshot = write_snapshot(config)
        os.environ[SNAPSHOT] = str(snapshot)
        return cls(make_plan(config), str(snapshot), trust_existing)

    @classmethod
    def from_environment(cls, trust_existing: Callable[[], bool]) -> "Workflow | None":
        """The workflow that the process which submitted this job planned; None if it did not say which."""
        return cls.from_file(Path(os.environ[SNAPSHOT]), trust_existing) if SNAPSHOT in os.environ else None

    @classmethod
    def from_file(cls, path: Path, trust_existing: Callable[[], bool] = lambda: True) -> "Workflow":
        """The workflow of one configuration file or snapshot."""
        return cls(make_plan(load_config(path)), str(path), trust_existing)

    @cached_property
    def paths(self) -> Paths:
        """Paths of this experiment."""
        return Paths(self.plan.config.folders, self.plan.config.experiment)

    def dataset_of_receipts(self, folder_name: str) -> str:
        """Key in `datasets` of the data set whose receipts lie in `folder_name`."""
        for key in self.plan.datasets:
            if self.plan.receipt_folder(key) == folder_name:
                return key
        raise ConfigError(f"no data set of this experiment has its receipts in {folder_name!r}")

    def receipt_of(self, dataset: str, split: str) -> str:
        """Receipt of a split, by the data set's key."""
        return self.paths.receipt(self.plan.receipt_folder(dataset), split)

    def content_of(self, read: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Hashes of the copies behind (data set, split) pairs, as their receipts say, by `<data set>.<split>`."""
        return {
            f"{dataset}.{name}": digest
            for dataset, split in read
            for name, digest in content_in(Path(self.receipt_of(dataset, split))).items()
        }

    def missing_inputs(self, outputs: str | Sequence[str], inputs: Sequence[str]) -> list[str]:
        """`inputs`, or nothing where all `outputs` stand: a result is named by what decides it, so it is right.

        Without this a fresh clone with pulled results but no data would make all of them again as soon as a single
        new run asks for the data: Snakemake passes on to every dependent that a missing file is made.
        """
        names = [outputs] if isinstance(outputs, str) else outputs
        finished = self.trust_existing() and all(Path(name).exists() for name in names)
        return [] if finished else list(inputs)

    def inputs_of_motion(self, motion: str) -> list[str]:
        """What a motion estimate reads: frames, and the weights of a learned model."""
        spec = self.plan.motions[motion]
        trained = self.paths.motion_model_files(spec.model) if spec.model in self.plan.motion_models else []
        receipt = self.receipt_of(spec.dataset.key, spec.split)
        return self.missing_inputs(self.paths.motion(motion), [receipt, *trained])

    def inputs_of_motion_model(self, motion_model: str) -> list[str]:
        """What training a motion model reads."""
        receipts = self.plan.motion_models[motion_model].receipts
        inputs = [self.receipt_of(dataset, split) for dataset, split in receipts]
        return self.missing_inputs(self.paths.motion_model_files(motion_model), inputs)

    def inputs_of_synthesis(self, synthesis: str) -> list[str]:
        """What a synthesis reads: its motion, and the samples one step nearer to the key frame."""
        spec = self.plan.syntheses[synthesis]
        inputs = [
            self.receipt_of(spec.dataset.key, spec.split),
            self.paths.motion(self.plan.motion_of_synthesis(synthesis)),
        ]
        previous = self.plan.previous_synthesis(synthesis)
        if previous is not None:
            inputs.append(self.paths.synthesis(previous))
        return self.missing_inputs(self.paths.synthesis(synthesis), inputs)

    def inputs_of_score(self, score: str) -> list[str]:
        """What a score reads."""
        spec = self.plan.scores[score]
        syntheses = self.plan.syntheses_of_score(score).values()
        inputs = [
            self.receipt_of(spec.dataset.key, spec.split),
            self.paths.motion(self.plan.motion_of_score(score)),
            *(self.paths.synthesis(name) for name in syntheses),
        ]
        return self.missing_inputs(self.paths.score(score), inputs)

    def inputs_of_run(self, run: str) -> list[str]:
        """What a training run reads."""
        receipts = [self.receipt_of(dataset, split) for dataset, split in self.plan.receipts_of_run(run)]
        syntheses = [self.paths.synthesis(name) for name in self.plan.syntheses_of_run(run)]
        start = self.plan.runs[run].spec.start_from
        weights = [] if start is None else self.paths.trained(start)
        return self.missing_inputs(self.paths.trained(run), receipts + syntheses + weights)

    def inputs_of_evaluation(self, run: str, evaluation: str) -> list[str]:
        """What an evaluation reads: images, and the weights."""
        spec = self.plan.runs[run].spec
        inputs = [self.receipt_of(spec.dataset.key, spec.eval_split), *self.paths.trained(run)]
        return self.missing_inputs(self.paths.evaluation(run, evaluation), inputs)

    def inputs_of_probe(self, probe: str) -> list[str]:
        """What a probe reads: images, and the weights of the runs that it probes."""
        receipts = [self.receipt_of(dataset, split) for dataset, split in self.plan.receipts_of_probe(probe)]
        weights = [path for run in self.plan.probes[probe].spec.runs for path in self.paths.trained(run)]
        return self.missing_inputs(self.paths.probe(probe), receipts + weights)

    def inputs_of_report(self) -> list[str]:
        """Everything that the tables are made from."""
        evaluations = [self.paths.evaluation(run, self.plan.evaluation_name(run)) for run in self.plan.runs]
        scores = [self.paths.score(score) for score in self.plan.scores]
        probes = [self.paths.probe(probe) for probe in self.plan.probes]
        models = [path for name in self.plan.motion_models for path in self.paths.motion_model_files(name)]
        inputs = evaluations + scores + probes + models
        return self.missing_inputs(self.paths.tables(self.plan.experiment_id), inputs)

    def inputs_of_publication(self) -> list[str]:
        """The finished report whose copies are published."""
        report = self.plan.experiment_id
        return self.missing_inputs(self.paths.published(report), self.paths.tables(report) + self.paths.report(report))

    def targets(self) -> list[str]:
        """What a finished experiment has: its published report, and the census of timm if it asks for one."""
        census = [] if self.plan.census is None else [self.paths.census(self.plan.census.name)]
        return self.paths.published(self.plan.experiment_id) + census

    @property
    def fetch_runtime_min(self) -> int:
        """Longest fetch of this experiment."""
        return max(FETCH_MINUTES[dataset.info.access] for dataset in self.plan.datasets.values())

    def motion_runtime_min(self, motion: str) -> int:
        """A Cityscapes-size clip set at ±5 is 30,000 flows of half a second; small sets end within minutes."""
        return 24 * 60 if self.plan.config.scale == "paper" else 60

    def synthesis_runtime_min(self, synthesis: str) -> int:
        """One warp of 3,000 full-size frames takes minutes; writing them out takes longer."""
        return 4 * 60 if self.plan.config.scale == "paper" else 30

    def on_several_nodes(self, run: str, value: int) -> int | None:
        """`value` for a run on several nodes; None, which asks for nothing, for others."""
        return value if self.plan.runs[run].resources.nodes > 1 else None

    def training_cpus(self, run: str) -> int:
        """CPU cores of a training on each of its nodes."""
        planned = self.plan.runs[run]
        return _cpus(planned.resources, planned.spec.recipe.threads)

    def evaluation_cpus(self, run: str) -> int:
        """CPU cores of an evaluation: one process, however many trained."""
        planned = self.plan.runs[run]
        alone = {"gpus": min(1, planned.resources.gpus), "nodes": 1}
        return _cpus(planned.resources.model_copy(update=alone), planned.spec.recipe.threads)

    def motion_training_cpus(self, motion_model: str) -> int:
        """CPU cores of a motion model's training."""
        planned = self.plan.motion_models[motion_model]
        return _cpus(planned.resources, planned.spec.recipe.threads)

    def even_gpus(self, run: str) -> str | None:
        """What makes Slurm spread the GPUs of a run on several nodes evenly."""
        gpus = self.plan.runs[run].resources.gpus
        return f"--ntasks-per-node=1 --gpus-per-node={gpus}" if gpus and self.on_several_nodes(run, 1) else None

    def evaluation_runtime_min(self, run: str) -> int:
        """An evaluation is at most as long as one epoch, and jobs need a floor for start-up."""
        planned = self.plan.runs[run]
        return max(10, planned.resources.runtime_min // planned.spec.recipe.epochs)


def _cpus(resources: ResourcesConfig, threads: int) -> int:
    """CPU cores of a job on each of its nodes: those that load, and those that compute where no GPU does.

    A process that drives a GPU waits for it, so it counts only where nothing loads beside it.
    """
    return resources.gpus * max(1, resources.workers) if resources.gpus else threads + resources.workers


def _table_files(folder: str, kind: str) -> list[str]:
    return [f"{folder}/{kind}/{table}.{TABLE_FORMATS[kind]}" for table in TABLES]


def _all_table_files(folder: str) -> list[str]:
    return [path for kind in TABLE_FORMATS for path in _table_files(folder, kind)]


def growing(amount: int | Callable[[Any], int]) -> Callable[[Any, int], int]:
    """A resource that a job gets once more with each further attempt: memory or minutes that were not enough."""

    def of_attempt(wildcards: Any, attempt: int) -> int:
        return attempt * (amount if isinstance(amount, int) else amount(wildcards))

    return of_attempt


def write_snapshot(config: ExperimentConfig) -> Path:
    """Write the resolved configuration under a name that its content decides; jobs read this file.

    It lies outside of the experiment's folder: a dry run writes it too, and must not change what DVC tracks.
    """
    values = config.model_dump(mode="json")
    digest = sha256_of_json(values)[:HASH_LENGTH]
    path = Path(config.folders.artifacts) / "configs" / f"{config.experiment}-{digest}.yaml"
    if not path.exists():
        write_text(path, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    return path
