"""Real signals, sent to this process and to a child."""

import os
import signal
import subprocess
import sys

import pytest
from tests.workflow.running import ROOT

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


@pytest.mark.parametrize("number", SIGNALS)
def test_processes_that_load_outlive_a_signal_to_all_of_them(number: signal.Signals) -> None:
    """Slurm and a keyboard signal a whole job: the step at hand needs its batch, and batches come from workers."""
    program = f"""
import os, subprocess
from tests.data.test_data_loader import loader
from borderlab.training.interruption import signals_noted
with signals_noted() as interruption:
    batches = iter(loader(workers=2, n=24))
    next(batches)
    subprocess.run(["setsid", "kill", "-{int(number)}", "--", f"-{{os.getpid()}}"], check=True)
    print(sum(1 for _ in batches), interruption.signal_name)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, start_new_session=True, timeout=120
    )
    assert done.stdout == f"5 {number.name}\n", done.stderr
    assert done.returncode == 0


def test_processes_that_load_end_with_the_one_that_trains() -> None:
    """A fault with batches under way: nothing may wait for workers that hear no SIGTERM."""
    program = """
from tests.data.test_data_loader import loader
batches = iter(loader(workers=2, n=24))
next(batches)
1 / 0
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=120)
    assert "ZeroDivisionError" in done.stderr
