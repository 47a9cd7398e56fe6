"""RAFT without its published weights: what goes into the network and comes out, and that random weights never do."""

import urllib.error
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from borderlab.errors import DataError
from borderlab.motion.base import ClipReader
from borderlab.motion.raft import LEAST_SIDE_PX, PUBLISHED, Raft, published_weights, untrained
from borderlab.motion.registry import create_motion_model


class Pictures(ClipReader):
    """Frames given as arrays."""

    def __init__(self, *pictures):
        self.image = pictures.__getitem__


class Recorder(nn.Module):
    """In RAFT's place: keeps what it is shown; its last flow counts columns and rows."""

    def forward(self, first, second, num_flow_updates):
        self.first, self.second, self.updates = first, second, num_flow_updates
        height, width = first.shape[2:]
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        last = torch.stack([columns, rows])[None].float()
        return [torch.full_like(last, 99.0), last]


@pytest.fixture(scope="module")
def random_small():
    torch.manual_seed(0)
    return untrained("raft_small").state_dict()


@pytest.fixture
def recorded(random_small):
    model = Raft("raft_small", random_small, updates=3)
    model.network = Recorder()
    return model


def pictures(height, width):
    random = np.random.default_rng(0)
    return Pictures(*(random.integers(0, 256, (height, width, 3)).astype(np.uint8) for _ in range(2)))


@pytest.mark.parametrize(("height", "width"), [(96, 131), (129, 136)])
def test_flow_has_the_size_of_the_frame_whatever_raft_needs(random_small, height, width):
    flow = Raft("raft_small", random_small, updates=1).flow(pictures(height, width), 0, 1)
    assert (flow.shape, flow.dtype) == ((2, height, width), np.float32)
    assert np.isfinite(flow).all()
    assert flow.any()


def test_the_large_network_takes_its_own_weights():
    state = untrained("raft_large").state_dict()
    flow = Raft("raft_large", state, updates=1).flow(pictures(128, 128), 0, 1)
    assert flow.shape == (2, 128, 128)


def test_frames_go_in_as_from_and_to_in_rgb_between_minus_one_and_one(recorded):
    clip = pictures(130, 141)
    recorded.flow(clip, 1, 0)
    for shown, index in ((recorded.network.first, 1), (recorded.network.second, 0)):
        assert shown.shape == (1, 3, 136, 144)
        expected = clip.image(index).astype(np.float32).transpose(2, 0, 1) / 127.5 - 1
        np.testing.assert_allclose(shown[0, :, :130, :141].numpy(), expected, atol=1e-6)
        # Padding repeats the last row and column.
        np.testing.assert_array_equal(shown[0, :, 135, :141].numpy(), shown[0, :, 129, :141].numpy())
        np.testing.assert_array_equal(shown[0, :, :130, 143].numpy(), shown[0, :, :130, 140].numpy())
    assert recorded.network.updates == 3


@pytest.mark.parametrize(("side", "padded"), [(24, 128), (128, 128), (129, 136), (136, 136)])
def test_padding_is_the_least_that_raft_takes(recorded, side, padded):
    recorded.flow(pictures(side, 160), 0, 1)
    assert recorded.network.first.shape[2:] == (padded, 160)
    assert padded >= LEAST_SIDE_PX


def test_the_last_refinement_comes_out_u_before_v_on_the_frames_own_pixels(recorded):
    flow = recorded.flow(pictures(100, 150), 0, 1)
    rows, columns = np.mgrid[:100, :150]
    np.testing.assert_array_equal(flow, np.stack([columns, rows]))


def test_same_bits_however_many_threads_torch_was_given(random_small):
    clip = pictures(96, 131)
    model = Raft("raft_small", random_small, updates=1)
    first = model.flow(clip, 0, 1)
    torch.set_num_threads(2)
    np.testing.assert_array_equal(Raft("raft_small", random_small, updates=1).flow(clip, 0, 1), first)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_without_its_weights_a_model_is_one_clear_line(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def unreachable(url, *_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    with pytest.raises(DataError, match=rf"^{name}: weights cannot be fetched \([^\n]*no route[^\n]*put http[^\n]*$"):
        create_motion_model(name)


def test_another_file_in_place_of_the_weights_is_refused(tmp_path, monkeypatch, random_small):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / "raft_small_C_T_V2-01064c6d.pth"
    path.parent.mkdir(parents=True)
    torch.save(random_small, path)
    with pytest.raises(DataError, match=r"is not the published file of raft_small \(SHA-256 differs\); delete it$"):
        create_motion_model("raft_small")


@pytest.mark.parametrize(("pair", "expected"), [((1, 2), (-3, 2)), ((2, 1), (3, -2))])
def test_published_weights_see_which_way_a_clip_moves(pair, expected, pan_reader):
    name = "raft_small_C_T_V2-01064c6d.pth"
    if not (Path(torch.hub.get_dir()) / "checkpoints" / name).is_file():
        pytest.skip(f"torch's cache has no {name}: random weights know nothing of motion")
    flow = Raft("raft_small", published_weights("raft_small")).flow(pan_reader, *pair)
    assert np.median(flow[:, 16:-16, 16:-16], axis=(1, 2)) == pytest.approx(expected, abs=0.5)
