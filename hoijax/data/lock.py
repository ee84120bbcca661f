"""One process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock


class LockedError(ValueError):
    """Another process holds the lock."""


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Holds the lock for this process. Raises LockedError at once when another has it.

    The lock is the kernel's: it ends with its holder, however that ends.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(file)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise LockedError(f"{file.parent}: another run is at work here; wait for it, or choose another place") from None
    try:
        yield
    finally:
        lock.release()
