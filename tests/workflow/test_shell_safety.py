"""Values of a configuration reach commands as words, never as shell code; passwords reach no file and no message."""

import copy
from pathlib import Path

import pytest
from tests.workflow.running import TINY, run, snakemake, write_config

pytestmark = pytest.mark.workflow

EVIL = "a b;touch pwned1;$(touch pwned2)`touch pwned3`'|touch pwned4&"
MIRRORS = ("https://someone:hunter2@mirror.example/data", "https://mirror.example/data?token=hunter2")


def pwned(folder: Path) -> list[Path]:
    return list(folder.rglob("pwned[0-9]"))


def test_free_text_is_one_word_of_a_command(tmp_path: Path) -> None:
    values = copy.deepcopy(TINY)
    values.update(folders={"data": EVIL, "artifacts": f"made {EVIL}"}, census=EVIL)
    write_config(tmp_path, values)
    done = snakemake(tmp_path, "--until", "fetch_dataset", "--configfile", "tiny.yaml")
    assert done.returncode == 0, done.stderr[-3000:]
    assert list((tmp_path / EVIL).glob("receipts/streets-*/train.json"))
    # No architecture has such a name: the job says so.
    done = snakemake(tmp_path, "--until", "count_padding", "--configfile", "tiny.yaml")
    assert done.returncode != 0
    assert pwned(tmp_path) == []


@pytest.mark.parametrize(
    "place", ["experiment", "study", "dataset", "recipe", "motion model", "backbone", "padding", "probe"]
)
def test_names_are_letters_and_digits(tmp_path: Path, place: str) -> None:
    values = copy.deepcopy(TINY)
    if place == "experiment":
        values["experiment"] = EVIL
    elif place == "study":
        values["studies"][0]["name"] = EVIL  # type: ignore[index]
    elif place == "dataset":
        values["datasets"][EVIL] = values["datasets"]["streets"]  # type: ignore[index]
    elif place == "recipe":
        values["recipes"][EVIL] = values["recipes"]["tiny"]  # type: ignore[index]
    elif place == "motion model":
        values["motion_models"][EVIL] = values["motion_models"]["rebuild"]  # type: ignore[index]
    elif place == "backbone":
        values["studies"][0]["backbones"] = [EVIL]  # type: ignore[index]
    elif place == "padding":
        values["studies"][0]["padding_modes"] = [EVIL]  # type: ignore[index]
    else:
        values["probes"][0]["name"] = EVIL  # type: ignore[index]
    write_config(tmp_path, values)
    done = run("borderlab", "plan", "--config", "tiny.yaml", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("borderlab: error: tiny.yaml: ")
    assert done.stderr.count("\n") == 1
    assert pwned(tmp_path) == []


@pytest.mark.parametrize("mirror", MIRRORS)
def test_password_in_a_configuration_is_refused_and_not_repeated(tmp_path: Path, mirror: str) -> None:
    values = copy.deepcopy(TINY)
    values["datasets"]["streets"]["mirror"] = mirror  # type: ignore[index]
    write_config(tmp_path, values)
    done = snakemake(tmp_path, "-n", "--configfile", "tiny.yaml")
    assert done.returncode != 0
    assert "BORDERLAB_MIRROR_" in done.stderr
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "tiny.yaml"]
    assert not [path for path in written if b"hunter2" in path.read_bytes()]
    assert "hunter2" not in done.stderr + done.stdout


def test_passwords_of_the_environment_stay_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Port 9 of this host: nobody listens.
    monkeypatch.setenv("BORDERLAB_MIRROR_CIFAR10", "http://someone:hunter2@127.0.0.1:9/data")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter3")
    values = copy.deepcopy(TINY)
    values["studies"][0].update(padding_modes=["zeros"], propagation=["none"])  # type: ignore[index]
    values.update(propagation_quality=[], probes=[])
    write_config(tmp_path, values)
    done = snakemake(tmp_path, "--until", "evaluate_network", "--verbose", "--configfile", "tiny.yaml")
    assert done.returncode == 0, done.stderr[-3000:]
    write_config(tmp_path, {**values, "datasets": {**values["datasets"], "cifar10": None}}, "more.yaml")  # type: ignore[dict-item]
    failed = run("borderlab", "fetch", "cifar10", "--config", "more.yaml", folder=tmp_path)
    assert failed.returncode == 2
    text = done.stdout + done.stderr + failed.stdout + failed.stderr
    contents = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for secret in ("hunter2", "hunter3"):
        assert secret not in text
        assert not [content for content in contents if secret.encode() in content]
