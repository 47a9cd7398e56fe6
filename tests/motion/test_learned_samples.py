"""Which pairs train and which are held out, and what a batch holds."""

import numpy as np
import pytest
import torch
from tests.motion.conftest import Pan
from tests.motion.learned_models import model_spec

from borderlab.data.batch import RawBatch
from borderlab.errors import DataError
from borderlab.motion.learned.samples import CropAndFlip, PairBatches, PairSource, training_and_held_out
from borderlab.motion.registry import create_motion_model


@pytest.fixture
def pan(tmp_path):
    dataset = Pan()
    dataset.fetch(tmp_path, "val", None)
    return dataset, tmp_path


def split(pan, **changes):
    return training_and_held_out(model_spec(**changes), *pan)


def test_no_frame_is_on_both_sides(pan):
    training, held_out = split(pan, held_out_share=0.4, held_out_pairs=100)
    sides = [{index for pair in pairs for index in (pair.target, pair.source)} for pairs in (training, held_out)]
    assert sides == [{0, 1, 2, 3, 4}, {5, 6, 7}]


def test_held_out_pairs_have_a_past_and_training_pairs_need_none(pan):
    training, held_out = split(pan, held_out_share=0.4)
    assert len(training) == 8
    assert {(pair.target, pair.source) for pair in held_out} == {(7, 6), (5, 6)}


def test_a_split_of_its_own_is_held_out_whole(pan):
    training, held_out = split(pan, eval_split="other", held_out_share=0, held_out_pairs=3)
    assert len(training) == 14
    assert len(held_out) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"held_out_share": 0.2}, r"^pan: has no pair of neighbouring frames with a frame before them to hold out; "),
        ({"held_out_share": 0.9}, r"^pan: has no pair of neighbouring frames to train on; "),
        ({"crop": (97, 64)}, r"^pan clip: frames of 96x128 are smaller than recipe.crop 97x64; lower it$"),
        ({"crop": (96, 129)}, r"recipe.crop 96x129"),
    ],
)
def test_what_cannot_train_is_said_in_one_line(pan, changes, message):
    with pytest.raises(DataError, match=message):
        split(pan, **changes)


def test_a_set_without_video_is_said_in_one_line(pan, monkeypatch):
    monkeypatch.setattr(Pan, "clips", lambda *_: [])
    with pytest.raises(DataError, match=r"^pan val: has no clips, so no motion; choose a split with video$"):
        split(pan)


def test_readers_keep_no_frames_however_many_clips_there_are(pan):
    training, _ = split(pan)
    PairSource(training, "reconstruction", create_motion_model("copy")).load(3)
    assert training[3].stretch.clip.image.cache_info().currsize == 0


@pytest.mark.parametrize(("kind", "n_channels"), [("prediction", 8), ("reconstruction", 13)])
def test_a_batch_shows_the_network_its_view_and_the_loss_source_and_real_frame(pan, kind, n_channels):
    training, _ = split(pan, kind=kind)
    pair = next(pair for pair in training if (pair.target, pair.source) == (3, 2))
    frames, flows = PairSource([pair], kind, create_motion_model("truth")).load(0)
    raw = RawBatch(torch.tensor(frames[None]), torch.tensor(flows[None]), ("one",))
    batch = PairBatches(kind).batch(raw)
    assert batch.image.shape == (1, n_channels, 96, 128)
    image = pair.stretch.clip.image
    for index, part in ((1, batch.image[0, :3]), (2, batch.image[0, 3:6]), (2, batch.target[0, :3])):
        np.testing.assert_array_equal(part.permute(1, 2, 0).numpy(), image(index))
    np.testing.assert_array_equal(batch.target[0, 3:].permute(1, 2, 0).numpy(), image(3))
    # The camera pans by (3, -2): one frame back, the plane stood that much farther left and down.
    np.testing.assert_array_equal(batch.image[0, -2:, 5, 5], [3, -2])


def test_the_truth_of_a_prediction_is_not_in_what_its_network_is_shown():
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (1, 8, 8, 9)).astype(np.uint8)
    flows = random.normal(size=(1, 8, 8, 2)).astype(np.float32)
    other = frames.copy()
    other[..., 6:] = 0
    one, two = (
        PairBatches("prediction").batch(RawBatch(torch.tensor(own), torch.tensor(flows), ("",)))
        for own in (frames, other)
    )
    assert torch.equal(one.image, two.image)
    assert not torch.equal(one.target, two.target)


def test_a_mirrored_sample_is_the_motion_of_the_mirrored_clip():
    """Frames whose pixels hold their own column; flow that points one column to the right."""
    columns = np.tile(np.arange(10), (6, 1)).astype(np.uint8)
    frames = np.repeat(columns[..., None], 9, axis=2)
    flows = np.zeros((6, 10, 4), np.float32)
    flows[..., 0::2], flows[..., 1::2] = 1, 5
    change = CropAndFlip((4, 7), flip=True)
    seen = set()
    for seed in range(12):
        part, shown = change(frames, flows, np.random.default_rng(seed))
        assert part.shape == (4, 7, 9)
        step = int(part[0, 1, 0]) - int(part[0, 0, 0])
        # A column to the right is one up or one down, as the sample is mirrored or not.
        assert (shown[..., 0] == step).all()
        assert (shown[..., 2] == step).all()
        assert (shown[..., 1::2] == 5).all()
        seen.add(step)
    assert seen == {-1, 1}
    assert CropAndFlip((6, 10), flip=False)(frames, flows, np.random.default_rng(0))[0].tolist() == frames.tolist()
