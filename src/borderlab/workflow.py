"""What Snakemake's rules ask: paths of results, what each needs, and how long it may take.

The rules hold no logic of their own; this module holds no rule. It imports neither snakemake nor torch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from borderlab.config.loading import check_config, load_config
from borderlab.config.schema import ExperimentConfig, FoldersConfig
from borderlab.errors import ConfigError
from borderlab.files import sha256_of_json, write_text
from borderlab.identity import HASH_LENGTH
from borderlab.plan import Plan, make_plan
from borderlab.report.names import TABLES

PUBLISHED_FILES = ("report.html", "summary.md", "metrics.json")
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

    def receipt(self, dataset_folder: str, split: str) -> str:
        """Proof that a split was fetched and verified."""
        return f"{self.folders.data}/receipts/{dataset_folder}/{split}.json"

    def motion(self, motion: str) -> str:
        """Manifest of estimated flows."""
        return f"{self.artifacts}/motion/{motion}/manifest.json"

    def synthesis(self, synthesis: str) -> str:
        """Manifest of propagated samples."""
        return f"{self.artifacts}/propagated/{synthesis}/manifest.json"

    def score(self, score: str) -> str:
        """Score of propagated labels."""
        return f"{self.artifacts}/scores/{score}/score.json"

    def run_folder(self, run: str) -> str:
        """Folder of a training run."""
        return f"{self.artifacts}/runs/{run}"

    def run_files(self, run: str) -> list[str]:
        """What a training run leaves."""
        names = ("identity.json", "spec.json", "training.json", "curve.csv", "provenance.json", "model.safetensors")
        return [f"{self.run_folder(run)}/{name}" for name in names]

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
        return [f"{self.report_folder(report)}/tables/{table}.csv" for table in TABLES]

    def report(self, report: str) -> list[str]:
        """Page, summary and metrics of an experiment."""
        return [f"{self.report_folder(report)}/{name}" for name in PUBLISHED_FILES]

    def published(self, report: str) -> list[str]:
        """Stable copies, and the stamp that says of which report."""
        tables = [f"{self.results}/tables/{table}.csv" for table in TABLES]
        pages = [f"{self.results}/{name}" for name in PUBLISHED_FILES]
        return [f"{self.results}/published-{report}.json", *pages, *tables]


@dataclass(frozen=True)
class Workflow:
    """A plan together with its paths and with what each result needs."""

    plan: Plan
    snapshot: str

    @classmethod
    def from_config(cls, values: Mapping[str, Any], sources: Sequence[Any]) -> "Workflow":
        """The workflow of the merged configuration that Snakemake holds; writes its snapshot.

        Raises:
            ConfigError: one line that names file and key.
        """
        source = ", ".join(str(path) for path in sources) or "config/smoke.yaml"
        config = check_config(dict(values), source)
        snapshot = write_snapshot(config)
        return cls(make_plan(config), str(snapshot))

    @classmethod
    def from_file(cls, path: Path) -> "Workflow":
        """The workflow of one configuration file or snapshot."""
        return cls(make_plan(load_config(path)), str(path))

    @cached_property
    def paths(self) -> Paths:
        """Paths of this experiment."""
        return Paths(self.plan.config.folders, self.plan.config.experiment)

    def dataset_of_folder(self, folder_name: str) -> str:
        """Key in `datasets` of the data set that lives in `folder_name`."""
        for key, dataset in self.plan.datasets.items():
            if dataset.folder_name == folder_name:
                return key
        raise ConfigError(f"no data set of this experiment lives in {folder_name!r}")

    def receipt_of(self, dataset: str, split: str) -> str:
        """Receipt of a split, by the data set's key."""
        return self.paths.receipt(self.plan.datasets[dataset].folder_name, split)

    def inputs_of_motion(self, motion: str) -> list[str]:
        """What a motion estimate reads."""
        spec = self.plan.motions[motion]
        return [self.receipt_of(spec.dataset.key, spec.split)]

    def inputs_of_synthesis(self, synthesis: str) -> list[str]:
        """What a synthesis reads: its motion, and the samples one step nearer to the key frame."""
        spec = self.plan.syntheses[synthesis]
        inputs = [
            self.receipt_of(spec.dataset.key, spec.split),
            self.paths.motion(self.plan.motion_of_synthesis(synthesis)),
        ]
        previous = self.plan.previous_synthesis(synthesis)
        return inputs if previous is None else [*inputs, self.paths.synthesis(previous)]

    def inputs_of_score(self, score: str) -> list[str]:
        """What a score reads."""
        spec = self.plan.scores[score]
        syntheses = self.plan.syntheses_of_score(score).values()
        return [
            self.receipt_of(spec.dataset.key, spec.split),
            self.paths.motion(self.plan.motion_of_score(score)),
            *(self.paths.synthesis(name) for name in syntheses),
        ]

    def inputs_of_run(self, run: str) -> list[str]:
        """What a training run reads."""
        receipts = [self.receipt_of(dataset, split) for dataset, split in self.plan.receipts_of_run(run)]
        start = self.plan.runs[run].spec.start_from
        weights = [] if start is None else self.paths.run_files(start)
        return receipts + [self.paths.synthesis(name) for name in self.plan.syntheses_of_run(run)] + weights

    def inputs_of_probe(self, probe: str) -> list[str]:
        """What a probe reads: images, and the weights of the runs that it probes."""
        receipts = [self.receipt_of(dataset, split) for dataset, split in self.plan.receipts_of_probe(probe)]
        runs = self.plan.probes[probe].spec.runs
        return receipts + [path for run in runs for path in self.paths.run_files(run)]

    def inputs_of_report(self) -> list[str]:
        """Everything that the tables are made from."""
        evaluations = [self.paths.evaluation(run, self.plan.evaluation_name(run)) for run in self.plan.runs]
        scores = [self.paths.score(score) for score in self.plan.scores]
        return evaluations + scores + [self.paths.probe(probe) for probe in self.plan.probes]

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

    def evaluation_runtime_min(self, run: str) -> int:
        """An evaluation is at most as long as one epoch, and jobs need a floor for start-up."""
        planned = self.plan.runs[run]
        return max(10, planned.resources.runtime_min // planned.spec.recipe.epochs)


def growing(amount: int | Callable[[Any], int]) -> Callable[[Any, int], int]:
    """A resource that a job gets once more with each further attempt: memory or minutes that were not enough."""

    def of_attempt(wildcards: Any, attempt: int) -> int:
        return attempt * (amount if isinstance(amount, int) else amount(wildcards))

    return of_attempt


def write_snapshot(config: ExperimentConfig) -> Path:
    """Write the resolved configuration under a name that its content decides; jobs read this file."""
    values = config.model_dump(mode="json")
    digest = sha256_of_json(values)[:HASH_LENGTH]
    path = Path(config.folders.artifacts) / config.experiment / "configs" / f"{digest}.yaml"
    if not path.exists():
        write_text(path, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    return path
