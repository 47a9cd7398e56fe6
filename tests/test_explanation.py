"""Two identities compared part by part."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.workflow.running import TINY, write_config
from typer.testing import CliRunner

from borderlab.cli import app
from borderlab.errors import DataError
from borderlab.explanation import Difference, differences, flattened, read_identity, siblings, write_identity
from borderlab.identity import Identity
from borderlab.workflow import Workflow

ONE = Identity({"seed": 0, "recipe": {"lr": 0.1, "scale": [1, 2]}}, {"borderlab.a": "1" * 64}, {"torch": "2.13.0"})


def test_hash_survives_the_file(tmp_path: Path) -> None:
    write_identity(ONE, tmp_path / "new" / "folder")
    assert read_identity(tmp_path / "new" / "folder") == ONE
    assert read_identity(tmp_path / "new" / "folder").short_hash == ONE.short_hash


def test_equal_identities_do_not_differ() -> None:
    assert differences(ONE, ONE) == []


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Identity({**ONE.spec, "seed": 1}, ONE.code, ONE.libraries), Difference("setting", "seed", "0", "1")),
        (
            Identity({"seed": 0, "recipe": {"lr": 0.2, "scale": [1, 2]}}, ONE.code, ONE.libraries),
            Difference("setting", "recipe.lr", "0.1", "0.2"),
        ),
        (
            Identity(ONE.spec, {"borderlab.a": "2" * 64}, ONE.libraries),
            Difference("code", "borderlab.a", "11111111", "22222222"),
        ),
        (Identity(ONE.spec, {}, ONE.libraries), Difference("code", "borderlab.a", "11111111", "absent")),
        (Identity(ONE.spec, ONE.code, {"torch": "2.14.0"}), Difference("library", "torch", "2.13.0", "2.14.0")),
    ],
)
def test_each_kind_of_difference_is_named(other: Identity, expected: Difference) -> None:
    assert differences(ONE, other) == [expected]
    assert ONE.short_hash != other.short_hash


def test_leaves_have_dotted_names() -> None:
    assert list(flattened(ONE.spec)) == [("seed", "0"), ("recipe.lr", "0.1"), ("recipe.scale", "[1, 2]")]


def test_siblings_differ_in_the_hash_alone(tmp_path: Path) -> None:
    for name in ("zeros-seed0-aaaaaaaa", "zeros-seed0-bbbbbbbb", "zeros-seed0-more-cccccccc", "zeros-seed1-aaaaaaaa"):
        write_identity(ONE, tmp_path / name)
    (tmp_path / "zeros-seed0-dddddddd").mkdir()
    assert siblings(tmp_path / "zeros-seed0-aaaaaaaa") == [tmp_path / "zeros-seed0-bbbbbbbb"]


def test_folder_without_an_identity_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{tmp_path}: is no run of this experiment, and no folder of one"):
        read_identity(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"spec": {}}'])
def test_unsound_identity_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "identity.json").write_text(text)
    with pytest.raises(DataError, match=rf"{tmp_path}/identity\.json: cannot be read .*; make the run again"):
        read_identity(tmp_path)


def test_motion_models_are_explained_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = Workflow.from_file(tmp_path / write_config(tmp_path, TINY)).plan
    (name,) = plan.motion_models
    twin = f"{name[:-8]}00000000"
    seeded = replace(plan.motion_models[name].identity, spec={**plan.motion_models[name].identity.spec, "seed": 7})
    write_identity(seeded, tmp_path / "artifacts" / "tiny" / "motion_models" / twin)
    done = CliRunner().invoke(app, ["explain", name, "--config", "tiny.yaml"], catch_exceptions=False)
    assert done.stdout.startswith(f"{name}: {name[-8:]} is the hash of\n")
    assert ", borderlab.motion.learned.run, " in done.stdout
    assert ", timm 1." in done.stdout
    assert done.stdout.endswith("\n  setting seed: 0 -> 7\n")


def test_copies_of_data_differ_where_both_are_known() -> None:
    read, other = (replace(ONE, data={"imagenet.train": digit * 64}) for digit in "12")
    assert differences(read, other) == [Difference("data", "imagenet.train", "11111111", "22222222")]
    assert differences(ONE, other) == []
    assert read.short_hash == other.short_hash
