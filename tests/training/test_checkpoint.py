"""Checkpoints survive what happens to files."""

from pathlib import Path

import pytest
import torch

from borderlab.errors import RunError
from borderlab.training.checkpoint import delete_checkpoints, load_checkpoint, save_checkpoint


def save(folder: Path, epoch: int) -> None:
    save_checkpoint(folder, epoch, {"epoch": epoch, "weights": torch.full((64,), float(epoch)), "curve": [{"a": None}]})


def test_nothing_there_is_no_checkpoint(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) == (None, [])


def test_newest_is_loaded_and_the_last_two_are_kept(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        save(tmp_path, epoch)
    state, damaged = load_checkpoint(tmp_path)
    assert state is not None
    assert state["epoch"] == 3
    assert state["curve"] == [{"a": None}]
    assert not damaged
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step_000000002.checkpoint",
        "step_000000003.checkpoint",
    ]


@pytest.mark.parametrize("harm", ["truncated", "empty", "flipped", "one bit", "nonsense"])
def test_damaged_checkpoint_falls_back_and_says_so(tmp_path: Path, harm: str) -> None:
    save(tmp_path, 1)
    save(tmp_path, 2)
    newest = tmp_path / "step_000000002.checkpoint"
    content = bytearray(newest.read_bytes())
    middle = len(content) // 2
    harmed = {
        "truncated": bytes(content[:middle]),
        "empty": b"",
        "flipped": bytes(content[:20]) + bytes(255 - byte for byte in content[20:]),
        "one bit": bytes(content[:middle]) + bytes([content[middle] ^ 1]) + bytes(content[middle + 1 :]),
        "nonsense": b"not a checkpoint",
    }
    newest.write_bytes(harmed[harm])
    state, damaged = load_checkpoint(tmp_path)
    assert state is not None
    assert state["epoch"] == 1
    assert len(damaged) == 1
    assert damaged[0].startswith("step_000000002.checkpoint is damaged")
    assert "\n" not in damaged[0]


def test_when_none_is_whole_training_begins_anew_and_says_so(tmp_path: Path) -> None:
    for epoch in (1, 2):
        save(tmp_path, epoch)
        (tmp_path / f"step_{epoch:09d}.checkpoint").write_bytes(b"")
    assert load_checkpoint(tmp_path) == (
        None,
        [
            "step_000000002.checkpoint is damaged: going back to the checkpoint before",
            "step_000000001.checkpoint is damaged: beginning anew",
        ],
    )


def test_code_in_a_checkpoint_is_never_run(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[Path]]:
            return Path.touch, (tmp_path / "harmed",)

    save_checkpoint(tmp_path, 1, {"epoch": Harmful()})
    with pytest.raises(RunError, match="is no checkpoint of this package"):
        load_checkpoint(tmp_path)
    assert not (tmp_path / "harmed").exists()


def test_deletion_removes_checkpoints_and_the_empty_folder(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    save(folder, 1)
    delete_checkpoints(folder)
    assert not folder.exists()
