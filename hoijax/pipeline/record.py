"""What a step notes of its work: enough to tell, later and for any item, whether it has to be done again."""

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hoijax.data.atomic import save_bytes
from hoijax.pipeline.item import Item

SCHEMA = 2
BESIDE = ("run.json", "log.txt")  # files that tell how the others came to be, and differ each time


class Record(NamedTuple):
    """`engine` with its `options` made the folder from `inputs` ({step: key of its folder}), or failed with `error`.

    While it works the record says only that (`begun`): so what a killed run leaves is never taken for a person's work.

    `product`: key of the folder's content; `files`: {name: [bytes, time of change]}, by which an edit is noticed.
    `edited`: a person has changed the folder since; it is kept. `notes`: what the step had to bend, a sentence each.
    """

    engine: str
    options: Mapping[str, Any]
    inputs: Mapping[str, str]
    product: str | None = None
    files: Mapping[str, list[int]] = {}
    error: str | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    at: str = ""
    edited: bool = False
    begun: bool = False


def record_file(item: Item, step: str) -> Path:
    """Where the record of a step lies."""
    return item.work / f"{step}.json"


def load_record(item: Item, step: str) -> Record | None:
    """The record; None where there is none. One that cannot be read is as good as one of work that was cut off."""
    damaged = Record("", {}, {}, begun=True)
    try:
        content = json.loads(record_file(item, step).read_text(encoding="utf-8"))
        if content.pop("schema") != SCHEMA:
            return damaged
        return Record(**content)._replace(notes=tuple(content["notes"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return damaged


def save_record(item: Item, step: str, record: Record) -> None:
    """Writes it whole, over the one that stands there."""
    content = {"schema": SCHEMA} | record._asdict()
    save_bytes(record_file(item, step), (json.dumps(content, indent=1, default=list) + "\n").encode())


def done(
    item: Item,
    step: str,
    engine: str,
    options: Mapping[str, Any],
    inputs: Mapping[str, str],
    notes: tuple[str, ...],
    seconds: float,
) -> Record:
    """The record of a folder that has just been made."""
    folder = item.folder(step)
    return Record(
        engine, options, inputs, content_key(folder), files_in(folder), None, notes, round(seconds, 3), _now()
    )


def failed(engine: str, options: Mapping[str, Any], inputs: Mapping[str, str], error: str, seconds: float) -> Record:
    """The record of a step that has not come to its end."""
    return Record(engine, options, inputs, None, {}, error, (), round(seconds, 3), _now())


def by_hand(folder: Path) -> Record:
    """The record of a folder that a person has put there."""
    return Record("by hand", {}, {}, content_key(folder), files_in(folder), at=_now(), edited=True)


def files_in(folder: Path) -> dict[str, list[int]]:
    """{name: [bytes, nanosecond of the last change]} of every file that counts. Empty where there is no folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in BESIDE and not path.name.startswith("."):
            told = path.stat()
            found[path.relative_to(folder).as_posix()] = [told.st_size, told.st_mtime_ns]
    return found


def content_key(folder: Path) -> str:
    """Short hash of names and contents of the files that count."""
    total = hashlib.sha256()
    for name in files_in(folder):
        total.update(f"{name}\0".encode())
        total.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return total.hexdigest()[:16]


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
