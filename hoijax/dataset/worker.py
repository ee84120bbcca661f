"""What a worker does: takes tasks, reads, fits, measures and writes, and gives outcomes."""

from hoijax.data.results import is_finished
from hoijax.dataset.batches import work_in_batches
from hoijax.dataset.clock import use_compile_cache
from hoijax.dataset.host import kit_of
from hoijax.dataset.reconstruct import Checkpoints, Kit, StageError, reconstruct
from hoijax.dataset.sample_files import read, undone, write
from hoijax.dataset.tasks import Give, Outcome, Settings, Stopped, Take, Task


def work(settings: Settings, take: Take, give: Give) -> None:
    """Does tasks until `take` raises Stopped. A bad sample is an outcome too; only what every sample needs can raise."""
    if settings.compile_cache:
        use_compile_cache(settings.compile_cache)
    if settings.batch == 1 and settings.host_workers == 0:
        work_one_by_one(settings, take, give)
    else:
        work_in_batches(settings, take, give)


def work_one_by_one(settings: Settings, take: Take, give: Give) -> None:
    """One image after another, all of it in this process."""
    kit = kit_of(settings)
    try:
        while True:
            task = take(None)
            if task:
                give([outcome_of(task, settings, kit)])
    except Stopped:
        return


def outcome_of(task: Task, settings: Settings, kit: Kit) -> Outcome:
    """One task from its folder to its result. A long fit goes on where a worker that died left it."""
    seconds: dict[str, float] = {}
    try:
        if not settings.overwrite and is_finished(task.out):  # by the last breath of a run that was killed
            return Outcome(task.name, "done")
        sample = read(task, settings, seconds)
        checkpoints = Checkpoints(task.root, task.name, task.folder, settings.checkpoint_seconds)
        result = reconstruct(sample, kit, seconds, checkpoints=checkpoints)
        write(task, sample, result, settings, seconds)
        checkpoints.remove(kit)
    except StageError as error:
        return undone(task, error, seconds)
    return Outcome(task.name, "done", seconds=seconds)
