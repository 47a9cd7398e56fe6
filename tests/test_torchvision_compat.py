"""The guard lets timm import, and declares nothing where torchvision works."""

import subprocess
import sys

import pytest
import torch

from borderlab import torchvision_compat


def test_operators_exist_after_the_guard() -> None:
    assert hasattr(torch.ops.torchvision, "nms")


def test_second_call_declares_nothing() -> None:
    assert torchvision_compat.declare_missing_operators() == ()


@pytest.mark.slow
def test_a_fresh_process_imports_timm_through_the_guard() -> None:
    code = "import borderlab.torchvision_compat, timm; print(timm.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == timm_version()


def timm_version() -> str:
    from importlib.metadata import version

    return version("timm")
