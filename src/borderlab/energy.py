"""Energy that a machine's own counters saw: RAPL packages (Linux) and GPUs (NVML), where they may be read.

Counters are of whole packages and GPUs: other processes on them count too. RAPL is often readable for root alone;
what cannot be read is absent, never guessed.
"""

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

RAPL = Path("/sys/class/powercap")
_NVML = "libnvidia-ml.so.1"


def counters() -> dict[str, int]:
    """Joules times a million since some start, by counter, such as `package-0` and `gpu-0`."""
    return {**_packages(), **_gpus()}


def joules_since(start: dict[str, int]) -> dict[str, float]:
    """Joules of each counter of `start` that can still be read."""
    now = counters()
    return {name: round(_step(name, before, now[name]) / 1e6, 3) for name, before in start.items() if name in now}


def _step(name: str, before: int, now: int) -> int:
    """From one reading to the next; RAPL starts again at 0 after its range."""
    return now - before if now >= before else now - before + _ranges().get(name, 0)


def _packages() -> dict[str, int]:
    return {name: value for name, folder in _zones().items() if (value := _read(folder / "energy_uj")) is not None}


@cache
def _ranges() -> dict[str, int]:
    return {name: _read(folder / "max_energy_range_uj") or 0 for name, folder in _zones().items()}


def _zones() -> dict[str, Path]:
    # One colon: a package; its parts, which it holds already, have two.
    folders = [path for path in sorted(RAPL.glob("intel-rapl:*")) if path.name.count(":") == 1]
    return {f"package-{folder.name.partition(':')[2]}": folder for folder in folders}


def _read(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _gpus() -> dict[str, int]:
    nvml = _nvml()
    if nvml is None:
        return {}
    count = ctypes.c_uint()
    if nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
        return {}
    found = {}
    for index in range(count.value):
        device, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
        if nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device)) != 0:
            continue
        if nvml.nvmlDeviceGetTotalEnergyConsumption(device, ctypes.byref(millijoules)) == 0:
            found[f"gpu-{index}"] = millijoules.value * 1000
    return found


@cache
def _nvml() -> Any:
    """NVIDIA's management library, started; None without one."""
    try:
        library = ctypes.CDLL(_NVML)
        return library if library.nvmlInit_v2() == 0 else None
    except (OSError, AttributeError):
        return None
