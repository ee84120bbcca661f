"""The ledger of a run: one row for each sample, in OUT/ledger.sqlite. Only the driving process writes."""

import json
import os
import socket
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import hoijax
from hoijax.config import Config
from hoijax.data.lock import LockedError, held
from hoijax.data.options import config_key, differing_options, plain_options
from hoijax.dataset.tasks import Outcome

NAME, LOCK = "ledger.sqlite", "ledger.lock"
SCHEMA = 1
ANEW = "anew_since"  # in meta while everything is done anew: results that are older (ns, clock of OUT) do not count
PATIENCE = 60.0  # seconds that a commit waits for somebody who reads
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE samples (
    name TEXT PRIMARY KEY,
    folder TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    stage TEXT,
    reason TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    losses INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0,
    phases TEXT NOT NULL DEFAULT '{}',
    worker TEXT NOT NULL DEFAULT '',
    changed REAL
) WITHOUT ROWID;
CREATE INDEX by_state ON samples (state);
"""


class LedgerError(ValueError):
    """A ledger that cannot be used, in one sentence: which file, what was found, and what to do."""


class Row(NamedTuple):
    """What the ledger knows of a sample. `changed`: when it was last done or failed, seconds since 1970."""

    name: str
    folder: str
    state: str
    stage: str | None
    reason: str
    attempts: int
    losses: int
    seconds: float
    phases: Mapping[str, float]
    worker: str
    changed: float | None


@contextmanager
def sole_driver(out: Path) -> Iterator[None]:
    """Holds OUT for this process. Raises LedgerError that names the holder when another has it."""
    try:
        with held(out / LOCK):
            yield
    except LockedError:
        raise LedgerError(
            f"{out}: another run writes here{_holder(out)}; wait for it, or choose another --out"
        ) from None


def open_ledger(out: Path, config: Config, data: Path, overwrite: bool = False) -> sqlite3.Connection:
    """The ledger in OUT, made if there is none; call it as the sole driver.

    `overwrite` begins a round in which everything is done anew; one that was interrupted goes on until `end_anew`.
    Raises LedgerError for a damaged file, and unless `overwrite`, for one of another config.
    """
    path = out / NAME
    with _naming(path):
        connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        if _is_new(connection):
            _fill(connection)
        _check(connection, path)
    meta, own = load_meta(connection), {"key": config_key(config), "options": _text(plain_options(config))}
    changed = meta.get("key", own["key"]) != own["key"]
    if changed and not overwrite:
        other = differing_options(json.loads(meta["options"]), plain_options(config))
        connection.close()
        raise LedgerError(
            f"{path}: the run began with other options ({', '.join(other) or 'of another version of hoijax'}); take "
            "those again, choose another --out, or do everything anew with --overwrite"
        )
    with together(connection):
        if overwrite and (changed or ANEW not in meta):
            _begin_anew(connection, out)
        _enter(connection, own | {"version": hoijax.__version__, "holder": _text(_myself())})
        if "data" not in meta:
            _enter(connection, {"data": str(data.resolve())})
    return connection


def read_ledger(out: Path) -> sqlite3.Connection:
    """The ledger in OUT to look at, also while a run goes on. Raises LedgerError when there is none, or it is damaged."""
    path = out / NAME
    if not path.is_file():
        raise LedgerError(f"{path}: no such file, so no run has begun in {out}")
    # What a killed run left half written is rolled back by whoever opens it, which takes the right to write.
    mode = "rw" if os.access(path, os.W_OK) and os.access(out, os.W_OK) else "ro"
    with _naming(path):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=PATIENCE)
        connection.execute("PRAGMA query_only = ON")
        if _is_new(connection):
            raise LedgerError(f"{path}: is empty, a run is about to begin or was ended before it began")
        _check(connection, path)
    return connection


def load_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """What the ledger says of the whole run: key and options of its config, data, files, version, holder."""
    return dict(connection.execute("SELECT key, value FROM meta"))


def save_meta(connection: sqlite3.Connection, values: Mapping[str, str | None]) -> None:
    """Enters values, or removes those that are None."""
    with together(connection):
        _enter(connection, values)


def described(holder: str) -> str:
    """Who drives a run, for people; on this machine also whether it still lives."""
    who = json.loads(holder)
    text = f"process {who['pid']} on {who['host']} since {who['since']}"
    if who["host"] != socket.gethostname():
        return text
    try:
        os.kill(who["pid"], 0)
    except ProcessLookupError:
        return f"{text}, which was killed"
    except PermissionError:
        pass
    return text


@contextmanager
def together(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing of what is written inside, on the disk at the end."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def add_samples(connection: sqlite3.Connection, folders: Mapping[str, Path]) -> int:
    """Enters the samples that are new, as waiting. How many."""
    before = sum(counts(connection).values())
    with together(connection):
        connection.executemany(
            "INSERT OR IGNORE INTO samples (name, folder) VALUES (?, ?)",
            ((name, str(folder)) for name, folder in folders.items()),
        )
    return sum(counts(connection).values()) - before


def record(connection: sqlite3.Connection, outcomes: Sequence[Outcome]) -> None:
    """Enters what became of tasks, in one commit. "waiting" leaves a sample as it was."""
    now = time.time()
    rows = [
        (
            *(one.state, one.stage, one.reason, sum(one.seconds.values())),
            *(json.dumps(dict(one.seconds)), one.worker, now, one.name),
        )
        for one in outcomes
        if one.state != "waiting"
    ]
    if rows:
        with together(connection):
            connection.executemany(
                "UPDATE samples SET state = ?, stage = ?, reason = ?, attempts = attempts + 1, seconds = ?, phases = ?, "
                "worker = ?, changed = ? WHERE name = ?",
                rows,
            )


def record_losses(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Counts a dead worker for each task that it had in hand, so that the next run knows."""
    with together(connection):
        connection.executemany("UPDATE samples SET losses = losses + 1 WHERE name = ?", ((name,) for name in names))


def set_waiting(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """These samples are to be done, as if they never had been."""
    with together(connection):
        connection.executemany(
            "UPDATE samples SET state = 'waiting', stage = NULL, reason = '', losses = 0 WHERE name = ?",
            ((name,) for name in names),
        )


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Samples in each state: {"waiting", "done", "failed"}."""
    found = dict(connection.execute("SELECT state, COUNT(*) FROM samples GROUP BY state"))
    return {state: found.get(state, 0) for state in ("waiting", "done", "failed")}


def names_in(connection: sqlite3.Connection, state: str) -> list[str]:
    """Names of the samples in this state, sorted."""
    return [name for (name,) in connection.execute("SELECT name FROM samples WHERE state = ? ORDER BY name", (state,))]


def losses(connection: sqlite3.Connection) -> dict[str, int]:
    """{name: workers that died with it in hand}, of the waiting samples for which any did."""
    chosen = "SELECT name, losses FROM samples WHERE state = 'waiting' AND losses > 0"
    return dict(connection.execute(chosen).fetchall())


def rows(connection: sqlite3.Connection, state: str) -> Iterator[Row]:
    """The rows in this state, sorted by name. Read them to the end: an open cursor keeps a writer waiting."""
    chosen = f"SELECT {', '.join(Row._fields)} FROM samples WHERE state = ? ORDER BY name"
    for values in connection.execute(chosen, (state,)):
        row = Row(*values)
        yield row._replace(phases=json.loads(str(row.phases)))


def _begin_anew(connection: sqlite3.Connection, out: Path) -> None:
    """Everything waits again, and results older than now do not count. The clock is that of OUT's file system."""
    clock = out / LOCK
    clock.touch()
    connection.execute("UPDATE samples SET state = 'waiting', stage = NULL, reason = '', losses = 0")
    _enter(connection, {ANEW: str(clock.stat().st_mtime_ns)})


def _enter(connection: sqlite3.Connection, values: Mapping[str, str | None]) -> None:
    for key, value in values.items():
        connection.execute("DELETE FROM meta WHERE key = ?", (key,))
        if value is not None:
            connection.execute("INSERT INTO meta VALUES (?, ?)", (key, value))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _is_new(connection: sqlite3.Connection) -> bool:
    """Whether nothing is in the file: a run that was killed before its first commit leaves such a one."""
    return connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (0,)


def _fill(connection: sqlite3.Connection) -> None:
    with together(connection):
        for statement in TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA}")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if not {"meta", "samples"} <= tables:
        raise LedgerError(f"{path}: is no ledger of hoijax, but a data base with the tables {sorted(tables)}")
    if found != SCHEMA:
        raise LedgerError(f"{path}: has schema {found}, this version of hoijax reads schema {SCHEMA}")
    fault = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if fault != "ok":
        raise sqlite3.DatabaseError(fault.splitlines()[-1])


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors of the data base become a LedgerError that says what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise LedgerError(f"{path}: cannot be opened ({error})") from error
    except sqlite3.DatabaseError as error:
        raise LedgerError(
            f"{path}: is damaged ({error}); move it away and start again: finished results are found and kept, "
            "failed samples are tried once more"
        ) from error


def _holder(out: Path) -> str:
    """Who drives the run in OUT, as far as its ledger tells."""
    try:
        connection = sqlite3.connect(f"{(out / NAME).resolve().as_uri()}?mode=ro", uri=True, timeout=5)
        meta: dict[str, Any] = load_meta(connection)
        connection.close()
    except sqlite3.Error:
        return " and has just begun"
    return f": {described(meta['holder'])}" if "holder" in meta else ""


def _myself() -> dict[str, Any]:
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M")}
