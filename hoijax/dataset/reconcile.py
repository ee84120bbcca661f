"""Before a run: what the ledger says and what stands on the disk are brought to agree."""

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from hoijax.data.options import differing_options
from hoijax.data.parameters import load_json
from hoijax.data.results import is_finished
from hoijax.data.sample import SampleError
from hoijax.dataset.ledger import (
    ANEW,
    LedgerError,
    add_samples,
    load_meta,
    names_in,
    record,
    rows,
    save_meta,
    set_waiting,
    together,
)
from hoijax.dataset.tasks import VANISHED, Outcome

STATES = ("waiting", "done", "failed")
_HIDDEN = re.compile(r"\.(.+)-[a-z0-9_]{8}")  # as hoijax/data/atomic.py names a folder that is not whole yet


class Found(NamedTuple):
    """What was not as the ledger said: how many samples of each kind."""

    new: int = 0
    finished: int = 0
    gone: int = 0
    vanished: int = 0
    back: int = 0

    def __str__(self) -> str:
        said = {
            "new": "new",
            "finished": "were finished, though not yet entered",
            "gone": "lack the result that the ledger has, and are done again",
            "vanished": "vanished from the data",
            "back": "are back in the data",
        }
        return "; ".join(f"{count} {said[name]}" for name, count in self._asdict().items() if count)


def sample_names(tree: Path, folders: Iterable[Path]) -> dict[str, Path]:
    """{name: folder}. A sample is called by its path in the tree; a tree that is itself one sample, by its folder.

    Raises SampleError for a name that is no text.
    """
    names = {
        folder.resolve().name if folder == tree else folder.relative_to(tree).as_posix(): folder for folder in folders
    }
    for name, folder in names.items():
        if name != name.encode(errors="replace").decode():
            raise SampleError(folder, f"its name {name!r} is not UTF-8, so no table can hold it; rename it")
    return names


def reconcile(connection: sqlite3.Connection, folders: Mapping[str, Path], data: Path, out: Path) -> Found:
    """Brings the ledger in line with the data tree and with the results in OUT; call it as the sole driver.

    Raises LedgerError when the ledger is of another data tree, and for a result of other options.
    """
    _same_data(connection, folders, data)
    new = add_samples(connection, folders)
    standing = _standing(out, (name for state in STATES for name in names_in(connection, state)))
    gone = [name for name in names_in(connection, "done") if name not in standing]
    set_waiting(connection, gone)
    back = [row.name for row in rows(connection, "failed") if row.reason == VANISHED and row.name in folders]
    set_waiting(connection, back)
    waiting = names_in(connection, "waiting")
    meta = load_meta(connection)
    finished = (_adopted(meta, name, out) for name in waiting if name in standing)
    adopted = [outcome for outcome in finished if outcome is not None]
    record(connection, adopted)
    known = {outcome.name for outcome in adopted}
    vanished = [
        Outcome(name, "failed", "read", VANISHED) for name in waiting if name not in folders and name not in known
    ]
    record(connection, vanished)
    return Found(new, len(adopted), len(gone), len(vanished), len(back))


def remove_leftovers(out: Path, names: Iterable[str]) -> int:
    """Removes the hidden folders that killed writers left beside the results of these samples. How many.

    Call it as the sole driver, without workers. A result that a killed writer had moved aside is put back.
    """
    own: dict[Path, set[str]] = {}
    for name in names:
        place = out / name
        own.setdefault(place.parent, set()).add(place.name)
    removed = 0
    for parent, ours in own.items():
        for entry in list(os.scandir(parent)) if parent.is_dir() else []:
            match = _HIDDEN.fullmatch(entry.name)
            if match and match[1] in ours and entry.is_dir(follow_symlinks=False):
                removed += _removed(Path(entry.path), parent / match[1])
    return removed


def _removed(hidden: Path, place: Path) -> bool:
    """Removes a writer's hidden folder. False: it is something else, or the writer is about to remove it itself."""
    try:
        if not set(os.listdir(hidden)) <= {"content", "old"}:
            return False
        if (hidden / "old").is_dir() and not os.path.lexists(place):
            (hidden / "old").rename(place)
        shutil.rmtree(hidden)
    except OSError:  # the last worker of a killed run may live for a moment yet; the end of this run looks again
        return False
    return True


def _same_data(connection: sqlite3.Connection, folders: Mapping[str, Path], data: Path) -> None:
    """A tree that moved is known by its samples: all must be there. Otherwise the ledger is of another."""
    before = load_meta(connection).get("data", "")
    if before == str(data.resolve()):
        return
    missing = [name for state in STATES for name in names_in(connection, state) if name not in folders]
    if missing:
        raise LedgerError(
            f"{data}: the run began with the data in {before}, and {len(missing)} of its samples are not here "
            f"({missing[0]}); give that tree, or choose another --out"
        )
    save_meta(connection, {"data": str(data.resolve())})
    with together(connection):
        connection.executemany(
            "UPDATE samples SET folder = ? WHERE name = ?", ((str(path), name) for name, path in folders.items())
        )


def _standing(out: Path, names: Iterable[str]) -> set[str]:
    """The samples for which anything stands in OUT: one look into each folder of theirs, not one for each sample."""
    found: set[str] = set()
    for parent in {(out / name).parent for name in names}:
        if parent.is_dir():
            found |= {(parent / name).relative_to(out).as_posix() for name in os.listdir(parent)}
    return found


def _adopted(meta: Mapping[str, str], name: str, out: Path) -> Outcome | None:
    """A result that stands though the ledger lacks it: done, if it is of this run's options. None: not finished."""
    path = out / name / "result.json"
    if not is_finished(path.parent) or path.stat().st_mtime_ns < int(meta.get(ANEW, 0)):
        return None
    try:
        record = load_json(path)
        other = differing_options(record["options"], json.loads(meta["options"]))
        seconds = {key: value for key, value in record["seconds"].items() if key != "total"}
    except (SampleError, KeyError, TypeError, AttributeError) as error:
        return Outcome(name, "failed", "write", f"{path}: a result stands here, but it is damaged ({error}); remove it")
    if other:
        raise LedgerError(
            f"{path}: was made with other options ({', '.join(other)}); choose another --out, or do everything anew "
            "with --overwrite"
        )
    return Outcome(name, "done", seconds=seconds)
