"""Shared by all tests: shapes in signatures are checked while the tests run, and where the real data lies."""

import os
from pathlib import Path

import cv2
import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

# Rooms whose signatures carry shapes; the hook must stand before their first import. torch.compile and torch.export
# cannot see through the checks, so `make test` runs the slow tests, theirs among them, with BORDERLAB_CHECK_SHAPES=0.
if os.environ.get("BORDERLAB_CHECK_SHAPES", "1") == "1":
    install_import_hook(
        [
            "borderlab.evaluation",
            "borderlab.losses",
            "borderlab.models",
            "borderlab.motion",
            "borderlab.padding",
            # Not all of it: beartype cannot check the protocol of sources that borderlab.probe.images takes.
            "borderlab.probe.activation_maps",
            "borderlab.probe.border_profile",
            "borderlab.probe.cross_test",
            "borderlab.probe.feature_maps",
            "borderlab.probe.map_rings",
            "borderlab.probe.networks",
            "borderlab.probe.position_leak",
            "borderlab.probe.shift_consistency",
            "borderlab.propagation",
        ],
        "beartype.beartype",
    )

# pytest's workers share the cores: as many threads in each would only wait for one another.
if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)

# The same examples each time: a test that fails now and then tells nobody anything.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parents[1]

# The files that take longest, most of it waiting for Slurm or for a whole experiment: begun first, they do not go on
# alone when everything else is done.
LONGEST = ("test_slurm.py", "test_real_experiments.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest; workers take files in this order (`--no-loadscope-reorder`)."""
    items.sort(key=lambda item: (item.path.name not in LONGEST, item.get_closest_marker("workflow") is None))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout's top folder."""
    return ROOT


@pytest.fixture(scope="session")
def camvid_mirror() -> Path:
    """Folder with the public copy's layout of CamVid, for work without a network."""
    named = os.environ.get("BORDERLAB_MIRROR_CAMVID")
    folder = Path(named) if named else ROOT.parent / "shared" / "data" / "camvid" / "CamVid"
    if not (folder / "val.txt").is_file():
        pytest.skip("no CamVid here: set BORDERLAB_MIRROR_CAMVID to a folder with train.txt, train/, trainannot/, ...")
    return folder
