"""Schedules against values worked out by hand."""

import pytest

from borderlab.spec import ScheduleSpec
from borderlab.training.schedule import lr_factor


def test_step_falls_by_ten_every_thirty_epochs() -> None:
    step = ScheduleSpec(name="step", step_epochs=30, step_factor=0.1)
    factors = [lr_factor(step, epoch, 100) for epoch in (0, 29.99, 30, 60, 90)]
    assert factors == pytest.approx([1, 1, 0.1, 0.01, 0.001])


def test_poly_of_power_one_is_a_line_to_zero() -> None:
    poly = ScheduleSpec(name="poly", poly_power=1.0)
    assert [lr_factor(poly, epoch, 10) for epoch in (0, 2.5, 5, 10)] == pytest.approx([1, 0.75, 0.5, 0])


def test_cosine_starts_at_one_and_ends_at_zero() -> None:
    cosine = ScheduleSpec(name="cosine")
    assert [lr_factor(cosine, epoch, 8) for epoch in (0, 4, 8)] == pytest.approx([1, 0.5, 0])


def test_constant_stays() -> None:
    assert lr_factor(ScheduleSpec(name="constant"), 7, 8) == 1


def test_warmup_rises_from_almost_nothing_to_the_schedule() -> None:
    warm = ScheduleSpec(name="constant", warmup_epochs=2)
    factors = [lr_factor(warm, epoch, 10) for epoch in (0, 0.5, 1, 2, 3)]
    assert 0 < factors[0] < 0.001
    assert factors == sorted(factors)
    assert factors[-2:] == [1, 1]


def test_restarted_poly_falls_twice() -> None:
    """The published `scl-poly`: (1 - e/175), then from epoch 100 anew (1 - (e - 100)/75)^1.5."""
    schedule = ScheduleSpec(name="restarted_poly", poly_power=1.0, restart_epoch=100, restart_power=1.5)
    assert lr_factor(schedule, 0, 175) == 1
    assert lr_factor(schedule, 99.9, 175) == pytest.approx(1 - 99.9 / 175)
    assert lr_factor(schedule, 100, 175) == 1
    assert lr_factor(schedule, 137.5, 175) == pytest.approx(0.5**1.5)
    assert lr_factor(schedule, 175, 175) == 0


def test_restart_may_begin_lower() -> None:
    schedule = ScheduleSpec(name="restarted_poly", restart_epoch=4, restart_factor=0.25, restart_power=1.0)
    assert [lr_factor(schedule, epoch, 8) for epoch in (4, 6)] == pytest.approx([0.25, 0.125])
