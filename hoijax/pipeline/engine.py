"""What can do a step: a model behind a wrapper, our own code, or a user's files. All look alike from outside."""

import errno
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hoijax.data.atomic import new_folder
from hoijax.pipeline.item import Item


class Ending(NamedTuple):
    """How a step ended for an item: its folder is there, or `error` says in one sentence why not."""

    item: Item
    error: str | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


Tell = Callable[[Ending], None]


# What of an item itself a step's work depends on, as plain values: its box, its category.
About = Callable[[Item], Mapping[str, Any]]


def nothing(item: Item) -> Mapping[str, Any]:
    """Of a step that depends on other steps alone."""
    return {}


def usable() -> str:
    """Of an engine that lacks nothing."""
    return ""


class Engine(NamedTuple):
    """`run` does a step for many items, so that a model is loaded once, and tells of each item's end as it comes.

    `needs`: steps whose folders it reads. `options` and what is `about` an item: plain values; with other values the work
    is done again. It makes `item.folder(step)` whole or not at all, over one that stands there. `lacks` says what this
    machine lacks for it, in a sentence, empty when nothing: that is no item's fault.
    """

    name: str
    needs: tuple[str, ...]
    options: Mapping[str, Any]
    run: Callable[[Sequence[Item], Tell], None]
    about: About = nothing
    lacks: Callable[[], str] = usable

    def values(self, item: Item) -> dict[str, Any]:
        """What a record keeps of the engine and the item."""
        return {**self.options, **self.about(item)}


# Writes what a step makes of an item into an empty folder, and returns what it had to bend.
Make = Callable[[Item, Path], tuple[str, ...]]

# What an item may be at fault for; anything else is a fault of the program and ends the run.
FAULTS = (ValueError, OSError)


def engine(
    name: str,
    step: str,
    needs: Sequence[str],
    options: Mapping[str, Any],
    make: Make,
    about: About = nothing,
    lacks: Callable[[], str] = usable,
) -> Engine:
    """An engine that does one item after the other with `make`. A ValueError or OSError fails that item alone."""

    def run(items: Sequence[Item], tell: Tell) -> None:
        for item in items:
            start = time.perf_counter()
            error: str | None = None
            notes: tuple[str, ...] = ()
            try:
                with new_folder(item.folder(step), overwrite=True) as part:
                    notes = make(item, part)
            except FAULTS as fault:
                error = told(fault)
            tell(Ending(item, error, notes, time.perf_counter() - start))

    return Engine(name, tuple(needs), options, run, about, lacks)


def told(fault: Exception) -> str:
    """A fault in words. A full disk is no item's fault: it is raised again, and ends the run."""
    if isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EDQUOT):
        raise fault
    return str(fault) or type(fault).__name__


def boxes(item: Item) -> Mapping[str, Any]:
    """The two boxes, of which either helps to find a mask."""
    return {
        name: None if box is None else [float(value) for value in box]
        for name, box in (("human_box", item.human_box), ("object_box", item.object_box))
    }


def category(item: Item) -> Mapping[str, Any]:
    """What the object is."""
    return {"category": item.category}
