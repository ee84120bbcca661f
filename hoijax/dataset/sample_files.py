"""The files of one task: its sample read, its result written, and what to say when either cannot be."""

import errno
import os
import shutil
import traceback
from pathlib import Path

from hoijax.data.read import load_sample
from hoijax.data.results import Result, is_finished, save_result
from hoijax.data.sample import Sample, SampleError
from hoijax.dataset.reconstruct import StageError, staged
from hoijax.dataset.tasks import VANISHED, Outcome, Settings, Task
from hoijax.optimize.fit import NotFiniteError
from hoijax.report.folder import result_pages, result_pictures

FULL = (errno.ENOSPC, errno.EDQUOT)
SPARE = 1 << 20  # bytes: a disk with less than this is full, whatever an error says


def read(task: Task, settings: Settings, seconds: dict[str, float]) -> Sample:
    """The sample. Raises StageError, also when its result could not be written anyway."""
    if not settings.overwrite and os.path.lexists(task.out) and not is_finished(task.out):
        with staged("write", seconds):
            raise FileExistsError(f"{task.out}: stands in the way and is no finished result; remove it")
    with staged("read", seconds):
        return load_sample(task.folder)


def write(task: Task, sample: Sample, result: Result, settings: Settings, seconds: dict[str, float]) -> None:
    """The result folder. One that a former run's last worker finished meanwhile is as good. Raises StageError."""
    with staged("write", seconds):
        pages = result_pages if settings.files == "full" else result_pictures
        files = pages(sample, result)
        try:
            save_result(result, task.out, files, settings.overwrite, small=settings.files == "small")
        except OSError:
            if settings.overwrite or not is_finished(task.out):
                raise


def undone(task: Task, error: StageError, seconds: dict[str, float]) -> Outcome:
    """What to say of a task that raised. A full disk is not the sample's fault."""
    cause = error.__cause__ or error
    writes = error.stage == "write" or (error.stage == "fit" and not isinstance(cause, NotFiniteError))  # checkpoints
    if writes and is_full(cause, task.out):
        return Outcome(task.name, "waiting", "write", no_room(cause, task.out), seconds)
    gone = error.stage == "read" and not task.folder.exists()
    return Outcome(task.name, "failed", error.stage, VANISHED if gone else reason(cause), seconds)


def is_full(error: BaseException, out: Path) -> bool:
    """Whether the error says that there is no room, or there is none."""
    return getattr(error, "errno", None) in FULL or shutil.disk_usage(standing(out)).free < SPARE


def no_room(error: BaseException, out: Path) -> str:
    """Where there is no room, and how much there is."""
    free = shutil.disk_usage(standing(out)).free
    return (
        f"{out}: no room left on the disk, {free / 1e6:.1f} MB are free ({getattr(error, 'strerror', None) or error})"
    )


def standing(path: Path) -> Path:
    """The nearest folder above that exists."""
    return next(parent for parent in path.parents if parent.exists())


def reason(error: BaseException) -> str:
    """One line about an error; of an unexpected one also where it came from."""
    text = f"{type(error).__name__}: {error}".strip().splitlines()[0][:500]
    if isinstance(error, (SampleError, NotFiniteError, OSError)):
        return text
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return text + "".join(f" ({Path(frame.filename).name}:{frame.lineno})" for frame in last)
