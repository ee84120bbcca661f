"""How many images a device bears at once."""

from collections.abc import Sequence

import jax

SHARE = 0.8  # of the free memory that a batch may plan with: allocators leave gaps
MOST = 128  # images on a device at once; a guess, as no GPU was at hand to measure


def bearable_batch(bytes_per_image: int, free: Sequence[int]) -> int:
    """The largest power of two of images for each device that its free memory (bytes) holds; times the number of devices.

    1 for each where one does not tell its memory (0): CPUs, where batches do not pay (docs/scale.md).
    """
    if 0 in free:
        return len(free)
    fits = max(1, min(MOST, int(SHARE * min(free)) // max(bytes_per_image, 1)))
    return len(free) * 2 ** (fits.bit_length() - 1)


def free_bytes(device: jax.Device) -> int:
    """Bytes of the device's memory that jax may still take, 0 where it does not tell."""
    found = device.memory_stats() or {}
    return max(0, found.get("bytes_limit", 0) - found.get("bytes_in_use", 0))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, or the host, had no room."""
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error) or "out of memory" in str(error).lower()
