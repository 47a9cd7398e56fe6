"""Order of the samples: what holds for every set, epoch length and seed."""

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from borderlab.data.loader import Normalisation, TrainingLoader


class Names:
    """A source that is asked for nothing but its length."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def load(self, index: int) -> Any:
        raise AssertionError("an order needs no samples")

    def sample_id(self, index: int) -> str:
        return str(index)


def loader(n: int, drawn: int | None, batch_size: int, seed: int) -> TrainingLoader:
    normalisation = Normalisation((0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
    return TrainingLoader(
        Names(n), lambda *sample: sample[:2], normalisation, batch_size=batch_size, seed=seed, samples_per_epoch=drawn
    )


LESS = settings(max_examples=50, deadline=None)
COUNTS = st.integers(1, 40)


@LESS
@given(COUNTS, COUNTS, st.integers(1, 12), st.integers(0, 2**40))
def test_no_sample_is_drawn_twice_more_than_another(n: int, drawn: int, epochs: int, seed: int) -> None:
    made = loader(n, drawn, 1, seed)
    counts = Counter(dict.fromkeys(range(n), 0))
    for epoch in range(epochs):
        made.set_epoch(epoch)
        order = made.order().tolist()
        assert len(order) == drawn
        counts.update(order)
    assert max(counts.values()) - min(counts.values()) <= 1


@LESS
@given(COUNTS, COUNTS, st.integers(1, 9), st.integers(0, 30), st.integers(0, 10**6))
def test_draws_from_a_batch_on_are_the_rest_of_all_draws(
    n: int, drawn: int, batch_size: int, first_batch: int, epoch: int
) -> None:
    made = loader(n, drawn, batch_size, seed=1)
    made.set_epoch(epoch)
    whole = made.draws()
    assert len(whole) == len(made)
    assert [place for batch in whole for _, place, *_ in batch] == list(range(len(made) * batch_size))
    made.set_epoch(epoch, first_batch)
    assert made.draws() == whole[first_batch:]
