"""The padding by itself: for people who want nothing else of this package."""

import subprocess
import sys

import pytest

PROGRAM = """
import importlib.abc, sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

refused = set(sys.argv[1:])
sys.meta_path.insert(0, Refuse())

from borderlab.padding import set_padding_mode
import torch

model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(3, 2, 1))
report = set_padding_mode(model, "partial")
print(report)
model(torch.randn(1, 3, 8, 8)).mean().backward()
print(sorted(name for name in refused if name in sys.modules))
"""

# Every dependency of the package but torch and jaxtyping, by the names that they are imported by.
OTHERS = (
    *("PIL", "cv2", "dvc", "httpx", "matplotlib", "pandas", "pandera", "pyarrow", "pydantic", "pyspng", "rich"),
    *("rocrate", "scipy", "seaborn", "simplejpeg", "skimage", "sklearn", "snakemake", "tenacity", "timm"),
    *("torchvision", "typer", "yaml"),
)


@pytest.mark.slow
def test_the_padding_needs_torch_and_jaxtyping_alone() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *OTHERS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "padding mode partial: 1 convolutions converted, 0 without padding; left with a padding of their own: 2",
        "[]",
    ]
