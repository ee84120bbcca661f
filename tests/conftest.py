"""Shared by all tests: run-time checking of shapes, the CPU backend, and the paths of data that may or may not be there."""

import os
import signal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".cache" / "jax"))  # shared by the test processes
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")

# a shell starts what runs in its background deaf to Ctrl-C, and so would be the programs that tests interrupt
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from jaxtyping import install_import_hook

install_import_hook(["hoijax", "third_party_wrappers"], "beartype.beartype")

from collections.abc import Iterator

import pytest

from hoijax.dataset.mappings import forget_programs_when_crowded


@pytest.fixture(scope="session")
def basket() -> Path:
    """The real sample that the project may read but not ship; tests that need it are skipped, visibly, without it."""
    folder = ROOT.parent / "shared" / "data" / "basket"
    if not folder.is_dir():
        pytest.skip(f"the real sample {folder.name!r} is not on this machine")
    return folder


@pytest.fixture(autouse=True)
def room_for_programs() -> Iterator[None]:
    """A test process compiles more than the system lets one process map: see hoijax/dataset/mappings.py."""
    yield
    forget_programs_when_crowded()
