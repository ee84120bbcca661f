"""Trees of samples, a finished result to copy, and the program as a process that can be killed and looked for."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from hoijax.data.options import plain_options
from hoijax.presets import PRESETS

ROOT = Path(__file__).resolve().parents[2]
LIGHT = Path(__file__).with_name("light_run.py")


class Program(NamedTuple):
    """A running program; every process that came of it carries `mark` in its environment."""

    process: subprocess.Popen[str]
    mark: str

    def pids(self) -> list[int]:
        """Its processes that live, the first one's and its children's."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    own = self.mark.encode() in (entry / "environ").read_bytes()
                    dead = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
                except OSError:
                    continue
                found += [int(entry.name)] * (own and not dead)
        return sorted(found)

    def workers(self) -> list[int]:
        """Its worker processes: those that multiprocessing spawned."""
        return [pid for pid in self.pids() if b"spawn_main" in command(pid)]

    def kill(self, pid: int | None = None) -> None:
        """kill -9 of the driver, or of one of its workers."""
        with suppress(ProcessLookupError):
            os.kill(pid or self.process.pid, signal.SIGKILL)
        if pid is None:
            self.process.wait()

    def end(self, timeout: float = 120) -> tuple[int, str, str]:
        """Exit status and output, once it has ended."""
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, err

    def gone(self, timeout: float = 20) -> bool:
        """Whether nothing of it is left, after a moment."""
        return until(lambda: not self.pids(), timeout)


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def until(true: Callable[[], bool], timeout: float = 60) -> bool:
    """Waits until something is true; False when it does not become so."""
    end = time.monotonic() + timeout
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    """Starts a program; whatever of it lives at the end of the test is ended then."""
    begun: list[Program] = []

    def begin(*arguments: object, **environment: str) -> Program:
        mark = f"HOIJAX_TEST_{uuid.uuid4().hex}"
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, mark: "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        begun.append(Program(process, mark))
        return begun[-1]

    yield begin
    for program in begun:
        program.kill()
        for pid in program.pids():
            program.kill(pid)
        program.process.communicate()


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a finished result folder of the default config looks like, as far as a run looks at it."""
    folder = tmp_path_factory.mktemp("pattern")
    record = {
        "schema": 1,
        "name": "x",
        "options": plain_options(PRESETS["hoijax"]()),
        "metrics": {"iou_object": {"start": 0.5, "result": 0.75}},
        "seconds": {"prepare": 1.0, "fit": 2.0, "total": 3.0},
        "dropped": 0,
        "notes": [],
    }
    (folder / "result.json").write_text(json.dumps(record))
    for name in ("human_mesh.obj", "object_mesh.obj", "overlay.png", "thumbnail.jpg"):
        (folder / name).write_bytes(os.urandom(200_000))
    return folder


@pytest.fixture
def light(start: Callable[..., Program], pattern: Path) -> Callable[..., Program]:
    """Starts a run whose work is to copy a result, which takes so many seconds."""

    def begin(data: Path, out: Path, *options: str, seconds: float = 0.02) -> Program:
        cache = "--compile_cache="
        return start(LIGHT, pattern, seconds, f"--data={data}", f"--out={out}", cache, *options)

    return begin


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[int], Path]:
    """Makes a data tree of folders that look like samples to whoever does not read them."""

    def make(count: int) -> Path:
        for i in range(count):
            sample = tmp_path / "data" / ("cup", "ball")[i % 2] / f"hold_{i}"
            sample.mkdir(parents=True)
            (sample / "image.jpg").write_bytes(b"x")
        return tmp_path / "data"

    return make


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., bool]:
    """Waits until something is true; False when it does not become so."""
    return until


@pytest.fixture(scope="session")
def standing() -> Callable[[Path], dict[str, tuple[int, int]]]:
    """Every finished result of a tree, with what changes when it is written again: its inode and its time."""

    def look(out: Path) -> dict[str, tuple[int, int]]:
        found = [path for path in out.glob("*/*/result.json") if not path.parent.name.startswith(".")]
        return {
            path.parent.relative_to(out).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns) for path in found
        }

    return look
