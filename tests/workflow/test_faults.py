"""The faults that cost seconds; `make faults` runs all of them and keeps the table."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.workflow.faults import storage
from tests.workflow.faults.bench import Bench, Outcome

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def bench(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One undisturbed training for all faults of this module."""
    return Bench(tmp_path_factory.mktemp("faults") / "bench", finished=tiny_run)


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (storage.flipped_bit, "going back to the checkpoint before"),
        (storage.deleted_frame, "clip_0000 is missing or incomplete"),
        (storage.disk_full, ".checkpoint: No space left on device"),
    ],
)
def test_fault_ends_with_the_same_bits(bench: Bench, fault: Callable[[Bench], Outcome], seen: str) -> None:
    if fault is storage.disk_full and not storage.can_mount():
        pytest.skip("needs root, to mount a small disk")
    outcome = fault(bench)
    assert outcome.same
    assert seen in outcome.seen
    # Each fault ends one training, and nothing else is begun again.
    assert outcome.again.commands == {"train": 1, **({"fetch": 1} if fault is storage.deleted_frame else {})}
