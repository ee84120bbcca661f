"""The store: what was appended is there, whatever happens to the process."""

import math
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hoijax.annotate.store import LARGEST, append, events, load_events, open_store, standing, take_back
from hoijax.data.sample import SampleError


def test_what_is_appended_can_be_read_while_the_server_writes(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "a.sqlite"
    store = open_store(file)
    first = append(store, "anna", 'it\'s "odd" <b>/ü', "contact", "part", {"name": "ü'\"; drop table events"}, "v1")
    second = append(store, "bert", "box", "fine", "pose", {"x": [0.1, 1e-300]})
    assert load_events(file) == [first, second] == events(store)
    assert events(store, annotator="bert") == [second]
    assert events(store, item=first.item, tool="contact") == [first]


def test_taking_back_is_an_event_too(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a.sqlite")
    first, second = (append(store, "anna", "box", "contact", "part", {"k": k}) for k in range(2))
    take_back(store, second)
    assert standing(events(store)) == [first]
    assert len(events(store)) == 3


@pytest.mark.parametrize("value", [{"x": math.nan}, {"x": math.inf}, {"x": {1, 2}}, {"x": "a" * LARGEST}])
def test_what_no_store_should_hold_is_refused(tmp_path: Path, value: dict[str, object]) -> None:
    store = open_store(tmp_path / "a.sqlite")
    with pytest.raises((ValueError, TypeError)):
        append(store, "anna", "box", "contact", "part", value)
    assert events(store) == []


def test_reading_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="is no file"):
        load_events(tmp_path / "none.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_no_store(tmp_path: Path) -> None:
    text, other, newer, empty = (tmp_path / name for name in ("text", "other", "newer", "empty"))
    text.write_text("not a database, though long enough to be taken for one " * 100)
    for file, command in ((other, "create table accounts (name text)"), (newer, "pragma user_version = 9")):
        with sqlite3.connect(file) as database:
            database.execute(command)
        database.close()
    empty.touch()
    for file, words in ((text, "not a database"), (other, "another program's"), (newer, "schema 9"), (empty, "empty")):
        with pytest.raises(SampleError, match=words):
            load_events(file)
    for file in (text, other, newer, tmp_path):
        with pytest.raises(SampleError):
            open_store(file)
    assert sqlite3.connect(other).execute("select name from sqlite_master").fetchall() == [("accounts",)]


APPENDING = """
import sys
from hoijax.annotate.store import append, open_store
store = open_store(sys.argv[1])
print("begins", flush=True)
while True:
    event = append(store, "anna", "box", "filter", "stroke", {"points": [[0.5, 0.5]] * 400})
    print(event.id, flush=True)
"""


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_confirmed(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    file = tmp_path / "a.sqlite"
    random = np.random.default_rng(0)
    confirmed: list[int] = []
    for _ in range(5):
        command = [sys.executable, "-c", APPENDING, str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=pytestconfig.rootpath) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begins\n"
            time.sleep(float(random.uniform(0.02, 0.5)))
            process.send_signal(signal.SIGKILL)
            confirmed += [int(line) for line in process.stdout.read().split(b"\n")[:-1]]
        kept = load_events(file)
        assert {event.id for event in kept} >= set(confirmed)
        assert all(len(event.value["points"]) == 400 for event in kept)
        store = open_store(file)
        assert store.execute("pragma integrity_check").fetchone() == ("ok",)
        store.close()
    assert len(confirmed) > 5
