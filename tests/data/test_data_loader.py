"""Loaders: the same bits whatever the number of workers, and from any epoch on."""

import numpy as np
import pytest
import torch
from numpy.random import Generator

from borderlab.data.loader import (
    EvaluationLoader,
    InMemory,
    Normalisation,
    Pixels,
    Sample,
    Target,
    TrainingLoader,
)

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.5)


class Squares:
    """Images of one brightness each; counts how often each is loaded."""

    def __init__(self, n: int = 10, sizes: tuple[int, ...] = (6,)) -> None:
        self.n, self.sizes = n, sizes
        self.loads = [0] * n

    def __len__(self) -> int:
        return self.n

    def load(self, index: int) -> Sample:
        self.loads[index] += 1
        side = self.sizes[index % len(self.sizes)]
        return np.full((side, side, 3), 10 * index, np.uint8), np.full((side, side), index, np.uint8)

    def sample_id(self, index: int) -> str:
        return f"square {index}"


def noisy(image: Pixels, target: Target, random: Generator) -> Sample:
    return image + random.integers(0, 5, image.shape, dtype=np.uint8), target


def loader(workers: int = 0, n: int = 10, **changes: object) -> TrainingLoader:
    settings = {"batch_size": 4, "seed": 7, "workers": workers, **changes}
    return TrainingLoader(Squares(n), noisy, Normalisation(MEAN, STD), **settings)  # type: ignore[arg-type]


def images(made: TrainingLoader, epoch: int) -> torch.Tensor:
    made.set_epoch(epoch)
    return torch.cat([batch.image for batch in made])


def test_same_seed_same_bits() -> None:
    assert torch.equal(images(loader(), 3), images(loader(), 3))


@pytest.mark.slow
def test_workers_decide_no_bit() -> None:
    assert torch.equal(images(loader(), 3), images(loader(workers=2), 3))


def test_epochs_and_seeds_differ() -> None:
    made = loader()
    assert not torch.equal(images(made, 0), images(made, 1))
    assert not torch.equal(images(made, 0), images(loader(seed=8), 0))


def test_epoch_does_not_depend_on_those_before() -> None:
    made = loader()
    images(made, 0)
    assert torch.equal(images(made, 5), images(loader(), 5))


def test_incomplete_last_batch_is_dropped() -> None:
    made = loader()
    assert len(made) == 2
    assert [len(batch.sample_ids) for batch in made] == [4, 4]


def test_each_sample_once_in_an_epoch() -> None:
    names = [name for batch in loader(n=12) for name in batch.sample_ids]
    assert sorted(names) == sorted(f"square {index}" for index in range(12))


def test_more_samples_than_there_are_draws_every_one_again() -> None:
    made = loader(n=5, samples_per_epoch=20)
    assert len(made) == 5
    order = made.order().tolist()
    assert [order.count(index) for index in range(5)] == [4] * 5
    assert order[:5] != order[5:10]


def test_fewer_samples_than_there_are_change_from_epoch_to_epoch() -> None:
    made = loader(samples_per_epoch=4)
    drawn = set()
    for epoch in range(10):
        made.set_epoch(epoch)
        drawn |= set(made.order().tolist())
    assert drawn == set(range(10))


def test_normalisation_is_minus_mean_over_deviation() -> None:
    pixels = torch.tensor([[[[255, 0, 51]]]], dtype=torch.uint8)
    expected = torch.tensor([(1 - 0.5) / 0.2, (0 - 0.4) / 0.25, (0.2 - 0.3) / 0.5])
    for layout in ("contiguous", "channels_last"):
        out = Normalisation(MEAN, STD, layout)(pixels)  # type: ignore[arg-type]
        assert torch.allclose(out.flatten(), expected, atol=1e-6)


def test_memory_format_is_the_one_asked_for() -> None:
    pixels = torch.zeros((2, 5, 6, 3), dtype=torch.uint8)
    assert Normalisation(MEAN, STD)(pixels).is_contiguous(memory_format=torch.channels_last)
    assert Normalisation(MEAN, STD, "contiguous")(pixels).is_contiguous()


def test_fill_is_nearest_to_zero_after_normalisation() -> None:
    normalisation = Normalisation(MEAN, STD)
    pixels = torch.tensor(normalisation.fill, dtype=torch.uint8).reshape(1, 1, 1, 3)
    assert normalisation(pixels).abs().max() < 0.5 / 255 / min(STD) + 1e-6


def test_small_sets_are_decoded_once_and_large_ones_are_not_kept() -> None:
    for limit, loads in ((10**6, 2), (100, 4)):
        source = Squares(3)
        kept = InMemory(source, limit)
        for _ in range(3):
            kept.load(0)
        assert source.loads[0] == loads


def evaluation(source: Squares) -> list[tuple[str, ...]]:
    made = EvaluationLoader(source, lambda image: image, Normalisation(MEAN, STD), batch_size=3, n_classes=11)
    return [batch.sample_ids for batch in made]


def test_evaluation_keeps_the_order_and_the_last_batch() -> None:
    assert [len(names) for names in evaluation(Squares(7))] == [3, 3, 1]
    assert [name for names in evaluation(Squares(7)) for name in names] == [f"square {index}" for index in range(7)]


def test_images_of_other_sizes_begin_a_new_batch() -> None:
    assert [len(names) for names in evaluation(Squares(4, sizes=(6, 6, 8)))] == [2, 1, 1]
