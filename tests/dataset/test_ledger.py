"""The ledger on its own: what it keeps, and what it refuses."""

import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from hoijax.config import with_options
from hoijax.dataset.ledger import (
    ANEW,
    NAME,
    LedgerError,
    add_samples,
    counts,
    load_meta,
    losses,
    names_in,
    open_ledger,
    read_ledger,
    record,
    record_losses,
    rows,
    set_waiting,
    sole_driver,
)
from hoijax.dataset.tasks import Outcome
from hoijax.presets import PRESETS

CONFIG = PRESETS["hoijax"]()
FOLDERS = {name: Path("/data") / name for name in ("cup/a_1", "cup/b_2", "ball/c_3")}


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path


@pytest.fixture
def ledger(out) -> sqlite3.Connection:
    connection = open_ledger(out, CONFIG, Path("/data"))
    assert add_samples(connection, FOLDERS) == 3
    return connection


def test_it_keeps_what_became_of_each_sample(ledger, out) -> None:
    record(
        ledger,
        [
            Outcome("cup/a_1", "done", seconds={"fit": 2.0, "write": 0.5}, worker="here:1"),
            Outcome("cup/b_2", "failed", "read", "SampleError: x: y", {"read": 0.1}),
            Outcome("ball/c_3", "waiting", "write", "no room left"),
        ],
    )
    ledger.close()
    ledger = read_ledger(out)
    assert counts(ledger) == {"waiting": 1, "done": 1, "failed": 1}
    (done,), (failed,) = rows(ledger, "done"), rows(ledger, "failed")
    assert (done.name, done.folder, done.worker, done.attempts) == ("cup/a_1", "/data/cup/a_1", "here:1", 1)
    assert (done.seconds, done.phases) == (2.5, {"fit": 2.0, "write": 0.5})
    assert (failed.name, failed.stage, failed.reason) == ("cup/b_2", "read", "SampleError: x: y")
    assert names_in(ledger, "waiting") == ["ball/c_3"]


def test_samples_are_entered_once(ledger) -> None:
    record(ledger, [Outcome("cup/a_1", "done")])
    assert add_samples(ledger, FOLDERS | {"new/d_4": Path("/data/new/d_4")}) == 1
    assert counts(ledger) == {"waiting": 3, "done": 1, "failed": 0}


def test_what_waits_again_is_as_if_new(ledger) -> None:
    record_losses(ledger, ["cup/a_1", "cup/b_2"])
    record_losses(ledger, ["cup/a_1"])
    assert losses(ledger) == {"cup/a_1": 2, "cup/b_2": 1}
    record(ledger, [Outcome("cup/a_1", "failed", "worker", "killed")])
    set_waiting(ledger, ["cup/a_1"])
    assert losses(ledger) == {"cup/b_2": 1}
    (row,) = (row for row in rows(ledger, "waiting") if row.name == "cup/a_1")
    assert (row.stage, row.reason, row.attempts) == (None, "", 1)


def test_it_is_read_while_it_is_written(ledger, out) -> None:
    reader = read_ledger(out)
    assert counts(reader)["done"] == 0
    record(ledger, [Outcome("cup/a_1", "done")])
    assert counts(reader)["done"] == 1
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        record(reader, [Outcome("cup/b_2", "done")])


def test_the_same_options_under_another_name_are_the_same(ledger, out) -> None:
    ledger.close()
    assert counts(open_ledger(out, replace(CONFIG, preset="mine"), Path("/data")))["waiting"] == 3


def test_another_config_is_refused_and_named(ledger, out) -> None:
    record(ledger, [Outcome("cup/a_1", "done")])
    ledger.close()
    other = with_options(CONFIG, {"image_size": 128, "hoi.weights.contact": 3})
    with pytest.raises(LedgerError, match=r"ledger\.sqlite: the run began with other options \(image_size, weights\)"):
        open_ledger(out, other, Path("/data"))
    ledger = open_ledger(out, other, Path("/data"), overwrite=True)
    assert counts(ledger) == {"waiting": 3, "done": 0, "failed": 0}
    ledger.close()
    with pytest.raises(LedgerError, match="image_size"):
        open_ledger(out, CONFIG, Path("/data"))


def test_a_round_of_doing_anew_goes_on_until_another_config_begins_one(ledger, out) -> None:
    ledger.close()
    ledger = open_ledger(out, CONFIG, Path("/data"), overwrite=True)
    since = load_meta(ledger)[ANEW]
    record(ledger, [Outcome("cup/a_1", "done")])
    ledger.close()
    ledger = open_ledger(out, CONFIG, Path("/data"), overwrite=True)
    assert load_meta(ledger)[ANEW] == since
    assert counts(ledger)["done"] == 1
    ledger.close()
    os.utime(out / "ledger.lock")
    ledger = open_ledger(out, with_options(CONFIG, {"seed": 1}), Path("/data"), overwrite=True)
    assert int(load_meta(ledger)[ANEW]) > int(since)
    assert counts(ledger)["done"] == 0


def test_a_damaged_file_says_what_to_do(ledger, out) -> None:
    add_samples(ledger, {f"x/{i:05}": Path("/data/x") for i in range(3000)})
    ledger.close()
    content = (out / NAME).read_bytes()
    for damaged in (b"no data base at all" * 100, content[:5000], content[:8192] + b"\xff" * 20000 + content[28192:]):
        (out / NAME).write_bytes(damaged)
        with pytest.raises(LedgerError, match=r"ledger\.sqlite: is damaged .*move it away"):
            open_ledger(out, CONFIG, Path("/data"))
        with pytest.raises(LedgerError, match=r"ledger\.sqlite: is damaged"):
            read_ledger(out)


def test_an_empty_file_is_a_ledger_that_was_about_to_be_made(out) -> None:
    (out / NAME).touch()
    with pytest.raises(LedgerError, match="is empty"):
        read_ledger(out)
    assert counts(open_ledger(out, CONFIG, Path("/data"))) == {"waiting": 0, "done": 0, "failed": 0}


def test_other_data_bases_and_schemas_are_refused(out, tmp_path) -> None:
    with pytest.raises(LedgerError, match="no run has begun"):
        read_ledger(out)
    with sqlite3.connect(out / NAME) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    with pytest.raises(LedgerError, match=r"no ledger of hoijax.*songs"):
        open_ledger(out, CONFIG, Path("/data"))
    newer = tmp_path / "newer"
    newer.mkdir()
    open_ledger(newer, CONFIG, Path("/data")).execute("PRAGMA user_version = 7")
    with pytest.raises(LedgerError, match="has schema 7"):
        open_ledger(newer, CONFIG, Path("/data"))


def test_the_second_driver_is_told_of_the_first(out) -> None:
    with sole_driver(out):
        with pytest.raises(LedgerError, match="has just begun"), sole_driver(out):
            pass
        open_ledger(out, CONFIG, Path("/data")).close()
        with pytest.raises(LedgerError, match=f"process {os.getpid()} on {os.uname().nodename}"), sole_driver(out):
            pass
    with sole_driver(out):
        pass
