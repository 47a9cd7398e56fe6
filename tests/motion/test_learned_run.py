"""A motion model from its specification to its folder, and from there to flow."""

import json

import numpy as np
import pandas as pd
import pytest
from tests.motion.conftest import Pan
from tests.motion.learned_models import model_spec

from borderlab.errors import DataError, RunError
from borderlab.motion.base import MotionModel
from borderlab.motion.learned import run
from borderlab.motion.learned.run import set_flow_scale, train_motion_model
from borderlab.motion.registry import create_motion_model
from borderlab.training import loop
from borderlab.training.interruption import InterruptedRunError

FILES = {"spec.json", "curve.csv", "held_out.csv", "model.safetensors", "provenance.json", "training.json"}


@pytest.fixture
def train(tmp_path):
    dataset, root = Pan(), tmp_path / "data"
    root.mkdir()
    dataset.fetch(root, "val", None)

    def into(name, **changes):
        train_motion_model(model_spec(**changes), tmp_path / name, dataset=dataset, data_folder=root)
        return tmp_path / name

    return into


def test_training_leaves_its_files_and_no_checkpoint(train):
    folder = train("one")
    assert {path.name for path in folder.iterdir()} == FILES
    curve = pd.read_csv(folder / "curve.csv")
    assert list(curve.columns) == ["epoch", "step", "lr", "train_loss", "psnr_db", "seconds"]
    assert curve["psnr_db"].isna().tolist() == [True, False]
    content = json.loads((folder / "training.json").read_text())
    rows = pd.read_csv(folder / "held_out.csv")
    assert (content["n_held_out_pairs"], content["n_train_pairs"], content["n_steps"]) == (2, 8, 8)
    learned = rows[rows["method"] == "learned"]["psnr_db"].mean()
    assert content["held_out"]["learned"]["psnr_db"] == pytest.approx(learned)
    assert curve["psnr_db"].iloc[-1] == pytest.approx(learned)
    assert json.loads((folder / "provenance.json").read_text())["device"].startswith("cpu: ")


def test_a_trained_model_is_a_motion_model_by_its_folder(train, pan_reader):
    folder = train("one", kind="prediction", lr=1e-2)
    model = create_motion_model("mine-01234567", folder)
    flow = model.flow(pan_reader, 3, 2)
    assert (model.name, flow.shape, flow.dtype) == ("mine-01234567", (2, 96, 128), np.float32)
    shown = create_motion_model("dis_medium").flow(pan_reader, 2, 1)
    assert np.abs(flow - shown).max() > 0  # it has learned something
    assert np.median(np.abs(flow - shown)) < 1  # and started from what it was shown
    np.testing.assert_array_equal(create_motion_model("again", folder).flow(pan_reader, 3, 2), flow)


class Off(MotionModel):
    """The true flow, wrong by the same amount everywhere."""

    name = "truth"

    def flow(self, clip, from_index, to_index):
        return clip.true_flow(from_index, to_index) + np.array([1.5, -1.0], np.float32)[:, None, None]


def test_training_corrects_what_is_wrong_with_the_flow_shown(train, monkeypatch):
    monkeypatch.setattr(run, "create_motion_model", lambda name: Off())
    folder = train("one", input_flow="truth", epochs=8, lr=1e-2)
    means = json.loads((folder / "training.json").read_text())["held_out"]
    assert means["learned"]["psnr_db"] > means["input_flow"]["psnr_db"] + 1
    assert means["learned"]["ssim"] > means["input_flow"]["ssim"]


def test_an_interrupted_training_goes_on_to_the_same_bits(train, monkeypatch):
    whole = train("whole")
    step = loop.Trainer._step

    def stop_in_the_second_epoch(self, batch, progress):
        if self.steps == 5:
            self.interruption.signal_name = "SIGTERM"
        return step(self, batch, progress)

    monkeypatch.setattr(loop.Trainer, "_step", stop_in_the_second_epoch)
    with pytest.raises(InterruptedRunError, match=r"^stopped by SIGTERM after step 6, with a checkpoint"):
        train("cut")
    monkeypatch.undo()
    cut = train("cut")
    assert (cut / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert (cut / "held_out.csv").read_bytes() == (whole / "held_out.csv").read_bytes()
    assert {path.name for path in cut.iterdir()} == FILES


def test_checkpoints_of_another_model_are_refused(train, monkeypatch):
    monkeypatch.setattr(run, "delete_checkpoints", lambda folder: None)
    train("one", epochs=1)
    with pytest.raises(RunError, match=r"holds checkpoints of another run [^\n]*; delete it$"):
        train("one", epochs=2)


def test_an_epoch_without_a_batch_is_said_in_one_line(train):
    with pytest.raises(RunError, match=r"^the training set has 8 pairs, and an epoch of 8 holds no [^\n]*$"):
        train("one", batch_size=9)


def test_a_folder_without_a_model_is_said_in_one_line(train, tmp_path):
    with pytest.raises(DataError, match=r"spec.json: no trained motion model \([^\n]*; delete [^\n]*$"):
        create_motion_model("mine", tmp_path / "nothing")
    folder = train("one", epochs=1)
    (folder / "model.safetensors").write_bytes(b"short")
    with pytest.raises(RunError, match=r"model.safetensors: weights cannot be loaded [^\n]*$"):
        create_motion_model("mine", folder)


def test_the_scale_is_that_of_the_flow_it_starts_from():
    from borderlab.motion.learned.network import FlowUNet

    class Source:
        def __len__(self):
            return 2

        def load(self, index):
            flows = np.zeros((4, 4, 4), np.float32)
            flows[..., 2] = 10 * index  # u of the last flow: 0 and 10
            flows[..., 3] = 7
            return np.zeros((4, 4, 9), np.uint8), flows

        def sample_id(self, index):
            return str(index)

    from borderlab.data.source import InMemory

    network = FlowUNet(3, 2)
    set_flow_scale(network, InMemory(Source()))
    assert network.flow_mean.tolist() == [5, 7]
    assert network.flow_std.tolist() == pytest.approx([5, run.LEAST_STD_PX])
