"""Compiled programs and the operating system's limit on memory mappings.

XLA:CPU maps three regions for every kernel that it compiles or loads, a few thousand for a fit. Linux allows a process
65,530 (vm.max_map_count), and the next one ends in a segmentation fault. A process that fits many images of different
shapes, or under many options, therefore has to forget programs now and then; what it needs again is in the persistent cache.
"""

import gc
from pathlib import Path

import jax

MAPPINGS = Path("/proc/self/maps")
LIMIT = Path("/proc/sys/vm/max_map_count")
SHARE = 0.5  # of the limit: one fit more must still find room


def crowded() -> bool:
    """Whether this process holds more than half of the mappings that it may; False where the system does not tell."""
    try:
        with open(MAPPINGS, "rb") as held:
            return sum(1 for _ in held) > SHARE * int(LIMIT.read_text())
    except (OSError, ValueError):
        return False


def forget_programs_when_crowded() -> bool:
    """Between two fits: lets go of all compiled programs where mappings run short, and says whether it did."""
    if not crowded():
        return False
    jax.clear_caches()
    gc.collect()
    return True
