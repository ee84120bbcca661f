"""Whose decisions count: of several annotators, and of files that have changed since."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from hoijax.annotate.items import Items, fingerprint, item_folder
from hoijax.annotate.readers import Readers, is_done, said
from hoijax.annotate.store import Event, standing
from hoijax.data.sample import SampleError


class Stale(NamedTuple):
    """Decisions that do not count: why, how many, the last one's time."""

    item: str
    tool: str
    annotator: str
    events: int
    last: str
    why: str


class Conflict(NamedTuple):
    """An item that several annotators finished, not alike: whose counts, what each decided.

    Of poses only the mesh and the quality are compared: no two hands place an object to the last digit, and how far two
    poses are apart is what agreement measures.
    """

    item: str
    tool: str
    counts: str
    decided: str


class Current(NamedTuple):
    """By item, tool and annotator: the standing events that were made for the files as they are now."""

    events: Mapping[str, Mapping[str, Mapping[str, tuple[Event, ...]]]]
    stale: tuple[Stale, ...]


def current(items: Items, happened: Sequence[Event], readers: Readers, annotator: str = "") -> Current:
    """Sorts all events, of one annotator only if asked. Reads the files of every item that has events.

    `happened`: those of a store in the order in which it has them; those of Blender anywhere, their times place them.
    """
    grouped: defaultdict[tuple[str, str, str], list[Event]] = defaultdict(list)
    for event in happened:
        if event.tool in readers.sees and annotator in ("", event.annotator):
            grouped[event.item, event.tool, event.annotator].append(event)
    found: dict[str, dict[str, dict[str, tuple[Event, ...]]]] = {}
    stale: list[Stale] = []
    versions: dict[tuple[str, str], str] = {}
    for (item, tool, who), events in sorted(grouped.items()):
        if (item, tool) not in versions:
            versions[item, tool] = _version(items, item, readers.sees[tool])
        now = versions[item, tool]
        stands = standing(in_order(events))
        kept = tuple(event for event in stands if now and event.version == now)
        old = [event for event in stands if event not in kept]
        if kept:
            found.setdefault(item, {}).setdefault(tool, {})[who] = kept
        if old:
            why = (
                "made for older files of this item" if now else "no such item in the tree, or its files are unreadable"
            )
            stale.append(Stale(item, tool, who, len(old), old[-1].time, why))
    return Current(found, tuple(stale))


def moment(event: Event) -> datetime:
    """When it happened, in UTC."""
    time = datetime.fromisoformat(event.time)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def in_order(happened: Sequence[Event]) -> list[Event]:
    """By time; those of a store (ids above zero) among themselves as it has them, also where its clock was set back."""
    keys, latest = [], datetime.min.replace(tzinfo=UTC)
    for event in happened:
        when = moment(event)
        if event.id > 0:
            latest = when = max(latest, when)
        keys.append((when, event.id))
    return [happened[k] for k in sorted(range(len(keys)), key=keys.__getitem__)]


def _version(items: Items, item: str, sees: tuple[str, ...]) -> str:
    try:
        return fingerprint(item_folder(items, item), sees)
    except SampleError:
        return ""


def chosen(
    by_annotator: Mapping[str, tuple[Event, ...]], tool: str, readers: Readers, prefer: Sequence[str] = ()
) -> str:
    """The annotator whose decision counts: of those who finished, the first of `prefer`, else who finished last.

    Empty where nobody finished.
    """
    finished = [who for who, events in by_annotator.items() if is_done(readers, tool, events)]
    preferred = [who for who in prefer if who in finished]
    if preferred:
        return preferred[0]

    def last(who: str) -> tuple[datetime, int]:
        return moment(by_annotator[who][-1]), by_annotator[who][-1].id

    return max(finished, key=last, default="")


def conflicts(
    item: str, tool: str, by_annotator: Mapping[str, tuple[Event, ...]], readers: Readers, counts: str
) -> list[Conflict]:
    """The conflict about this item, if there is one."""
    decided = {
        who: said(readers, tool, events) for who, events in by_annotator.items() if is_done(readers, tool, events)
    }
    if len(set(decided.values())) < 2:
        return []
    return [Conflict(item, tool, counts, "; ".join(f"{who}: {words}" for who, words in sorted(decided.items())))]
