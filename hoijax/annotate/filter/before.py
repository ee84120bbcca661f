"""How an object looked before it was made again: the six views, kept beside the store under the files' fingerprint."""

import re
import sqlite3
from pathlib import Path

from hoijax.annotate.filter.state import awaits
from hoijax.annotate.store import events, standing
from hoijax.data.atomic import save_bytes
from hoijax.data.sample import SampleError

FINGERPRINT = r"[0-9a-f]{64}"


def keep_before(store: sqlite3.Connection, version: str, six: bytes) -> None:
    """Keeps the six views (JPEG) of the files with this fingerprint. Raises SampleError where they cannot be written."""
    path = _path(store, version)
    if path is None or path.is_file():
        return
    try:
        save_bytes(path, six)
    except OSError as error:
        raise SampleError(path, f"cannot be written ({error.strerror or error})") from error


def before(store: sqlite3.Connection, item: str, version: str) -> bytes | None:
    """The six views as they were when the item was last queued, where its files have changed since; else None.

    Whoever queued it: who judges the new object need not be the one who refused the old one.
    """
    happened = standing(events(store, item, "filter"))
    queued = [event for event in happened if event.kind in ("redo", "template") and event.version != version]
    for event in reversed(queued):
        own = [one for one in happened if (one.annotator, one.version) == (event.annotator, event.version)]
        path = _path(store, event.version)
        if awaits(own) and path is not None and path.is_file():
            return path.read_bytes()
    return None


def _path(store: sqlite3.Connection, version: str) -> Path | None:
    """Named by the fingerprint alone, which is made here; None where the files could not be read, or without a disk."""
    (file,) = (row[2] for row in store.execute("pragma database_list") if row[1] == "main")
    if not file or not re.fullmatch(FINGERPRINT, version):
        return None
    return Path(file).parent / ".annotate" / "before" / f"{version}.jpg"
