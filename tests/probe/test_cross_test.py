"""Cross-tests: counts against literal ones, and what must not change."""

import pytest
import torch
from sklearn.metrics import jaccard_score, top_k_accuracy_score
from torch import Tensor, nn

from borderlab.models.backbone import create_backbone
from borderlab.models.deeplab import DeepLabV3Plus
from borderlab.probe.cross_test import classify, cross_test, top_k_pct
from borderlab.probe.feature_maps import activations


def by_measure(rows, mode: str) -> dict[str, dict]:
    return {row["measure"]: row for row in rows if row["tested_mode"] == mode}


def test_top_k_is_scikit_learns() -> None:
    generator = torch.Generator().manual_seed(0)
    scores, truth = torch.randn(40, 8, generator=generator), torch.arange(40) % 8
    found = top_k_pct(scores.topk(5).indices, truth)
    for k, name in ((1, "top1_pct"), (5, "top5_pct")):
        assert found[name] == pytest.approx(100 * top_k_accuracy_score(truth, scores, k=k))


def test_the_trained_mode_agrees_with_itself(make_network, make_images) -> None:
    network = make_network()
    before = {key: tensor.clone() for key, tensor in network.module.state_dict().items()}
    rows = list(cross_test(network, ["zeros", "circular"], make_images()))
    own = by_measure(rows, "zeros")
    assert own["agreement_pct"]["value_pct"] == 100
    assert own["top1_pct"]["change_points"] == 0
    other = by_measure(rows, "circular")
    change = other["top1_pct"]["value_pct"] - own["top1_pct"]["value_pct"]
    assert other["top1_pct"]["change_points"] == pytest.approx(change)
    assert other["agreement_pct"]["change_points"] is None
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.module.state_dict().items())


def test_the_trained_mode_is_the_reference_even_if_it_is_not_asked_for(make_network, make_images) -> None:
    network = make_network(trained_mode="partial")
    alone = by_measure(cross_test(network, ["zeros"], make_images()), "zeros")
    both = by_measure(cross_test(network, ["partial", "zeros"], make_images()), "zeros")
    assert alone == both


def test_untrained_networks_have_no_cross_test(make_network, make_images) -> None:
    assert list(cross_test(make_network(trained_mode="none"), ["zeros"], make_images())) == []


class Fixed(nn.Module):
    """Answers ids 5, 3, 3, 3, ... of eight, whatever it is shown."""

    def forward_intermediates(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        return x, [x]

    def forward_head(self, x: Tensor) -> Tensor:
        logits = torch.zeros(len(x), 8)
        logits[:, 3], logits[:, 1] = 3.0, 2.0
        return logits


def test_classes_of_the_data_set_are_read_from_their_own_outputs(make_network, make_images) -> None:
    # The data set's six classes stand at other outputs; 3 is none of them, so the best of them is 1.
    network = make_network(Fixed(), seed=None, class_ids=(1, 0, 2, 4, 5, 6))
    found = classify(network, "zeros", make_images(n=6))
    assert found.values["top1_pct"] == 0
    assert found.values["own_top1_pct"] == pytest.approx(100 / 6)
    assert found.pred.tolist() == [3] * 6


def test_without_a_common_class_only_predictions_are_compared(make_network, make_images) -> None:
    rows = list(cross_test(make_network(Fixed(), seed=None, class_ids=None), ["partial"], make_images()))
    assert [row["measure"] for row in rows] == ["agreement_pct"]


def test_segmentation_is_scored_over_all_pixels(make_network, make_images) -> None:
    torch.manual_seed(0)
    backbone = create_backbone("mobilenetv3_small_050", "random", features_only=True)
    module = DeepLabV3Plus(backbone, 4, decoder_channels=8, aspp_rates=(1,)).eval()
    network = make_network(module, task="segmentation", class_ids=tuple(range(4)))
    images = make_images(n=3, height=64, width=64, segments=True)
    rows = list(cross_test(network, ["zeros", "replicate"], images))
    target, pred = [], []
    for batch in images.batches():
        target.append(batch.target.flatten())
        pred.append(activations(network.padded("replicate"), network.normalise(batch.image)).logits.argmax(1).flatten())
    expected = 100 * jaccard_score(torch.cat(target), torch.cat(pred), average="macro", zero_division=0)
    assert by_measure(rows, "replicate")["miou_pct"]["value_pct"] == pytest.approx(expected)
    assert 0 < by_measure(rows, "replicate")["agreement_pct"]["value_pct"] <= 100
