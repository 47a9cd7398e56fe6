"""Loaders: the same bits whatever the number of workers, and from any epoch on."""

import logging

import numpy as np
import pytest
import torch
from numpy.random import Generator

from borderlab.data.augment import augment_segmentation
from borderlab.data.loader import (
    Batch,
    EvaluationLoader,
    InMemory,
    Normalisation,
    Pixels,
    Sample,
    Target,
    TrainingLoader,
)
from borderlab.errors import DataError
from borderlab.spec import AugmentSpec

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


def test_workers_decide_no_bit() -> None:
    assert torch.equal(images(loader(), 3), images(loader(workers=2), 3))


def test_epochs_and_seeds_differ() -> None:
    made = loader()
    assert not torch.equal(images(made, 0), images(made, 1))
    assert not torch.equal(images(made, 0), images(loader(seed=8), 0))


def test_one_sample_is_changed_in_another_way_at_each_epoch_and_place() -> None:
    made = loader(n=1, samples_per_epoch=4)
    drawn = torch.cat([images(made, 0), images(made, 1)])
    assert len({image.numpy().tobytes() for image in drawn}) == 8


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


def test_fewer_samples_than_there_are_use_each_equally_over_the_epochs() -> None:
    made = loader(samples_per_epoch=4)
    drawn: list[int] = []
    for epoch in range(10):
        made.set_epoch(epoch)
        drawn += made.order().tolist()
    assert [drawn.count(index) for index in range(10)] == [4] * 10


def test_an_empty_set_has_no_batches() -> None:
    made = loader(n=0, samples_per_epoch=8)
    assert len(made) == 0
    assert list(made) == []


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


@pytest.mark.parametrize(("limit", "loads", "said"), [(10**6, 1, "kept in memory"), (100, 4, "decoded each time")])
def test_small_sets_are_decoded_once_and_large_ones_are_not_kept(
    limit: int, loads: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = Squares(3)
    with caplog.at_level(logging.INFO, logger="borderlab.data.source"):
        kept = InMemory(source, limit)
    for _ in range(3):
        kept.load(0)
    assert source.loads[0] == loads
    assert [said in record.getMessage() for record in caplog.records] == [True]


def test_a_set_that_turns_out_larger_than_its_first_sample_is_not_kept() -> None:
    # 4 bytes for each pixel: 16 at first, 3 x 16 expected; 400 in truth.
    source = Squares(3, sizes=(2, 10, 10))
    kept = InMemory(source, limit_bytes=100)
    assert kept.samples == []
    assert source.loads == [1, 1, 0]
    assert kept.load(2)[0].shape == (10, 10, 3)


def test_an_empty_set_has_nothing_to_decode() -> None:
    assert len(InMemory(Squares(0))) == 0


def test_kept_samples_cannot_be_written_to_but_their_owners_can() -> None:
    class Embedded(Squares):
        pixels = np.zeros((4, 4, 3), np.uint8)

        def load(self, index: int) -> Sample:
            return self.pixels, index

    image, target = InMemory(Embedded(2)).load(1)
    with pytest.raises(ValueError, match="read-only"):
        image += 1
    assert target == 1
    Embedded.pixels += 1
    assert Embedded.pixels.max() == 1


@pytest.mark.parametrize("workers", [0, 1])
def test_a_fault_of_the_data_stays_one_line(workers: int) -> None:
    class Damaged(Squares):
        def load(self, index: int) -> Sample:
            if index == 5:
                raise DataError("street.png: is no readable image; fetch it again")
            return super().load(index)

    normalisation = Normalisation(MEAN, STD)
    training = TrainingLoader(Damaged(), noisy, normalisation, batch_size=10, seed=0, workers=workers)
    held_out = EvaluationLoader(
        Damaged(), lambda image: image, normalisation, batch_size=4, n_classes=3, workers=workers
    )
    for made in (training, held_out):
        with pytest.raises(DataError) as caught:
            list(made)
        assert str(caught.value) == "street.png: is no readable image; fetch it again"


def test_torchs_own_random_numbers_are_left_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    images(loader(), 0)
    evaluation(Squares(4))
    assert torch.equal(torch.rand(3), expected)


def test_resuming_at_a_batch_replays_nothing_and_changes_no_bit() -> None:
    whole = images(loader(), 3)
    source = Squares()
    resumed = TrainingLoader(source, noisy, Normalisation(MEAN, STD), batch_size=4, seed=7)
    resumed.set_epoch(3, first_batch=1)
    assert len(resumed) == 2
    assert torch.equal(torch.cat([batch.image for batch in resumed]), whole[4:])
    assert sum(source.loads) == 4


def test_the_epoch_that_runs_is_not_changed_by_choosing_the_next() -> None:
    made = loader()
    names = [batch.sample_ids for batch in made]
    begun = iter(made)
    made.set_epoch(1)
    assert [batch.sample_ids for batch in begun] == names


class Scenes(Squares):
    """Noise with labels, large enough that OpenCV works in several threads."""

    def load(self, index: int) -> Sample:
        random = np.random.default_rng(index)
        return random.integers(0, 256, (300, 400, 3), dtype=np.uint8), random.integers(0, 5, (300, 400), dtype=np.uint8)


SPEC = AugmentSpec(crop=(200, 240), brightness=0.3, contrast=0.3, saturation=0.3, hue=0.2, blur_sigma=(0.0, 1.0))


def augmented(image: Pixels, target: Target, random: Generator) -> Sample:
    return augment_segmentation(image, np.asarray(target), SPEC, (0, 0, 0), random)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_decide_no_bit_of_real_changes(workers: int) -> None:
    def batches(workers: int) -> list[Batch]:
        normalisation = Normalisation(MEAN, STD)
        made = TrainingLoader(InMemory(Scenes(8)), augmented, normalisation, batch_size=3, seed=1, workers=workers)
        return list(made)

    # First in this process, so that OpenCV's threads exist when the workers are forked.
    for alone, shared in zip(batches(0), batches(workers), strict=True):
        assert torch.equal(alone.image, shared.image)
        assert torch.equal(alone.target, shared.target)
        assert alone.sample_ids == shared.sample_ids


def test_workers_decide_no_bit_of_an_evaluation() -> None:
    assert evaluation(Squares(7, sizes=(6, 8, 8)), workers=2) == evaluation(Squares(7, sizes=(6, 8, 8)))


def test_targets_are_classes_or_labels_of_64_bits() -> None:
    class Classes(Squares):
        def load(self, index: int) -> Sample:
            return super().load(index)[0], index

    made = EvaluationLoader(Classes(4), lambda image: image, Normalisation(MEAN, STD), batch_size=4, n_classes=4)
    (batch,) = list(made)
    assert (batch.target.tolist(), batch.target.dtype) == ([0, 1, 2, 3], torch.int64)
    assert next(iter(loader())).target.shape == (4, 6, 6)


def evaluation(source: Squares, workers: int = 0) -> list[tuple[str, ...]]:
    made = EvaluationLoader(
        source, lambda image: image, Normalisation(MEAN, STD), batch_size=3, n_classes=11, workers=workers
    )
    return [batch.sample_ids for batch in made]


def test_evaluation_keeps_the_order_and_the_last_batch() -> None:
    assert [len(names) for names in evaluation(Squares(7))] == [3, 3, 1]
    assert [name for names in evaluation(Squares(7)) for name in names] == [f"square {index}" for index in range(7)]


def test_images_of_other_sizes_begin_a_new_batch() -> None:
    assert [len(names) for names in evaluation(Squares(4, sizes=(6, 6, 8)))] == [2, 1, 1]
