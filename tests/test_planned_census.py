"""A census joins the DAG when the configuration asks for one, under a name that its pattern decides."""

from tests.config.test_config_loading import GOOD

from borderlab.config.loading import check_config
from borderlab.plan import make_plan
from borderlab.workflow import Workflow


def targets(**changes: object) -> list[str]:
    config = check_config({**GOOD, **changes}, "trial")
    return Workflow(make_plan(config), "trial.yaml").targets()


def test_census_is_a_target_of_its_own() -> None:
    without, small = targets(census=None), targets(census="mobilenetv3_small*")
    assert not [path for path in without if "census" in path]
    assert [path for path in small if "census" in path] == [small[-1]]
    assert small[-1].startswith("artifacts/trial/census/timm-")


def test_pattern_decides_the_name() -> None:
    assert targets(census="resnet*")[-1] == targets(census="resnet*")[-1] != targets(census="vgg*")[-1]
