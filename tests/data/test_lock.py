"""A lock that one process holds is refused to another at once, and is free when it lets go or dies."""

import subprocess
import sys
from pathlib import Path

import pytest

from hoijax.data.lock import LockedError, held

HOLD = """
import sys
from pathlib import Path
from hoijax.data.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_processes_do_not_share_a_lock(tmp_path: Path) -> None:
    file = tmp_path / "out" / ".lock"
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(LockedError, match="another run is at work here"), held(file):
        pass
    other.kill()
    other.wait()
    with held(file):
        pass
