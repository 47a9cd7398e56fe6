"""What a finished experiment is good for: a number made again, and a crate of all of it."""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from rocrate.rocrate import ROCrate
from tests.workflow.running import ROOT, run, snakemake

pytestmark = pytest.mark.workflow

SNAKEFILE = ("--snakefile", str(ROOT / "Snakefile"))


def test_a_number_is_made_again_bit_for_bit(tiny_run: Path) -> None:
    done = run("borderlab", "verify", "runs:2", "--config", "tiny.yaml", "--cores", "2", *SNAKEFILE, folder=tiny_run)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "1 of 1 runs agree bit for bit; 0 values differ" in done.stdout


def test_snakemakes_own_report_shows_the_whole_dag(tiny_run: Path) -> None:
    stamps = {path: path.stat().st_mtime_ns for path in (tiny_run / "results").rglob("*") if path.is_file()}
    done = snakemake(tiny_run, "--configfile", "tiny.yaml", "--forceall", "--report", "dag.zip")
    assert done.returncode == 0, done.stderr[-3000:]
    with ZipFile(tiny_run / "dag.zip") as archive:
        text = "\n".join(archive.read(name).decode(errors="replace") for name in archive.namelist())
    for shown in ("train_network", "estimate_motion", "publish_results", "summary.csv", "Tidy tables"):
        assert shown in text
    # Nothing was made again, whatever --forceall says.
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


def test_a_published_experiment_becomes_a_crate(tiny_run: Path, tmp_path: Path) -> None:
    done = run("borderlab", "crate", str(tmp_path / "crate"), "--config", "tiny.yaml", *SNAKEFILE, folder=tiny_run)
    assert done.returncode == 0, done.stderr
    crate = ROCrate(tmp_path / "crate")
    main = crate.mainEntity
    assert {"File", "SoftwareSourceCode", "ComputationalWorkflow"} <= set(main.type)
    assert main["programmingLanguage"].id.endswith("#snakemake")
    profiles = {profile.id for profile in crate.root_dataset["conformsTo"]}
    assert "https://w3id.org/ro/wfrun/workflow/0.5" in profiles
    (action,) = crate.root_dataset["mentions"]
    assert action.type == "CreateAction"
    assert action["instrument"].id == main.id
    assert action["startTime"] <= action["endTime"]
    usage = {fact["name"]: fact["value"] for fact in action["resourceUsage"]}
    assert float(usage["wall_time_s, all trainings"]) > 0
    assert usage["energy_j, all trainings"] == "not measurable" or float(usage["energy_j, all trainings"]) >= 0
    (installed,) = [fact["value"] for fact in action["additionalProperty"] if "packages" in fact["name"]]
    assert len(installed) == 64
    named = {entity.id for entity in action["result"]}
    assert {"results/tables/runs.csv", "results/report.html", "results/tables.tex"} <= named
    # Every file that the crate names lies in it.
    graph = json.loads((tmp_path / "crate" / "ro-crate-metadata.json").read_text())["@graph"]
    files = {entity["@id"]: entity for entity in graph if "File" in str(entity["@type"])}
    assert {"README.md", "workflow/rules/training.smk", "constraints.txt"} <= files.keys()
    for name, entity in files.items():
        assert (tmp_path / "crate" / name).is_file()
        assert "/" in entity["encodingFormat"]
