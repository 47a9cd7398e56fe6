"""Signals that ask a training run to stop: it writes a checkpoint after the step at hand, and ends.

SIGTERM comes from a preemption, a walltime's end or a cancelled job; SIGUSR1 from a site's early warning
(`sbatch --signal=USR1@300`); SIGINT from the keyboard. A second signal ends the process at once, as usual.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from borderlab.errors import BorderlabError

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class InterruptedRunError(BorderlabError):
    """A run that stopped because it was asked to, with a checkpoint to go on from."""

    # EX_TEMPFAIL of sysexits.h: try again later.
    exit_code = 75


@dataclass
class Interruption:
    """The signal that came, if any."""

    signal_name: str | None = None

    def __bool__(self) -> bool:
        return self.signal_name is not None


@contextmanager
def signals_noted() -> Iterator[Interruption]:
    """While this lasts, the first of `SIGNALS` is noted in place of ending the process."""
    interruption = Interruption()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        interruption.signal_name = signal.Signals(number).name
        restore()

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield interruption
    finally:
        restore()
