"""Every wrong configuration stops with one line that names file, key, what was given and what is allowed."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from borderlab.config.loading import check_config, load_config
from borderlab.config.schema import merge
from borderlab.errors import ConfigError
from borderlab.plan import make_plan

GOOD: dict[str, Any] = {
    "experiment": "trial",
    "title": "Trial",
    "scale": "smoke",
    "datasets": {"digits": None, "streets": {"options": {"clips_train": 2}}},
    "recipes": {
        "small": {"evaluation": {"resize": 32, "crop": [32, 32]}},
        "longer": {"base": "small", "epochs": 50, "evaluation": {"resize": 40}},
    },
    "studies": [
        {
            "name": "digits",
            "dataset": "digits",
            "recipe": "small",
            "backbones": ["resnet18"],
            "padding_modes": ["zeros", "partial"],
        },
        {
            "name": "streets",
            "dataset": "streets",
            "recipe": "small",
            "backbones": [{"name": "tf_efficientnet_lite0", "weights": "wheel"}],
            "padding_modes": ["zeros"],
            "keyframes": {"stride": 10, "offset": 5},
            "propagation": ["none", {"kind": "joint", "motion": "dis_fast", "max_distance": 3}],
            "losses": ["cross_entropy", {"name": "relaxed"}],
        },
    ],
}


def changed(*path: Any, value: Any) -> dict[str, Any]:
    values = copy.deepcopy(GOOD)
    place = values
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return values


def test_good_configuration_passes() -> None:
    config = check_config(GOOD, "trial.yaml")
    assert config.studies[1].propagation[0] is None
    assert config.studies[0].backbones[0].weights == "random"


def test_base_fills_in_and_own_keys_win() -> None:
    longer = check_config(GOOD, "trial.yaml").recipes["longer"]
    assert (longer.epochs, longer.evaluation.resize, longer.evaluation.crop) == (50, 40, (32, 32))


def test_merge_replaces_lists_and_merges_dictionaries() -> None:
    assert merge({"a": {"b": 1, "c": [1, 2]}}, {"a": {"c": [3]}}) == {"a": {"b": 1, "c": [3]}}


@pytest.mark.parametrize(
    ("path", "value", "key", "given", "allowed"),
    [
        (("studis",), 1, "studis", "unknown key", "studies"),
        (("studies", 0, "padding_mode"), ["zeros"], "studies[0].padding_mode", "unknown key", "padding_modes"),
        (("studies", 0, "padding_modes"), ["zero"], "padding_modes[0]", "'zero'", "zeros"),
        (("studies", 0, "backbones"), ["resnet_18"], "backbones[0].name", "'resnet_18'", "resnet18"),
        (("studies", 0, "backbones"), [{"name": "resnet18", "weights": "wheel"}], "weights", "'wheel'", "lite0"),
        (("studies", 0, "dataset"), "digit", "studies[0] (digits).dataset", "'digit'", "digits"),
        (("studies", 0, "recipe"), "large", "recipe", "'large'", "small"),
        (("studies", 0, "train_split"), "training", "train_split", "'training'", "train"),
        (("studies", 0, "losses"), ["relaxed"], "losses[0].name", "'relaxed'", "cross_entropy"),
        (("studies", 0, "propagation"), [{"kind": "label"}], "propagation[0]", "keyframes", "add it"),
        (("studies", 1, "losses"), ["focal"], "losses[0].name", "'focal'", "relaxed"),
        (("studies", 1, "propagation"), [{"kind": "label", "motion": "raft9"}], "motion", "'raft9'", "dis_medium"),
        (("studies", 1, "propagation"), [{"kind": "both"}], "studies[1].propagation[0].kind", "'both'", "joint"),
        (("studies", 1, "propagation"), [{"kind": "label", "max_distance": 6}], "max_distance", "6", "at most 5"),
        (("studies", 1, "name"), "digits", "studies[1].name", "'digits'", "must differ"),
        (("datasets", "mnist"), None, "datasets.mnist", "'mnist'", "fashion_mnist"),
        (("datasets", "streets"), {"options": {"clips_train": 0}}, "datasets.streets.options", "0", "greater"),
        (("datasets", "streets"), {"content": {"trian": "0" * 64}}, "streets.content", "'trian'", "train_video"),
        (("recipes", "small"), {"batch_size": 0}, "recipes.small.batch_size", "0", "greater than or equal to 1"),
        (("recipes", "small"), {"lr": "fast"}, "recipes.small.lr", "'fast'", "number"),
        (("recipes", "small"), {"base": "tiny"}, "recipes", "'tiny'", "longer, small"),
        (("recipes", "small"), {"base": "longer"}, "recipes", "based on itself", ""),
        (("recipes", "small", "label_smoothing"), 0.1, "losses[1].name", "'relaxed'", "set it to 0"),
        (("seeds",), [], "seeds", "[]", "at least 1"),
        (("seeds",), [1, 0, 1], "seeds", "[1, 0, 1]", "each once"),
        (("studies", 0, "seeds"), [2, 2], "studies[0] (digits).seeds", "[2, 2]", "each once"),
        (("scale",), "huge", "scale", "'huge'", "paper"),
        (("seeds",), [2**31], "seeds", "2147483648", "less than 2147483648"),
        (("studies", 0, "seeds"), [], "studies[0].seeds", "[]", "at least 1"),
        (("recipes", "small"), {"base": ["longer"]}, "recipes", "'small'", "must be the name of a recipe"),
        (("recipes", "small", "lr"), float("inf"), "config/trial.yaml", "holds .inf or .nan", "must be finite"),
        (("recipes", "small", "augment"), {"scale": [float("nan"), 1]}, "", ".nan", "must be finite"),
        (("recipes", "small", "augment"), {"scale": [0, 0]}, "'small'.augment.scale", "[0, 0]", "above 0"),
        (("recipes", "small", "augment"), {"aspect": [2, 1]}, "'small'.augment.aspect", "[2, 1]", "smaller one first"),
        (
            ("recipes", "small"),
            {"evaluation": {"crop": [32, 32]}, "nesterov": True, "momentum": 0},
            *("'small' has nesterov", "without momentum", "above 0"),
        ),
        (("recipes", "small", "aspp_rates"), [0, 6], "'small'.aspp_rates", "[0, 6]", "from 1"),
    ],
)
def test_wrong_value_is_one_line(path: tuple[Any, ...], value: Any, key: str, given: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_config(changed(*path, value=value), "config/trial.yaml")
    message = str(caught.value)
    assert message.startswith("config/trial.yaml: ")
    assert "\n" not in message
    for part in (key, given, allowed):
        assert part in message


def test_missing_key_is_named() -> None:
    values = copy.deepcopy(GOOD)
    del values["title"]
    with pytest.raises(ConfigError, match=r"^trial.yaml: title: is missing$"):
        check_config(values, "trial.yaml")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read"):
        load_config(tmp_path / "nowhere.yaml")


def test_file_that_is_no_yaml_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("a: [1, 2\nb: 3\n")
    with pytest.raises(ConfigError, match="is not YAML") as caught:
        load_config(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 2\n  d: 3\n  c: 4\n", "line 5: 'c' stands in line 3 already; keep one of them"),
        ("a: {x: 1, x: 2}\n", "line 1: 'x' stands in line 1 already; keep one of them"),
        ("a: [{x: 1}, {y: 1, y: 1}]\n", "line 1: 'y' stands in line 1 already; keep one of them"),
        ('{"a": 1,\n "a": 2}\n', "line 2: 'a' stands in line 1 already; keep one of them"),
    ],
)
def test_a_key_given_twice_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value) == f"{path}: {message}"


def test_keys_that_replace_merged_ones_pass(tmp_path: Path) -> None:
    """Aliases and merges: a key beside `<<` replaces what the merge brings, also where that was merged itself."""
    path = tmp_path / "merged.yaml"
    values = {key: value for key, value in GOOD.items() if key != "recipes"}
    one = "recipes:\n  one: &one {epochs: 2, evaluation: {crop: [32, 32]}}\n"
    others = "  two: &two {<<: *one, epochs: 3}\n  small: {<<: *two, epochs: 4}\n"
    path.write_text(yaml.safe_dump(values) + one + others)
    config = load_config(path)
    assert [config.recipes[name].epochs for name in ("one", "two", "small")] == [2, 3, 4]


def test_file_in_another_encoding_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes("title: Größe\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"latin\.yaml: is not UTF-8 \(byte 9\); save it as UTF-8"):
        load_config(path)


def test_file_that_holds_a_list(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("- 1\n")
    with pytest.raises(ConfigError, match="must hold keys and values"):
        load_config(path)


def test_two_keys_of_one_data_set_share_its_motion_and_samples() -> None:
    values = changed(
        "datasets", "copy", value={"name": "streets", "options": {"clips_train": 2}, "folder": "/elsewhere"}
    )
    quality = {"split": "val", "keyframes": {"stride": 11, "offset": 5}, "motions": ["copy"], "max_distance": 2}
    values["propagation_quality"] = [{"dataset": "streets", **quality}, {"dataset": "copy", **quality}]
    plan = make_plan(check_config(values, "trial.yaml"))
    assert len({plan.motion_of_score(score) for score in plan.scores}) == 1
    assert len(plan.scores) == 2


def test_scores_may_differ_in_the_published_codes_choices_alone() -> None:
    quality = {"split": "val", "keyframes": {"stride": 11, "offset": 5}, "motions": ["copy"], "max_distance": 2}
    entries = [{"dataset": "streets", **quality, "reference": choices} for choices in ([], ["nearest_images"])]
    plan = make_plan(check_config({**GOOD, "propagation_quality": entries}, "trial.yaml"))
    assert len(plan.scores) == 2
    with pytest.raises(ConfigError, match="scored by an earlier entry"):
        check_config({**GOOD, "propagation_quality": [entries[0]] * 2}, "trial.yaml")


@pytest.mark.parametrize("name", ["smoke", "camvid", "imagenette", "imagenette_gpu", "paper"])
def test_shipped_configurations_are_right(repository: Path, name: str) -> None:
    config = load_config(repository / "config" / f"{name}.yaml")
    assert config.experiment == name
    round_trip = check_config(yaml.safe_load(yaml.safe_dump(config.model_dump(mode="json"))), "snapshot")
    assert round_trip == config
