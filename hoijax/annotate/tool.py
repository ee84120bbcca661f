"""What a tool is to the server: how it judges, prepares and shows one item. The page around it is the same for all."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hoijax.annotate.store import Event
from hoijax.data.sample import Sample


class Key(NamedTuple):
    """A key of a tool and what it does, for the help. Several names ("Enter / n") mean the same.

    Names are the browsers' ("a", "A", "?", "ArrowLeft"), with "ctrl+" before any and "shift+" before those of more than
    one letter. `press` may give something to await. One that `repeats` goes on while it is held. A tool's key comes
    before a key of the page that has the same name."""

    name: str
    does: str
    press: Callable[[], Any]
    repeats: bool = False


class Bench(NamedTuple):
    """A tool built into one page. `show` puts up another item (`seat.sample`, `seat.made`, `seat.events`); `update`
    follows the item's events after an act or an undo."""

    show: Callable[[], Any]
    update: Callable[[], Any]
    keys: Sequence[Key]


class Tool(NamedTuple):
    """One of the annotation tools.

    `name` is its word in addresses and in the store. `sees`: the kinds of files (`layout.NAMES`) on which its
    decisions rest; when they change, earlier ones no longer count. `done` tells from an annotator's standing events
    whether the item is finished. `prepare` does the slow work of an item, away from the page, before `show`; `build`
    makes the widgets of a page (its argument is the page's `Seat`); `state` says in a word or two what the annotator made
    of a finished item. `awaits`: whether these events ask for other files; when these have come, what the
    events say no longer counts, in the work list too.
    """

    name: str
    title: str
    icon: str
    about: str
    sees: tuple[str, ...]
    done: Callable[[Sequence[Event]], bool]
    prepare: Callable[[Sample], Any]
    build: Callable[[Any], Bench]
    state: Callable[[Sequence[Event]], str]
    awaits: Callable[[Sequence[Event]], bool] = lambda events: False
