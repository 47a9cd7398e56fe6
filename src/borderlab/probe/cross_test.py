"""Weights trained with one padding, evaluated with others: how much a network relies on the border that it knows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int, Integer
from torch import Tensor

from borderlab.data.base import IGNORE_INDEX
from borderlab.evaluation.confusion import ConfusionMatrix
from borderlab.probe.feature_maps import activations
from borderlab.probe.images import ProbeImages
from borderlab.probe.networks import ProbedNetwork, Row

TOP_K = 5


@dataclass(frozen=True)
class Outcome:
    """Results by measure, in percent, and the predictions that they come from: (n), or pixels with a truth (m)."""

    values: dict[str, float]
    pred: Integer[Tensor, " n"]


def classify(network: ProbedNetwork, mode: str, images: ProbeImages) -> Outcome:
    """Top-1 and top-5 over all outputs, and over those of the data set's classes where the network has more."""
    module = network.padded(mode)
    ranked, own, target = [], [], []
    class_ids = torch.tensor(network.class_ids or (), dtype=torch.long)
    for batch in images.batches():
        logits = activations(module, network.normalise(batch.image)).logits.float().cpu()
        ranked.append(logits.topk(min(TOP_K, logits.shape[1])).indices)
        own.append(logits[:, class_ids])
        target.append(batch.target.long())
    guesses, scores, truth = torch.cat(ranked), torch.cat(own), torch.cat(target)
    if network.class_ids is None:
        return Outcome({}, guesses[:, 0])
    values = top_k_pct(guesses, class_ids[truth])
    if not network.is_run:
        values["own_top1_pct"] = _share_pct(scores.argmax(dim=1) == truth)
    return Outcome(values, guesses[:, 0])


def top_k_pct(guesses: Int[Tensor, "n k"], truth: Int[Tensor, " n"]) -> dict[str, float]:
    """Top-1 and, if there are that many guesses, top-5, in percent; the first guess is the best."""
    right = guesses == truth[:, None]
    values = {"top1_pct": _share_pct(right[:, 0])}
    return {**values, "top5_pct": _share_pct(right.any(dim=1))} if guesses.shape[1] == TOP_K else values


def segment(network: ProbedNetwork, mode: str, images: ProbeImages) -> Outcome:
    """MIoU over all images from one confusion matrix, and the predictions at pixels with a truth."""
    module = network.padded(mode)
    matrix = ConfusionMatrix(len(network.class_ids or ()))
    kept = []
    for batch in images.batches():
        logits = activations(module, network.normalise(batch.image)).logits
        pred = logits.argmax(dim=1).to(torch.uint8).cpu()
        matrix.update(batch.target, pred)
        kept.append(pred[batch.target != IGNORE_INDEX])
    return Outcome({"miou_pct": 100 * matrix.miou()}, torch.cat(kept))


def cross_test(network: ProbedNetwork, modes: Sequence[str], images: ProbeImages) -> Iterator[Row]:
    """Rows of table `cross_test` for one network: by tested mode and measure; none for an untrained network.

    `change_points` is the result minus that with the padding of training; `agreement_pct` is the share of equal
    predictions, right or wrong.
    """
    if not network.is_trained:
        return
    evaluate = segment if network.task == "segmentation" else classify
    known = evaluate(network, network.trained_mode, images)
    for mode in modes:
        found = known if mode == network.trained_mode else evaluate(network, mode, images)
        common = {"tested_mode": mode, "n_images": len(images)}
        for measure, value in found.values.items():
            yield {**common, "measure": measure, "value_pct": value, "change_points": value - known.values[measure]}
        same = _share_pct(found.pred == known.pred)
        yield {**common, "measure": "agreement_pct", "value_pct": same, "change_points": None}


def _share_pct(hits: Tensor) -> float:
    return 100 * float(hits.double().mean())
