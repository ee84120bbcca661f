"""A process that ends when its parent does."""

import multiprocessing
import os
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """Ends this process when its parent is gone, in whatever way, in the middle of whatever it does. For a thread."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
