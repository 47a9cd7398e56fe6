"""What fewer seeds save, and what they cost in certainty."""

from collections.abc import Iterator
from dataclasses import dataclass

from borderlab.budget.assumptions import Speed
from borderlab.budget.estimate import device_hours
from borderlab.plan import Plan
from borderlab.statistics.power import minimum_detectable_effect

FEWEST_SEEDS = 2


@dataclass(frozen=True)
class SeedOption:
    """A study with some number of seeds; `detectable_sd` in standard deviations of paired differences."""

    is_planned: bool
    study: str
    n_seeds: int
    saved_hours: float
    detectable_sd: float


def seed_options(plan: Plan, speed: Speed) -> Iterator[SeedOption]:
    """Every study with more than two seeds, as it is planned and with each smaller number down to two.

    A run that two studies share counts as saved in neither: another study still needs it.
    """
    for study in plan.config.studies:
        own = [run.spec for run in plan.runs.values() if study.name in run.studies]
        alone = [run.spec for run in plan.runs.values() if run.studies == [study.name]]
        seeds = sorted({spec.seed for spec in own})
        for n_seeds in range(len(seeds), FEWEST_SEEDS - 1, -1):
            dropped = set(seeds[n_seeds:])
            saved = sum(device_hours(plan, spec, speed) for spec in alone if spec.seed in dropped)
            yield SeedOption(n_seeds == len(seeds), study.name, n_seeds, saved, minimum_detectable_effect(1.0, n_seeds))
