"""Steps over many items: for each step, all items that are ready for it, engine by engine."""

import glob
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hoijax.pipeline.engine import Ending, Engine
from hoijax.pipeline.item import STEPS, Item
from hoijax.pipeline.record import Record, done, failed, files_in, record_file, save_record
from hoijax.pipeline.standing import TO_DO, Standing, inputs_of, standings

LOCK = ".lock"  # in OUT: whoever runs the steps holds it

# The engine of each step, in the order of the steps, for one item: its own files may replace a model.
Engines = Callable[[Item], Mapping[str, Engine]]
# Told before a step how many items it will do, and of every end.
Begin = Callable[[str, int], None]
Tell = Callable[[str, Ending], None]


class Work(NamedTuple):
    """An item, the engines that its steps fall to, and where it stood when it was looked at."""

    item: Item
    engines: Mapping[str, Engine]
    before: Mapping[str, Standing]


def run_steps(
    items: Sequence[Item],
    engines: Engines,
    steps: Sequence[str],
    begin: Begin,
    tell: Tell,
    retry_failed: bool = False,
) -> list[str]:
    """Does `steps` for every item, as far as each comes. What is finished stays; an interrupt loses the item in hand.

    Step by step, not item by item: so a model is loaded once for all. A failure sets its item aside, and the rest goes on.
    Returns what this machine lacks for the work that was left undone, a sentence each.
    """
    plans = [(item, engines(item)) for item in items]
    lacking = []
    for step in STEPS:
        due: dict[str, list[Work]] = {}
        for item, own in plans:
            if step not in own:
                continue
            before = standings(item, own, retry_failed)
            keep_edits(item, before)
            if step in steps and before[step].state in TO_DO:
                due.setdefault(engine_key(own[step]), []).append(Work(item, own, before))
        for key, works in list(due.items()):
            lack = works[0].engines[step].lacks()
            if lack:
                lacking.append(f"{step} of {len(works)} image{'s' if len(works) > 1 else ''}: {lack}")
                del due[key]
        begin(step, sum(map(len, due.values())))
        for works in due.values():
            _run_step(step, works, tell)
    for item, own in plans:
        put_aside(item, standings(item, own)["sample"])
    return lacking


def keep_edits(item: Item, found: Mapping[str, Standing]) -> None:
    """Writes down what a person has changed, so that it is known for theirs from now on."""
    for step, standing in found.items():
        if standing.unsaved and standing.record is not None:
            save_record(item, step, standing.record)


def put_aside(item: Item, found: Standing) -> None:
    """A sample that can no longer be made, or stands under another category than the item's, leaves OUT/samples.

    It goes to OUT/work/<id>/sample.before, so that nothing is lost.
    """
    own = item.folder("sample")
    for folder in (item.out / "samples").glob(f"*/{glob.escape(item.id)}"):
        if folder != own or found.state in ("failed", "blocked"):
            aside = item.work / "sample.before"
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)


def engine_key(engine: Engine) -> str:
    """Items whose engines have one key are done in one run."""
    return f"{engine.name} {id(engine.run)}"


def _run_step(step: str, works: Sequence[Work], tell: Tell) -> None:
    """One step, one engine, many items; a record for each as it ends. What failed leaves no folder."""
    waiting = {work.item.id: work for work in works}

    def note(ending: Ending) -> None:
        work = waiting.pop(ending.item.id)
        engine = work.engines[step]
        given = engine.name, engine.values(work.item), inputs_of(engine, work.before)
        if ending.error is None:
            record = done(ending.item, step, *given, ending.notes, ending.seconds)
        else:
            if step != "sample":  # a finished sample is put aside instead
                shutil.rmtree(ending.item.folder(step), ignore_errors=True)
            record = failed(*given, ending.error, ending.seconds)
        save_record(ending.item, step, record)
        tell(step, ending)

    for work in works:
        save_record(work.item, step, Record(work.engines[step].name, {}, {}, begun=True))
    try:
        works[0].engines[step].run([work.item for work in works], note)
        assert not waiting, f"the engine of {step} told nothing of {sorted(waiting)}"
    finally:
        for work in waiting.values():  # an interrupt: what has not begun in earnest is as if it had never begun
            if not files_in(work.item.folder(step)):
                record_file(work.item, step).unlink(missing_ok=True)
