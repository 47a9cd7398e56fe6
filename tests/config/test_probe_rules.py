"""Wrong probes stop with one line, before a job is planned."""

from typing import Any

import pytest
from tests.config.test_config_loading import GOOD

from borderlab.config.loading import check_config
from borderlab.errors import ConfigError

LITE0 = {"name": "tf_efficientnet_lite0", "weights": "wheel"}


def with_probes(*probes: dict[str, Any]) -> dict[str, Any]:
    return {**GOOD, "probes": [{"name": "one", "padding_modes": ["zeros"], **probe} for probe in probes]}


def test_probes_of_studies_and_of_backbones_are_right() -> None:
    config = check_config(
        with_probes({"study": "digits"}, {"name": "two", "backbones": [LITE0, "resnet18"], "dataset": "streets"}), "x"
    )
    assert [probe.name for probe in config.probes] == ["one", "two"]
    assert config.probes[1].backbones[1].weights == "random"


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ({}, "study: give either a study or backbones"),
        ({"study": "digits", "backbones": [LITE0]}, "study: give either a study or backbones"),
        ({"study": "digit"}, "study: got 'digit'; allowed: digits, streets"),
        ({"study": "digits", "dataset": "digits"}, "dataset: got 'digits' with a study"),
        ({"study": "digits", "split": "all"}, "split: got 'all'; allowed: "),
        ({"study": "digits", "padding_modes": ["none"]}, "padding_modes[0]: got 'none'; allowed: circular"),
        ({"backbones": [LITE0]}, "dataset: got None; allowed: digits, streets"),
        ({"backbones": [LITE0], "dataset": "digits"}, "size: is missing; classification (digits) needs one"),
        ({"backbones": ["resnet19"], "dataset": "streets"}, "backbones[0].name: got 'resnet19'"),
        ({"backbones": [{"name": "resnet18", "weights": "wheel"}], "dataset": "streets"}, "got 'wheel' for resnet18"),
        ({"study": "digits", "resources": {"nodes": 2}}, "resources: got 0 gpus and 2 nodes; allowed: at most one"),
        ({"study": "digits", "measures": ["accuracy"]}, "probes[0].measures[0]"),
    ],
)
def test_a_wrong_probe_is_one_line(probe: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_config(with_probes(probe), "trial.yaml")
    assert message in str(caught.value)
    assert "probes[0]" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_probes_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="names must differ"):
        check_config(with_probes({"study": "digits"}, {"study": "digits"}), "trial.yaml")
