"""What all pages of one server share: the items, the store, who sits where, what is finished."""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hoijax.annotate.blobs import Blobs
from hoijax.annotate.items import Items, fingerprint
from hoijax.annotate.likely import FILTER, IOU, Chance, place
from hoijax.annotate.seats import Seats
from hoijax.annotate.store import Event, events, standing
from hoijax.annotate.tool import Tool
from hoijax.data.templates import Library


class Desk(NamedTuple):
    """One server's. `states`: by tool, then item, then annotator, what the annotator made of it ("" while unfinished).

    `each`: every annotator does every item, as agreement needs; otherwise what one has done is done.
    `facts`: by item, numbers for the work lists, such as the IoU of the object. `likely`: by item, what a judge network
    expects (`judge` says which one; `notes` what of it does not count). `orders`: by annotator, the order of the filter's
    work list that they chose; `first` is that of the others.
    """

    items: Items
    store: sqlite3.Connection
    tools: Mapping[str, Tool]
    seats: Seats
    blobs: Blobs
    states: dict[str, dict[str, dict[str, str]]]
    facts: dict[str, dict[str, float]]
    library: Library | None
    each: bool
    likely: dict[str, Chance]
    judge: str
    notes: list[str]
    orders: dict[str, str]
    first: str


def mine(desk: Desk, tool: str, item: str, annotator: str) -> list[Event]:
    """The annotator's standing events of the item."""
    return standing(events(desk.store, item, tool, annotator))


def note_state(desk: Desk, tool: Tool, item: str, annotator: str, happened: Sequence[Event]) -> None:
    """Keeps `Desk.states` up with the annotator's standing events."""
    states = desk.states[tool.name].setdefault(item, {})
    states[annotator] = tool.state(happened) if tool.done(happened) else ""


def by_annotator(desk: Desk) -> dict[tuple[str, str, str], list[Event]]:
    """Standing events by tool, item and annotator. Those of items that are no longer in the tree stay in the store only."""
    grouped: defaultdict[tuple[str, str, str], list[Event]] = defaultdict(list)
    for event in events(desk.store):
        if event.tool in desk.tools and event.item in desk.items.folders:
            grouped[event.tool, event.item, event.annotator].append(event)
    return {key: standing(happened) for key, happened in grouped.items()}


def read_states(desk: Desk) -> None:
    """Fills `Desk.states` from the store; `facts.start_facts` then finds out which decisions are of older files."""
    for (name, item, annotator), happened in by_annotator(desk).items():
        note_state(desk, desk.tools[name], item, annotator, _of_these_files(desk, name, item, happened))


def _of_these_files(desk: Desk, tool: str, item: str, happened: list[Event]) -> list[Event]:
    """Without what was said of files that were to be made anew and have been. To read all files of a large tree takes
    minutes, so only items that wait for such are looked at; a page looks again at the one that it opens."""
    if not desk.tools[tool].awaits(happened):
        return happened
    version = fingerprint(desk.items.folders[item], desk.tools[tool].sees)
    return [event for event in happened if event.version == version]


def finished(desk: Desk, tool: str, item: str, annotator: str) -> bool:
    """Whether this annotator has nothing to do there."""
    states = desk.states[tool].get(item, {})
    return bool(states.get(annotator)) if desk.each else any(states.values())


def order(desk: Desk, way: str = IOU) -> list[str]:
    """The items in the order of the work list: in this `way` where a judge expects something, then those with the lowest
    IoU first where it is known, then by name."""
    worst = {item: facts.get("iou", 2.0) for item, facts in desk.facts.items()}
    return sorted(desk.items.folders, key=lambda item: (place(way, desk.likely.get(item)), worst.get(item, 2.0), item))


def way_of(desk: Desk, annotator: str, tool: str = FILTER) -> str:
    """The order in which this annotator goes through the items of a tool. A judge judges what the filter decides, so all
    other tools keep theirs; so does the filter without one."""
    return desk.orders.get(annotator, desk.first) if desk.judge and tool == FILTER else IOU


def next_item(
    desk: Desk, tool: str, item: str | None, annotator: str, step: int, unfinished: bool, names: Sequence[str]
) -> str | None:
    """The item `step` (1 or -1) places on in the list `names`; of the unfinished ones that nobody else has, if asked
    (from the start again at the end of the list). None where there is none."""
    at = names.index(item) if item in names else -1 if step > 0 else len(names)
    if not unfinished:
        return names[at + step] if 0 <= at + step < len(names) else None
    for k in range(1, len(names) + 1):
        name = names[(at + step * k) % len(names)]
        taken = desk.seats.holder(tool, name) not in ("", annotator)
        if name != item and not taken and not finished(desk, tool, name, annotator):
            return name
    return None
