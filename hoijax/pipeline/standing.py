"""Where an item stands: for each step, whether it is done, has to be done (again), cannot be done yet, or has failed."""

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from hoijax.pipeline.engine import Engine
from hoijax.pipeline.item import FILES, Item
from hoijax.pipeline.record import Record, by_hand, content_key, files_in, load_record

State = Literal["done", "edited", "ready", "stale", "waiting", "failed", "blocked"]
FINISHED: tuple[State, ...] = ("done", "edited")
TO_DO: tuple[State, ...] = ("ready", "stale")


class Standing(NamedTuple):
    """State of a step, the engine that it falls to, and why: the error of a failure, what became of a needed step.

    done: made, from what the needed steps hold now. edited: a person changed it since, or put it there; it stays as it is.
    ready: all it needs is there. stale: made, but from something else, or by another engine; to be made again. waiting: a
    needed step is to be done first. failed: tried, in vain. blocked: a needed step has failed. `unsaved`: the record is not
    the one on the disk, as a person's work has just been noticed.
    """

    state: State
    engine: str
    why: str = ""
    product: str | None = None
    record: Record | None = None
    unsaved: bool = False


def standings(item: Item, engines: Mapping[str, Engine], retry_failed: bool = False) -> dict[str, Standing]:
    """The standing of every step of an item, in the order of `engines`. Only looks: nothing is written."""
    found: dict[str, Standing] = {}
    for step, engine in engines.items():
        found[step] = standing(item, step, engine, found, retry_failed)
    return found


def standing(
    item: Item, step: str, engine: Engine, before: Mapping[str, Standing], retry_failed: bool = False
) -> Standing:
    """Of one step, from its record and the standings of the steps before it."""
    record, unsaved = _seen_record(item, step)
    if record is not None and record.edited:
        return Standing("edited", record.engine, "changed by hand", record.product, record, unsaved)
    stopped = [need for need in engine.needs if before[need].state in ("failed", "blocked")]
    if stopped:
        return Standing("blocked", engine.name, f"{stopped[0]} {before[stopped[0]].state}", None, record)
    open_needs = [need for need in engine.needs if before[need].state not in FINISHED]
    if open_needs:
        return Standing("waiting", engine.name, f"{open_needs[0]} is not done", None, record)
    if record is None:
        return Standing("ready", engine.name)
    changed = differences(record, engine, item, inputs_of(engine, before))
    if record.error is not None:
        state: State = "ready" if changed or retry_failed else "failed"
        return Standing(state, engine.name, record.error, None, record)
    if changed:
        return Standing("stale", engine.name, changed, None, record)
    return Standing("done", engine.name, "; ".join(record.notes), record.product, record, unsaved)


def inputs_of(engine: Engine, before: Mapping[str, Standing]) -> dict[str, str]:
    """{needed step: key of what it holds}."""
    return {need: before[need].product or "" for need in engine.needs}


def differences(record: Record, engine: Engine, item: Item, inputs: Mapping[str, str]) -> str:
    """Why a record does not stand for what the engine would make now; empty when it does."""
    if record.engine != engine.name:
        return f"made by {record.engine}, now {engine.name}"
    values = engine.values(item)
    other = sorted(key for key in {*values, *record.options} if _plain(values, key) != _plain(record.options, key))
    if other:
        return f"made by {engine.name} with another {other[0]}"
    changed = [need for need in {*inputs, *record.inputs} if inputs.get(need) != record.inputs.get(need)]
    return f"{sorted(changed)[0]} has changed" if changed else ""


def _plain(values: Mapping[str, Any], key: str) -> str:
    """A value as it comes back from a file."""
    return json.dumps(values.get(key), sort_keys=True, default=list)


def _seen_record(item: Item, step: str) -> tuple[Record | None, bool]:
    """The record as the folder now bears it out, and whether that is another one than stands on the disk.

    None where there is none, where a run was killed at its work, and where the folder of a finished step is gone. Files that
    no engine has left there (it leaves none when it fails) are a person's.
    """
    record, files = load_record(item, step), files_in(item.folder(step))
    if record is not None and record.begun:
        return None, False
    if record is None or record.error is not None:
        return (by_hand(item.folder(step)), True) if _complete(item, step) else (record, False)
    if not files:
        return None, False
    if files == {name: list(told) for name, told in record.files.items()}:
        return record, False
    key = content_key(item.folder(step))
    return record._replace(files=files, product=key, edited=record.edited or key != record.product), True


def _complete(item: Item, step: str) -> bool:
    """Whether the folder of a step that a user's files may stand for holds all of them."""
    kinds = FILES.get(step, ())
    return bool(kinds) and all(item.file(step, kind).is_file() for kind in range(len(kinds)))
