"""Steps over many items: for each step, all items that are ready for it, engine by engine."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hoijax.pipeline.engine import Ending, Engine
from hoijax.pipeline.item import Item
from hoijax.pipeline.record import done, failed, save_record
from hoijax.pipeline.standing import TO_DO, Standing, inputs_of, standings

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
) -> None:
    """Does `steps` for every item, as far as each comes. What is finished stays; an interrupt loses the item in hand.

    Step by step, not item by item: so a model is loaded once for all. A failure sets its item aside, and the rest goes on.
    """
    plans = [(item, engines(item)) for item in items]
    for step in steps:
        todo: dict[str, list[Work]] = {}
        for item, own in plans:
            if step not in own:
                continue
            before = standings(item, own, retry_failed)
            if before[step].state in TO_DO:
                todo.setdefault(engine_key(own[step]), []).append(Work(item, own, before))
        begin(step, sum(map(len, todo.values())))
        for works in todo.values():
            _run_step(step, works, tell)


def engine_key(engine: Engine) -> str:
    """Items whose engines have one key are done in one run."""
    return f"{engine.name} {id(engine.run)}"


def _run_step(step: str, works: Sequence[Work], tell: Tell) -> None:
    """One step, one engine, many items; a record for each as it ends."""
    waiting = {work.item.id: work for work in works}

    def note(ending: Ending) -> None:
        work = waiting.pop(ending.item.id)
        engine = work.engines[step]
        given = engine.name, engine.options, inputs_of(engine, work.before)
        if ending.error is None:
            record = done(ending.item, step, *given, ending.notes, ending.seconds)
        else:
            record = failed(*given, ending.error, ending.seconds)
        save_record(ending.item, step, record)
        tell(step, ending)

    works[0].engines[step].run([work.item for work in works], note)
    assert not waiting, f"the engine of {step} told nothing of {sorted(waiting)}"
