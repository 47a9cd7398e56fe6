"""Real signals, sent to this process and to a child."""

import os
import signal
import subprocess
import sys

import pytest

from borderlab.training.interruption import SIGNALS, signals_noted


@pytest.mark.parametrize("number", SIGNALS)
def test_first_signal_is_noted_and_handlers_come_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with signals_noted() as interruption:
        assert not interruption
        os.kill(os.getpid(), number)
        assert interruption.signal_name == number.name
    assert signal.getsignal(number) is before


def test_second_signal_ends_the_process() -> None:
    program = """
import os, signal
from borderlab.training.interruption import signals_noted
with signals_noted():
    os.kill(os.getpid(), signal.SIGTERM)
    print("noted", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    print("never said")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "noted\n"
    assert done.returncode == -signal.SIGTERM
