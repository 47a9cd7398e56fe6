"""The contract of every motion model in the registry."""

import cv2
import numpy as np
import pytest

from borderlab.errors import ConfigError, DataError
from borderlab.motion.names import DOWNLOADED_MODELS, MOTION_MODEL_NAMES
from borderlab.motion.registry import create_motion_model

# Models with downloaded weights have tests of their own.
OFFLINE = [name for name in MOTION_MODEL_NAMES if name not in DOWNLOADED_MODELS]
ESTIMATORS = [name for name in OFFLINE if name not in ("copy", "truth")]


@pytest.fixture(params=OFFLINE)
def model(request):
    return create_motion_model(request.param)


@pytest.fixture
def threads():
    before = cv2.getNumThreads()
    yield cv2.setNumThreads
    cv2.setNumThreads(before)


def test_name_is_the_registry_key():
    assert [create_motion_model(name).name for name in OFFLINE] == OFFLINE


def test_flow_is_float32_of_the_frame_and_finite(model, pan_reader):
    flow = model.flow(pan_reader, 1, 2)
    assert flow.dtype == np.float32
    assert flow.shape == (2, 96, 128)
    assert np.isfinite(flow).all()


@pytest.mark.parametrize(("pair", "expected"), [((1, 2), (-3, 2)), ((2, 1), (3, -2)), ((0, 2), (-6, 4))])
@pytest.mark.parametrize("name", [*ESTIMATORS, "truth"])
def test_flow_points_from_the_first_frame_to_the_second(name, pair, expected, pan_reader):
    flow = create_motion_model(name).flow(pan_reader, *pair)
    # Only the interior is seen in both frames.
    assert np.median(flow[:, 16:-16, 16:-16], axis=(1, 2)) == pytest.approx(expected, abs=0.3)


def test_same_bits_again_and_on_any_number_of_threads(model, pan_reader, threads):
    threads(1)
    first = model.flow(pan_reader, 1, 2)
    model.flow(pan_reader, 2, 3)  # leaves a state behind, if the model has one
    np.testing.assert_array_equal(model.flow(pan_reader, 1, 2), first)
    threads(3)
    np.testing.assert_array_equal(model.flow(pan_reader, 1, 2), first)


def test_copy_is_zero_flow(pan_reader):
    assert not create_motion_model("copy").flow(pan_reader, 0, 1).any()


def test_unknown_model_lists_the_allowed_ones():
    with pytest.raises(ConfigError, match=r"^motion model 'raft' does not exist; allowed: copy, dis_fast, [^\n]*$"):
        create_motion_model("raft")


def test_truth_needs_a_data_set_that_knows_it(pan_reader, monkeypatch):
    monkeypatch.setattr(pan_reader.dataset, "true_flow", lambda *_: None)
    with pytest.raises(DataError, match=r"^pan: true flow is not known[^\n]*$"):
        create_motion_model("truth").flow(pan_reader, 0, 1)
