"""`--profile profiles/cluster-generic` against stand-ins for PBS's commands: no PBS is at hand."""

import copy
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.workflow.running import ROOT, TINY, run, write_config

pytestmark = pytest.mark.workflow

pytest.importorskip("snakemake_executor_plugin_cluster_generic", reason="needs the generic extra")

# A job of 200 MB is killed when it starts, as PBS kills one that needs more.
QSUB = r"""#!/bin/sh
folder=$(dirname "$0")
id=$$
echo "$@" > "$folder/$id.asked"
[ ! -f edited.yaml ] || cp edited.yaml tiny.yaml
for script; do :; done
case "$*" in
    *mem=200mb*) echo 137 > "$folder/$id.ended" ;;
    *) (setsid sh -c 'sh "$1"; echo $? > "$2.part"; mv "$2.part" "$2"' - "$script" "$folder/$id.ended" \
            > /dev/null 2>&1 &) ;;
esac
echo "$id"
"""
QSTAT = """#!/bin/sh
folder=$(dirname "$0")
for id; do :; done
echo "Job Id: $id"
if [ -f "$folder/$id.ended" ]; then
    echo "    job_state = F"
    echo "    Exit_status = $(cat "$folder/$id.ended")"
else
    echo "    job_state = R"
fi
"""


def test_jobs_ask_for_their_resources_and_come_back_with_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone, commands = tmp_path / "borderlab", tmp_path / "bin"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    commands.mkdir()
    for name, text in {"qsub": QSUB, "qstat": QSTAT}.items():
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(commands), prepend=":")
    values = copy.deepcopy(TINY)
    values["studies"][0].update(padding_modes=["zeros"], propagation=["none"])  # type: ignore[index]
    values["studies"][0]["resources"] = {"mem_mb": 200, "runtime_min": 30}  # type: ignore[index]
    values["propagation_quality"] = []
    write_config(clone, values)
    # Somebody goes on editing the configuration while jobs wait: they are those of the one that was planned.
    edited = copy.deepcopy(values)
    edited["recipes"] = {name: {**recipe, "epochs": 7} for name, recipe in values["recipes"].items()}
    (clone / "edited.yaml").write_text(yaml.safe_dump(edited))
    profile = ("--profile", "profiles/cluster-generic", "--seconds-between-status-checks", "1")
    done = run("snakemake", *profile, "--until", "train_network", "--configfile", "tiny.yaml", folder=clone)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "epochs: 7" in (clone / "tiny.yaml").read_text()
    (weights,) = clone.glob("artifacts/tiny/runs/*/*/model.safetensors")
    assert json.loads((weights.parent / "spec.json").read_text())["recipe"]["epochs"] != 7
    asked = sorted(path.read_text() for path in commands.glob("*.asked"))
    assert len([line for line in asked if "-N fetch_dataset" in line]) == 2
    trainings = [line for line in asked if "-N train_network" in line]
    assert ["walltime=30:00" in line and "mem=200mb:ngpus=0" in line for line in trainings].count(True) == 1
    assert ["walltime=60:00" in line and "mem=400mb:ngpus=0" in line for line in trainings].count(True) == 1
    assert len(trainings) == 2


@pytest.mark.parametrize(
    ("answer", "status", "found"),
    [
        ("qstat: cannot connect to server", 1, "running"),
        ("qstat: Unknown Job Id 7.pbs", 153, "failed"),
        ("    job_state = R", 0, "running"),
        ("    job_state = F\n    Exit_status = 0", 0, "success"),
        ("    job_state = F\n    Exit_status = 271", 0, "failed"),
    ],
)
def test_a_job_is_given_up_only_if_pbs_says_so(tmp_path: Path, answer: str, status: int, found: str) -> None:
    """Submitted again while it still runs, a training would have two processes in one folder."""
    qstat = tmp_path / "qstat"
    qstat.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\nexit {status}\n")
    qstat.chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    script = ROOT / "profiles" / "cluster-generic" / "status.sh"
    done = subprocess.run([script, "7"], env={"PATH": path}, capture_output=True, text=True, check=True)
    assert done.stdout == f"{found}\n"
