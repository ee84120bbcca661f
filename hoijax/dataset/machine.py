"""What this machine has for a run: cores, memory, accelerators."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

WORKER_BYTES = 1_500_000_000  # what one worker takes at 256 px on a CPU


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> int:
    """Bytes that this process and its children may still take: of the machine, and of its control group."""
    return min(_free_on_machine(), *_free_in_groups())


def cpu_workers() -> int:
    """Workers that this machine bears without an accelerator: one for each core, as far as memory allows."""
    return max(1, min(cores(), free_memory() // WORKER_BYTES))


@cache
@cache
def device_environments() -> list[Mapping[str, str]]:
    """For each GPU the environment in which a process sees only that one; none on a CPU; one for all other devices.

    A process of its own looks: the driver must not take hold of an accelerator that its workers are to use.
    """
    if os.environ.get("JAX_PLATFORMS") == "cpu":
        return []
    code = "import jax; print(jax.default_backend(), jax.local_device_count())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"JAX finds no device: {done.stderr.strip().splitlines()[-1]}")
    backend, count = done.stdout.split()[-2:]
    if backend != "gpu":
        return [] if backend == "cpu" else [{}]
    given = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = given.split(",") if given else [str(i) for i in range(int(count))]
    return [{"CUDA_VISIBLE_DEVICES": name} for name in names[: int(count)]]


def grouped(environments: Sequence[Mapping[str, str]], count: int) -> list[Mapping[str, str]]:
    """Environments of so many workers: with fewer workers than GPUs each sees several, among which it divides a batch."""
    if not 0 < count < len(environments):
        return list(environments)
    return [
        {name: ",".join(each[name] for each in environments[i::count]) for name in environments[i]}
        for i in range(count)
    ]


def _free_on_machine() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        table = dict(line.split(":") for line in lines)
        return int(table["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _free_in_groups() -> list[int]:
    """What is left below each limit of a control group, of either version."""
    root = Path("/sys/fs/cgroup")
    pairs = [
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ]
    found = [sys.maxsize]
    for limit, used in pairs:
        try:
            found.append(int((root / limit).read_text()) - int((root / used).read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return found
