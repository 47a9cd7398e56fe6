"""Learning-rate schedules as pure functions of the progress: nothing to store, nothing to resume."""

import math

from borderlab.spec import ScheduleSpec


def lr_factor(schedule: ScheduleSpec, epoch: float, epochs: int) -> float:
    """Factor on the recipe's learning rate.

    Args:
        schedule: the schedule.
        epoch: progress in epochs, from 0 (before the first step) to `epochs`; fractions are steps within an epoch.
        epochs: length of training.

    Returns:
        A factor in 0..1. Warm-up rises linearly to the schedule's own value.
    """
    warmup = schedule.warmup_epochs
    rise = 1.0 if epoch >= warmup else (epoch + 1e-3) / (warmup + 1e-3)
    return rise * _BODIES[schedule.name](schedule, epoch, epochs)


def _constant(schedule: ScheduleSpec, epoch: float, epochs: int) -> float:
    return 1.0


def _poly(schedule: ScheduleSpec, epoch: float, epochs: int) -> float:
    return (1.0 - epoch / epochs) ** schedule.poly_power


def _restarted_poly(schedule: ScheduleSpec, epoch: float, epochs: int) -> float:
    """A fall over all of training, cut off by a second one over what is left (`scl-poly` of Zhu et al.'s code)."""
    if epoch < schedule.restart_epoch:
        return _poly(schedule, epoch, epochs)
    done = (epoch - schedule.restart_epoch) / (epochs - schedule.restart_epoch)
    return schedule.restart_factor * (1.0 - done) ** schedule.restart_power


def _step(schedule: ScheduleSpec, epoch: float, epochs: int) -> float:
    return schedule.step_factor ** (int(epoch) // schedule.step_epochs)


def _cosine(schedule: ScheduleSpec, epoch: float, epochs: int) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * epoch / epochs))


_BODIES = {
    "constant": _constant,
    "poly": _poly,
    "restarted_poly": _restarted_poly,
    "step": _step,
    "cosine": _cosine,
}
