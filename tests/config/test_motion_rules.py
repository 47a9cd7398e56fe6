"""Every wrong motion model stops with one line that names the key, what was given and what is allowed."""

from typing import Any

import pytest
from tests.config.test_config_loading import GOOD

from borderlab.config.loading import check_config
from borderlab.errors import ConfigError

MODEL = {"kind": "prediction", "dataset": "streets", "eval_split": "val"}


def check(name: str = "mine", **changes: Any) -> None:
    check_config({**GOOD, "motion_models": {name: {**MODEL, **changes}}}, "trial")


def test_a_good_model_passes() -> None:
    check()
    check(eval_split=None, kind="reconstruction", input_flow="copy")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "dis_medium"}, "motion_models.dis_medium: is the name of a motion model of the registry"),
        ({"input_flow": "mine"}, "motion_models.mine.input_flow: got 'mine'; allowed: copy, dis_fast"),
        ({"dataset": "street"}, "motion_models.mine.dataset: got 'street'; allowed: digits, streets"),
        ({"dataset": "digits"}, "motion_models.mine.dataset: digits is a classification set without clips"),
        ({"train_split": "all"}, "motion_models.mine.train_split: got 'all'; allowed: test, train, val"),
        ({"eval_split": "all"}, "motion_models.mine.eval_split: got 'all'; allowed: test, train, val"),
        ({"eval_split": "train"}, "motion_models.mine.eval_split: got 'train', which trains; leave it out"),
        ({"kind": "guess"}, "motion_models.mine.kind: got 'guess'"),
        ({"recipe": {"decoder_channels": 8}}, "motion_models.mine.recipe.decoder_channels: unknown key"),
        ({"resources": {"gpus": 2}}, "motion_models.mine.resources: got 2 gpus and 1 nodes; allowed: at most one"),
        ({"held_out_share": 1}, "motion_models.mine.held_out_share: got 1"),
    ],
)
def test_a_wrong_one_is_said_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(**changes)
    text = str(caught.value)
    assert text.startswith(f"trial: {message}")
    assert "\n" not in text


def test_names_of_models_are_allowed_where_motion_is_chosen_and_listed_where_it_is_not() -> None:
    quality = {"dataset": "streets", "motions": ["mine"]}
    models = {"mine": MODEL}
    check_config({**GOOD, "motion_models": models, "propagation_quality": [quality]}, "trial")
    with pytest.raises(ConfigError, match=r"motions\[0\]: got 'mine'; allowed: copy"):
        check_config({**GOOD, "propagation_quality": [quality]}, "trial")
    wrong = {**quality, "motions": ["yours"]}
    with pytest.raises(ConfigError, match=r"motions\[0\]: got 'yours'; allowed: copy, [^\n]*, mine, "):
        check_config({**GOOD, "motion_models": models, "propagation_quality": [wrong]}, "trial")
