"""Where an item stands: for each step, whether it is done, has to be done (again), cannot be done yet, or has failed."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from hoijax.pipeline.engine import Engine
from hoijax.pipeline.item import Item
from hoijax.pipeline.record import Record, content_key, files_in, load_record, options_key, save_record

State = Literal["done", "edited", "ready", "stale", "waiting", "failed", "blocked"]
FINISHED: tuple[State, ...] = ("done", "edited")
TO_DO: tuple[State, ...] = ("ready", "stale")


class Standing(NamedTuple):
    """State of a step, the engine that it falls to, and why: the error of a failure, what became of a needed step.

    done: made, from what the needed steps hold now. edited: a person changed it since; it stays as it is. ready: all it
    needs is there. stale: made, but from something else, or by another engine; to be made again. waiting: a needed step
    is to be done first. failed: tried, in vain. blocked: a needed step has failed.
    """

    state: State
    engine: str
    why: str = ""
    product: str | None = None
    record: Record | None = None


def standings(item: Item, engines: Mapping[str, Engine], retry_failed: bool = False) -> dict[str, Standing]:
    """The standing of every step of an item, in the order of `engines`."""
    found: dict[str, Standing] = {}
    for step, engine in engines.items():
        found[step] = standing(item, step, engine, found, retry_failed)
    return found


def standing(
    item: Item, step: str, engine: Engine, before: Mapping[str, Standing], retry_failed: bool = False
) -> Standing:
    """Of one step, from its record and the standings of the steps before it."""
    record, edited = _seen_record(item, step)
    if edited and record is not None:
        return Standing("edited", record.engine, "changed by hand", record.product, record)
    stopped = [need for need in engine.needs if before[need].state in ("failed", "blocked")]
    if stopped:
        return Standing("blocked", engine.name, f"{stopped[0]} {before[stopped[0]].state}", None, record)
    open_needs = [need for need in engine.needs if before[need].state not in FINISHED]
    if open_needs:
        return Standing("waiting", engine.name, f"{open_needs[0]} is not done", None, record)
    if record is None:
        return Standing("ready", engine.name)
    changed = differences(record, engine, inputs_of(engine, before))
    if record.error is not None:
        if changed or retry_failed:
            return Standing("ready", engine.name, record.error, None, record)
        return Standing("failed", engine.name, record.error, None, record)
    if changed:
        return Standing("stale", engine.name, changed, None, record)
    return Standing("done", engine.name, "; ".join(record.notes), record.product, record)


def inputs_of(engine: Engine, before: Mapping[str, Standing]) -> dict[str, str]:
    """{needed step: key of what it holds}."""
    return {need: before[need].product or "" for need in engine.needs}


def differences(record: Record, engine: Engine, inputs: Mapping[str, str]) -> str:
    """Why a record does not stand for what the engine would make now; empty when it does."""
    if record.engine != engine.name:
        return f"made by {record.engine}, now {engine.name}"
    if options_key(record.options) != options_key(engine.options):
        return f"made by {engine.name} with other options"
    other = [need for need in {*inputs, *record.inputs} if inputs.get(need) != record.inputs.get(need)]
    return f"{sorted(other)[0]} has changed" if other else ""


def _seen_record(item: Item, step: str) -> tuple[Record | None, bool]:
    """The record, and whether a person has changed the folder since. None where the folder of a finished step is gone."""
    record = load_record(item, step)
    if record is None or record.error is not None:
        return record, False
    folder = item.folder(step)
    files = files_in(folder)
    if not files:
        return None, False
    if files == {name: list(told) for name, told in record.files.items()}:
        return record, record.edited
    key = content_key(folder)
    record = record._replace(files=files, product=key, edited=record.edited or key != record.product)
    save_record(item, step, record)
    return record, record.edited
