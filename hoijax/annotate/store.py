"""Every decision of every annotator, kept the moment it is made: one SQLite file, rows only ever added.

A row is an `Event`: who did what to which item with which tool. Taking something back is a row too, which names the
row it takes back, so nothing is lost and the history tells all. What an annotator holds of an item is a fold over the
events that still stand (`standing`); events of two annotators never meet in one fold.
"""

import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from hoijax.data.sample import SampleError

SCHEMA = 1
STORE = "annotations.sqlite"  # beside the samples, where nothing else is said
LARGEST = 2_000_000  # bytes of one event: a long brush stroke has some ten thousand
UNDO = "undo"
_TABLES = """
create table if not exists events (
    id integer primary key autoincrement, time text not null, annotator text not null, item text not null,
    tool text not null, kind text not null, value text not null, version text not null
) strict;
create index if not exists events_of_item on events (item, tool, annotator, id);
"""


class Event(NamedTuple):
    """One thing an annotator did. `value` is JSON; `version` is the fingerprint of the sample that they saw."""

    id: int
    time: str
    annotator: str
    item: str
    tool: str
    kind: str
    value: dict[str, Any]
    version: str


def open_store(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """The store in this file, made where there is none. Every `append` is on the disk when it returns.

    Raises: SampleError where the file is no store of this schema or cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        store = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        _check(store, path)
        store.execute("pragma journal_mode = wal")
        store.execute("pragma synchronous = full")
        store.executescript(_TABLES)
        store.execute(f"pragma user_version = {SCHEMA}")
    except (sqlite3.Error, OSError) as error:
        raise SampleError(path, f"cannot be used as the store of annotations ({error})") from error
    return store


def close_store(store: sqlite3.Connection) -> None:
    """Brings everything into the one file, so that it may be copied by itself, and closes it."""
    try:
        store.execute("pragma wal_checkpoint(truncate)")
    finally:
        store.close()


def load_events(path: str | os.PathLike[str]) -> list[Event]:
    """All events of a store that is only read; a server may be writing to it.

    Raises: SampleError where there is no such file, or it is no store of this schema.
    """
    path = Path(path)
    if not path.is_file():
        raise SampleError(path, "is no file, expected a store of annotations (the server makes it)")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as store:
            if _check(store, path) == 0:
                raise SampleError(path, "is no store of annotations (an empty database)")
            return events(store)
    except sqlite3.Error as error:
        raise SampleError(path, f"cannot be read as a store of annotations ({error})") from error


def _check(store: sqlite3.Connection, path: Path) -> int:
    """The schema of the file, 0 for a new one. Raises SampleError for a store of another, or another program's file."""
    (found,) = store.execute("pragma user_version").fetchone()
    if found not in (0, SCHEMA):
        raise SampleError(path, f"is a store of schema {found}, expected {SCHEMA}; a newer hoijax may have made it")
    others = [name for (name,) in store.execute("select name from sqlite_master where type = 'table'")]
    if found == 0 and set(others) - {"events", "sqlite_sequence"}:
        raise SampleError(path, f"is another program's database (it has the table {others[0]!r})")
    return int(found)


def append(
    store: sqlite3.Connection,
    annotator: str,
    item: str,
    tool: str,
    kind: str,
    value: Mapping[str, Any],
    version: str = "",
) -> Event:
    """Adds an event; it is on the disk when this returns.

    Raises: ValueError or TypeError for a `value` that is not JSON (NaN, infinity) or too large; sqlite3.Error where the
    disk does not take it. Nothing is kept then.
    """
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    text = json.dumps(dict(value), allow_nan=False)
    if len(text) > LARGEST:
        raise ValueError(f"a decision of {len(text):,} bytes, expected at most {LARGEST:,}")
    row = (time, annotator, item, tool, kind, text, version)
    cursor = store.execute(
        "insert into events (time, annotator, item, tool, kind, value, version) values (?, ?, ?, ?, ?, ?, ?)", row
    )
    return Event(int(cursor.lastrowid or 0), time, annotator, item, tool, kind, dict(value), version)


def events(
    store: sqlite3.Connection, item: str | None = None, tool: str | None = None, annotator: str | None = None
) -> list[Event]:
    """All events in the order in which they came, those taken back and the taking back included."""
    asked = {"item": item, "tool": tool, "annotator": annotator}
    given = {name: value for name, value in asked.items() if value is not None}
    where = " and ".join(f"{name} = ?" for name in given) or "1"
    rows = store.execute(f"select * from events where {where} order by id", tuple(given.values()))
    return [Event(*row)._replace(value=json.loads(row[6])) for row in rows]


def standing(happened: list[Event]) -> list[Event]:
    """The events that nobody took back."""
    gone = {event.value["of"] for event in happened if event.kind == UNDO}
    return [event for event in happened if event.kind != UNDO and event.id not in gone]


def take_back(store: sqlite3.Connection, event: Event) -> Event:
    """Takes this event back: the event that says so."""
    return append(store, event.annotator, event.item, event.tool, UNDO, {"of": event.id}, event.version)
