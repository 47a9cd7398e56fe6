"""A finished experiment as an RO-Crate: workflow, configuration, results, and the run that led from one to the other.

Source: Workflow Run Crate profile 0.5 (https://w3id.org/ro/wfrun/workflow/0.5), on Workflow RO-Crate 1.0.
"""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from borderlab.errors import RunError
from borderlab.files import atomic_folder
from borderlab.report.settings import slug
from borderlab.workflow import Workflow

# The profiles build on this version of RO-Crate.
_RO_CRATE = "1.1"
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
_LICENCE = "https://www.apache.org/licenses/LICENSE-2.0"
_CODE = ("workflow", "constraints.txt", "pyproject.toml", "LICENSE")


def write_crate(workflow: Workflow, snakefile: Path, folder: Path) -> None:
    """Write the crate of a published experiment to `folder`, whole or not at all.

    Args:
        workflow: the experiment.
        snakefile: its Snakefile; rules, constraints and licence lie beside it.
        folder: the crate; an older one is replaced.

    Raises:
        RunError: if the experiment is not published as it is configured, the Snakefile is missing, or `folder` holds
            anything but a crate.
    """
    _check_is_free(folder)
    published = [Path(path) for path in workflow.paths.published(workflow.plan.experiment_id)]
    if not snakefile.is_file():
        raise RunError(f"{snakefile}: is missing; stand in the project's top folder, or name it by --snakefile")
    for path in published:
        if not path.is_file():
            raise RunError(f"{path}: is missing: this code's report is not published; run the experiment to its end")
    crate = ROCrate(version=_RO_CRATE)
    _describe(crate, workflow)
    main = crate.add_workflow(snakefile, "Snakefile", main=True, lang="snakemake", lang_version=version("snakemake"))
    main["name"] = "Borderlab"
    main["license"] = {"@id": _LICENCE}
    main["encodingFormat"] = _FORMATS[".smk"]
    for name in _CODE:
        _add(crate, snakefile.parent / name, name)
    _add_readme(crate, snakefile.parent / "README.md")
    results = Path(workflow.paths.results)
    config = crate.add_file(workflow.snapshot, "config.yaml", properties=_file("Configuration", _FORMATS[".yaml"]))
    made = [crate.add_file(path, f"results/{path.relative_to(results)}", properties=_named(path)) for path in published]
    action = crate.add_action(main, object=[config], result=made, properties=_times(results / "tables" / "runs.csv"))
    action["name"] = f"Run of {workflow.plan.config.title}"
    action["description"] = f"snakemake --configfile {workflow.snapshot}: from data to published tables and report."
    runs = pd.read_csv(results / "tables" / "runs.csv", keep_default_na=False, dtype=str)
    _describe_making(crate, main, action, runs)
    crate.root_dataset["mentions"] = [action]
    with atomic_folder(folder) as part:
        crate.write(part)


def _check_is_free(folder: Path) -> None:
    """What is no crate would be lost."""
    is_crate = (folder / "ro-crate-metadata.json").is_file()
    is_empty = folder.is_dir() and not any(folder.iterdir())
    if folder.exists() and not is_crate and not is_empty:
        raise RunError(f"{folder}: is there, and is no RO-Crate; name a new folder, or remove it")
    if folder.resolve() == Path.cwd():
        raise RunError(f"{folder}: is the current folder, which cannot be replaced; name another")


def _describe(crate: ROCrate, workflow: Workflow) -> None:
    config = workflow.plan.config
    crate.name = config.title
    crate.description = f"{config.description or config.title} Scale: {config.scale}."
    licence = {"@type": "CreativeWork", "name": "Apache License 2.0", "identifier": "Apache-2.0"}
    crate.license = crate.add(ContextEntity(crate, _LICENCE, properties=licence))
    profiles = [
        crate.add(ContextEntity(crate, address, properties={"@type": "CreativeWork", "name": name, "version": number}))
        for address, (name, number) in _PROFILES.items()
    ]
    crate.root_dataset["conformsTo"] = profiles


def _describe_making(crate: ROCrate, main: Any, action: Any, runs: pd.DataFrame) -> None:
    """Commits and local changes of the code, lock file, and what the trainings used."""
    main["version"] = "; ".join(sorted({commit for commit in runs["git_commit"] if commit})) or "no checkout"
    crate.metadata.extra_terms["resourceUsage"] = "https://w3id.org/ro/terms/workflow-run#resourceUsage"
    facts = {
        "local changes of the code (SHA-256 of each diff)": _distinct(runs["git_diff_sha256"]),
        "lock file constraints.txt (SHA-256)": _distinct(runs["constraints_sha256"]),
        "installed packages (SHA-256 of names and versions)": _distinct(runs["environment_sha256"]),
    }
    action["additionalProperty"] = [_property(crate, *fact) for fact in facts.items()]
    used = {name: runs[name][runs[name] != ""].astype(float) for name in ("wall_time_s", "cpu_time_s", "energy_j")}
    action["resourceUsage"] = [
        _property(crate, f"{name}, all trainings", round(float(values.sum()), 3) if len(values) else "not measurable")
        for name, values in used.items()
    ]


def _distinct(column: "pd.Series[str]") -> str:
    return "; ".join(sorted({value for value in column if value})) or "none"


def _property(crate: ROCrate, name: str, value: str | float) -> Any:
    identity = f"#{slug(name)}"
    fact = {"@type": "PropertyValue", "name": name, "value": value}
    return crate.add(ContextEntity(crate, identity, properties=fact))


def _add(crate: ROCrate, path: Path, name: str) -> None:
    """Add a file, or every file below a folder; nothing where there is neither."""
    if path.is_file():
        crate.add_file(path, name, properties=_named(path))
    for inner in sorted(path.iterdir()) if path.is_dir() else ():
        _add(crate, inner, f"{name}/{inner.name}")


def _add_readme(crate: ROCrate, path: Path) -> None:
    if path.is_file():
        readme = crate.add_file(path, path.name, properties=_named(path))
        readme["about"] = crate.root_dataset


def _times(runs: Path) -> dict[str, Any]:
    """Start of the first training job and end of the last one."""
    table = pd.read_csv(runs, dtype={"started": str, "ended": str})
    if table.empty:
        return {"endTime": datetime.now(UTC).isoformat(timespec="seconds")}
    starts, ends = ([datetime.fromisoformat(text) for text in table[name]] for name in ("started", "ended"))
    return {
        name: time.isoformat(timespec="seconds") for name, time in (("startTime", min(starts)), ("endTime", max(ends)))
    }


_FORMATS = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".rst": "text/x-rst",
    ".smk": "text/x-python",
    ".tex": "application/x-tex",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
}


def _named(path: Path) -> dict[str, str]:
    return _file(path.name, _FORMATS.get(path.suffix, "text/plain"))


def _file(name: str, encoding: str) -> dict[str, str]:
    return {"name": name, "encodingFormat": encoding}
