"""Two processes train what one trains: the same batch, the same norms, the same mean."""

import os
import subprocess
import sys
from copy import deepcopy
from itertools import product
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file
from torch import nn

from borderlab.config.schema import ResourcesConfig
from borderlab.errors import RunError
from borderlab.launching import command_of
from borderlab.plan import run_name
from borderlab.spec import DatasetSpec, RecipeSpec, RunSpec

WORKER = Path(__file__).with_name("together_worker.py")
# Sums in another order: some units in the last place of float32, grown over nine steps.
TOLERANCE = 2e-6


def train(folder: Path, processes: int, loss: str = "cross_entropy", stop_after: int = 0) -> int:
    """Exit status of one training in `folder`."""
    folder.mkdir(exist_ok=True)
    start = [sys.executable]
    if processes > 1:
        start += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    environment = {**os.environ, "LOSS": loss, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*start, str(WORKER), str(folder), str(stop_after)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    (folder / "out.txt").write_text(done.stdout + done.stderr)
    return done.returncode


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Trainings with either loss, by one process and by two."""
    folder = tmp_path_factory.mktemp("trained")
    for loss, processes in product(("cross_entropy", "relaxed"), (1, 2)):
        place = folder / f"{loss}{processes}"
        assert train(place, processes, loss) == 0, (place / "out.txt").read_text()
    return {path.name: path for path in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["cross_entropy", "relaxed"])
def test_two_processes_are_one_within_rounding(trained: dict[str, Path], loss: str) -> None:
    folders = [trained[f"{loss}{processes}"] for processes in (1, 2)]
    one, two = (load_file(folder / "model.safetensors") for folder in folders)
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        assert torch.allclose(tensor, two[name], rtol=0, atol=TOLERANCE), name
    losses = [[float(line) for line in (folder / "losses.txt").read_text().split()] for folder in folders]
    assert losses[0] == pytest.approx(losses[1], abs=TOLERANCE)
    assert losses[0][-1] < 0.9 * losses[0][0]


@pytest.mark.slow
def test_two_processes_stop_together_and_go_on_to_the_same_bits(trained: dict[str, Path], tmp_path: Path) -> None:
    whole, cut = trained["cross_entropy2"], tmp_path / "cut"
    assert train(cut, 2, stop_after=5) != 0
    said = (cut / "out.txt").read_text()
    assert said.count("after step 5, with a checkpoint") == 2
    assert train(cut, 2) == 0
    assert "resumed after batch 2 of epoch 2" in (cut / "out.txt").read_text()
    for file in ("model.safetensors", "losses.txt"):
        assert (cut / file).read_bytes() == (whole / file).read_bytes()


def test_norms_keep_their_names_weights_and_evaluation() -> None:
    from borderlab.training.together import BatchNormAct2d, synchronise_norms

    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(3, 4, 1), BatchNormAct2d(4), nn.BatchNorm2d(4)).eval()
    image = torch.randn(2, 3, 5, 5)
    expected, keys = plain(image), list(plain.state_dict())
    made = synchronise_norms(plain, torch.device("cpu"))
    assert list(made.state_dict()) == keys
    assert not [module for module in made.modules() if type(module) is nn.BatchNorm2d]
    assert torch.equal(made(image), expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_norms_of_half_precision_are_torchs(dtype: torch.dtype, tmp_path: Path) -> None:
    from borderlab.training.together import synchronise_norms

    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    try:
        torch.manual_seed(0)
        plain = nn.BatchNorm2d(4)
        shared = synchronise_norms(nn.Sequential(deepcopy(plain)), torch.device("cpu"))
        image = (3 * torch.randn(2, 4, 9, 9) + 1).to(dtype)
        made, expected = shared(image), plain(image)
    finally:
        dist.destroy_process_group()
    assert made.dtype == expected.dtype == dtype
    # One rounding to half precision, for sums in another order.
    assert torch.allclose(made.float(), expected.float(), rtol=2 * torch.finfo(dtype).eps, atol=1e-6)
    state = shared[0].state_dict()
    assert all(torch.allclose(state[name], value, rtol=1e-6) for name, value in plain.state_dict().items())


@pytest.mark.parametrize(
    ("resources", "environment", "expected"),
    [
        (ResourcesConfig(gpus=4), {}, ["torchrun", "--nproc-per-node=4", "--no-python", "--standalone", "work"]),
        (
            ResourcesConfig(gpus=2, nodes=3),
            {"SLURM_JOB_ID": "7", "SLURM_CPUS_PER_TASK": "16"},
            [
                "srun",
                "--overlap",
                "--nodes=3",
                "--ntasks-per-node=1",
                "--cpus-per-task=16",
                "torchrun",
                "--nproc-per-node=2",
                "--no-python",
            ],
        ),
    ],
)
def test_launcher(resources: ResourcesConfig, environment: dict[str, str], expected: list[str]) -> None:
    command = command_of(resources, ["work"], environment)
    assert command[: len(expected)] == expected
    assert command[-1] == "work"


def test_nodes_without_slurm_are_refused() -> None:
    with pytest.raises(RunError, match=r"resources\.nodes is 2"):
        command_of(ResourcesConfig(nodes=2), ["work"], {})


def test_processes_rename_a_run_but_not_their_number() -> None:
    spec = RunSpec(
        task="classification",
        dataset=DatasetSpec(key="digits", name="digits", identity="0"),
        train_split="train",
        eval_split="val",
        backbone="resnet18",
        weights="random",
        padding_mode="zeros",
        recipe=RecipeSpec(),
        seed=0,
    )
    assert run_name(spec, parallel=True) != run_name(spec)
    assert ResourcesConfig(gpus=2).processes == 2
    assert ResourcesConfig(gpus=0, nodes=1).processes == ResourcesConfig(gpus=1).processes == 1
