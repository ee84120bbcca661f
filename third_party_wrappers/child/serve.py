"""The job loop of every main.py: reads the list, works through it, tells how each job ended.

Run by the model's own python, which may be old (3.8), so: standard library only, nothing newer. Reports are JSON lines
on the stdout that the process was started with; whatever the model prints goes to stderr, which is the log.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Callable, NamedTuple  # noqa: UP035 - python 3.8


class Job(NamedTuple):
    """Input files by name, the folder to write into (empty, there once its turn comes), and all of the options."""

    inputs: dict[str, Path]
    out: Path
    options: dict[str, Any]


class Settings(NamedTuple):
    """Where the model's files are, the device that it was given (auto, cpu, cuda, cuda:1), and what is to come."""

    repository: Path | None
    checkpoint: Path | None
    device: str
    jobs: list[Job]


# Does one job; raises when it cannot be done.
Work = Callable[[Job], None]


def serve(load: Callable[[Settings], Work]) -> None:
    """Loads the model once and works through the list of --jobs. A job that raises fails alone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", required=True, help="JSON list of jobs: inputs, out, options")
    parser.add_argument("--repository", type=Path)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--end_with_parent", action="store_true", help="end, children too, when stdin is closed")
    flags = parser.parse_args()
    sys.argv = sys.argv[:1]  # some repositories read it while they are imported
    if flags.end_with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def report(**entry: Any) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        reports.write(json.dumps({**entry, "log": os.fstat(2).st_size}) + "\n")
        reports.flush()

    jobs = [_job(entry) for entry in json.loads(Path(flags.jobs).read_text(encoding="utf-8"))]
    work = load(Settings(flags.repository, flags.checkpoint, flags.device, jobs))
    for number, job in enumerate(jobs):
        report(job=number, state="begun")
        began = time.monotonic()
        error, fatal = _attempt(work, job)
        report(job=number, state="failed" if error else "done", error=error, seconds=time.monotonic() - began)
        if fatal:
            sys.exit("the process is given up after this failure; the jobs that are left go on in a new one")


def device(name: str) -> str:
    """The device that a name means in torch: auto is a GPU where torch sees one. Raises RuntimeError without it."""
    import torch

    seen = torch.cuda.is_available()
    if name.startswith("cuda") and not seen:
        raise RuntimeError(f"--device={name}, but torch {torch.__version__} sees no GPU")
    return ("cuda" if seen else "cpu") if name == "auto" else name


def photo(path: Path, mode: str = "RGB") -> Any:
    """A picture (PIL), upright as its EXIF orientation says."""
    from PIL import Image, ImageOps

    with Image.open(path) as picture:
        return ImageOps.exif_transpose(picture).convert(mode)


def _job(entry: dict[str, Any]) -> Job:
    return Job({name: Path(path) for name, path in entry["inputs"].items()}, Path(entry["out"]), entry["options"])


def _attempt(work: Work, job: Job) -> tuple[str | None, bool]:
    """Does a job. What went wrong in a sentence, None if nothing did; and whether the process is of no use after it."""
    try:
        job.out.mkdir(parents=True)
        work(job)
    except Exception as error:
        traceback.print_exc()
        words = "{}: {}".format(type(error).__name__, " ".join(str(error).split())[:500])
        memory = isinstance(error, MemoryError) or "out of memory" in words.lower()
        return ("out of memory: " + words if memory else words), memory or "CUDA error" in words
    return None, False


def _end_with_parent() -> None:
    """Ends the whole process group once the parent, which holds the other end of stdin, is gone."""
    while os.read(0, 1):  # not through sys.stdin, whose lock would disturb the interpreter's end
        pass
    if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
