"""The census of timm: how it counts, its published table, and an independent count of the same release."""

import csv
from collections import Counter, defaultdict

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from typer.testing import CliRunner

import borderlab.torchvision_compat  # noqa: F401  isort: skip
import timm

from borderlab.cli import app
from borderlab.padding.timm_census import (
    NOT_TRACED,
    ArchitectureCensus,
    architectures,
    as_csv,
    census_of_architecture,
    census_of_model,
    counts,
    take_census,
)

SAMPLE = (
    "resnet50",
    "vgg16_bn",
    "tf_efficientnet_b0",
    "mixnet_s",
    "efficientnet_cc_b0_4e",
    "resnetv2_50x1_bit",
    "nf_resnet50",
    "dm_nfnet_f0",
    "halonet26t",
    "lambda_resnet26t",
    "convmixer_768_32",
    "res2net50_26w_4s",
    "lowformer_b0",
    "volo_d1_224",
    "poolformer_s12",
    "inception_v3",
    "hgnetv2_b1",
    "vit_base_patch16_224",
)
# Classes of convolutions that the independent count lists with and without padding.
CONVOLUTIONS = ("Conv2d", "Conv2dSame", "StdConv2d", "StdConv2dSame", "ScaledStdConv2d", "ScaledStdConv2dSame")
# Modules that pad by themselves: theirs whose padding the independent count tells, ours that are left.
LEFT = ("MaxPool2d", "AvgPool2d", "MaxPool2dSame", "AvgPool2dSame", "BlurPool2d", "HaloAttn", "ConstantPad2d")
# Modules that the independent count lists whether they pad or not.
LISTED_ALWAYS = ("ConvTranspose2d", "Conv1d", "Conv3d", "Unfold", "ZeroPad2d")


class OwnPadding(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 3, padding=1)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.weight = nn.Parameter(torch.empty(3, 3, 3, 3))

    def forward(self, x):
        x = F.pad(self.pool(self.convolution(x)), (0, 1, 0, 1))
        x = F.pad(x, (0, -1, 0, 0))
        x = F.conv2d(x, self.weight, padding=1)
        x = F.conv2d(x, self.weight, padding="same")
        x = F.conv2d(x, self.weight)
        x = F.avg_pool2d(x, 3, stride=1, padding=1)
        x = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return F.max_pool2d(x, 3, stride=2, padding=1)


def test_padding_of_a_forward_pass_is_heard():
    row = census_of_model("own", OwnPadding().to("meta"), trace=True)
    assert (row.converted, row.left, row.error) == ("Conv2d:1", "MaxPool2d:1", "")
    assert row.own_forward == "OwnPadding.avg_pool2d:1 OwnPadding.conv2d:2 OwnPadding.max_pool2d:1 OwnPadding.pad:1"


def test_hooks_are_gone_after_a_failed_pass():
    class Broken(OwnPadding):
        def forward(self, x):
            return super().forward(x).mean().item()

    row = census_of_model("broken", Broken().to("meta"), trace=True)
    assert row.error.startswith("trace: ")
    assert row.own_forward != ""
    assert not torch.nn.modules.module._global_forward_pre_hooks
    assert not torch.nn.modules.module._global_forward_hooks


def test_a_model_keeps_its_padding():
    model = OwnPadding()
    census_of_model("own", model)
    assert type(model.convolution) is nn.Conv2d


def test_what_cannot_be_built_is_a_row():
    row = census_of_architecture("no_such_network")
    assert (row.architecture, row.n_converted, row.own_forward) == ("no_such_network", 0, NOT_TRACED)
    assert row.error == "RuntimeError: Unknown model (no_such_network)"


def test_counts_are_read_back():
    assert counts("Conv2d:17 Conv2dSame:5") == Counter({"Conv2d": 17, "Conv2dSame": 5})
    assert counts("") == Counter()


def test_names_and_progress():
    assert architectures("resnet1?t") == ["resnet10t", "resnet14t"]
    seen = []
    rows = take_census(["resnet18"], progress=seen.append)
    assert seen == ["resnet18"]
    assert (rows[0].family, rows[0].n_converted, rows[0].n_unpadded, rows[0].n_left) == ("resnet", 17, 3, 1)


def test_command_writes_a_table(tmp_path):
    path = tmp_path / "census.csv"
    result = CliRunner().invoke(app, ["census", str(path), "--only", "resnet18", "--trace"])
    assert result.exit_code == 0, result.output
    assert result.output.strip().endswith("census.csv: 1 architectures, 0 with an error")
    assert path.read_text() == as_csv(take_census(["resnet18"], trace=True))
    assert [path.name for path in tmp_path.iterdir()] == ["census.csv"]


def test_command_refuses_a_pattern_without_a_match(tmp_path):
    result = CliRunner().invoke(app, ["census", str(tmp_path / "census.csv"), "--only", "nothing*"])
    assert "no architecture of timm matches 'nothing*'" in str(result.exception)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def published(repository):
    """Rows of the published table, by architecture."""
    with (repository / "results" / "census" / f"timm-{timm.__version__}.csv").open(newline="") as stream:
        rows = [{**row, **{key: int(row[key]) for key in row if key[:2] == "n_"}} for row in csv.DictReader(stream)]
    return {row["architecture"]: ArchitectureCensus(**row) for row in rows}


def test_published_table_names_every_architecture(published):
    assert list(published) == architectures()


def test_published_numbers_are_sums_of_their_kinds(published):
    for row in published.values():
        for number, kinds in ((row.n_converted, row.converted), (row.n_unpadded, row.unpadded), (row.n_left, row.left)):
            assert number == sum(counts(kinds).values())


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_published_row_is_what_is_counted_now(published, name):
    assert published[name] == census_of_architecture(name, trace=True)


@pytest.fixture(scope="module")
def independent(repository):
    """A count of the same release made with other code: number of modules by (class, padding), for each network."""
    path = repository.parent / "shared" / "facts" / "timm_1_0_31_padding_census.csv"
    if not path.is_file() or timm.__version__ != "1.0.31":
        pytest.skip("no independent count of this release of timm here")
    numbers = defaultdict(Counter)
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            kind, _, options = row["run_or_stat"].partition("|")
            counted = "count_include_pad=False" not in options
            numbers[row["network"]][kind, row["padding"], counted] += int(row["value"])
    return numbers


def test_what_the_independent_count_does_not_name_has_nothing_to_count(published, independent):
    assert set(independent) <= set(published)
    for name in set(published) - set(independent):
        row = published[name]
        assert (row.n_converted, row.n_unpadded, row.n_left) == (0, 0, 0)


def test_convolutions_agree_with_the_independent_count(published, independent):
    for name, row in published.items():
        theirs, ours = independent[name], (counts(row.converted), counts(row.unpadded), counts(row.left))
        for kind in CONVOLUTIONS:
            padded, others = theirs[kind, "pad", True], theirs[kind, "nopad", True]
            assert padded + others == sum(part[kind] for part in ours), (name, kind)
            reached = ours[0][kind] + ours[2][kind]
            # A size-dependent layer says padding=(0, 0), so the independent count takes it for unpadded.
            assert padded <= reached if kind.endswith("Same") else padded == reached, (name, kind)


def test_other_padding_agrees_with_the_independent_count(published, independent):
    for name, row in published.items():
        theirs, left = independent[name], counts(row.left)
        for kind in LEFT:
            if kind.endswith("Same"):
                expected = theirs[kind, "nopad", True] + theirs[kind, "nopad", False]
            else:
                expected = sum(theirs[kind, padding, True] for padding in ("pad", "reflect", "constant", "None"))
            assert left[kind] == expected, (name, kind)
        for kind in LISTED_ALWAYS:
            listed = theirs[kind, "", True] + theirs[kind, "None", True]
            assert left[kind] <= listed, (name, kind)
        conditional = counts(row.converted)["CondConv2d"] + counts(row.unpadded)["CondConv2d"]
        assert conditional == theirs["CondConv2d", "None", True], name
