"""Ledger and disk are brought to agree."""

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from hoijax.data.options import plain_options
from hoijax.data.sample import SampleError
from hoijax.dataset.ledger import LedgerError, add_samples, counts, names_in, open_ledger, record, rows
from hoijax.dataset.reconcile import reconcile, remove_leftovers, sample_names
from hoijax.dataset.tasks import VANISHED, Outcome
from hoijax.presets import PRESETS

CONFIG = PRESETS["hoijax"]()


@pytest.fixture
def data(tmp_path) -> Path:
    for name in ("cup/a_1", "cup/b_2", "ball/c_3"):
        (tmp_path / "data" / name).mkdir(parents=True)
    return tmp_path / "data"


@pytest.fixture
def out(tmp_path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def ledger(data, out) -> sqlite3.Connection:
    return open_ledger(out, CONFIG, data)


def samples(data: Path) -> dict[str, Path]:
    return sample_names(data, sorted(data.glob("*/*")))


def finish(folder: Path, **changes: object) -> None:
    folder.mkdir(parents=True)
    options = plain_options(CONFIG) | changes
    record = {"schema": 1, "options": options, "seconds": {"fit": 2.0, "total": 2.0}}
    (folder / "result.json").write_text(json.dumps(record))


def test_a_name_is_the_place_in_the_tree(data, tmp_path) -> None:
    assert set(samples(data)) == {"cup/a_1", "cup/b_2", "ball/c_3"}
    alone = data / "cup" / "a_1"
    assert sample_names(alone, [alone]) == {"a_1": alone}
    odd = Path(os.fsdecode(os.fsencode(data) + b"/cup/\xff_1"))
    with pytest.raises(SampleError, match="is not UTF-8"):
        sample_names(data, [odd])


def test_what_stands_is_done_and_what_is_gone_waits(ledger, data, out) -> None:
    add_samples(ledger, samples(data))
    record(ledger, [Outcome("cup/a_1", "done"), Outcome("cup/b_2", "done")])
    finish(out / "cup" / "b_2")
    finish(out / "ball" / "c_3")
    found = reconcile(ledger, samples(data), data, out)
    assert found._asdict() == {"new": 0, "finished": 1, "gone": 1, "vanished": 0, "back": 0}
    assert names_in(ledger, "done") == ["ball/c_3", "cup/b_2"]
    assert next(row.phases for row in rows(ledger, "done") if row.name == "ball/c_3") == {"fit": 2.0}
    assert names_in(ledger, "waiting") == ["cup/a_1"]


def test_new_samples_are_added(ledger, data, out) -> None:
    assert reconcile(ledger, samples(data), data, out).new == 3
    (data / "cup" / "d_4").mkdir()
    assert reconcile(ledger, samples(data), data, out).new == 1
    assert counts(ledger) == {"waiting": 4, "done": 0, "failed": 0}


def test_a_vanished_sample_has_failed_until_it_is_back(ledger, data, out) -> None:
    reconcile(ledger, samples(data), data, out)
    record(ledger, [Outcome("cup/b_2", "done")])
    finish(out / "cup" / "b_2")
    shutil.move(data / "cup", data.parent / "elsewhere")
    assert reconcile(ledger, samples(data), data, out).vanished == 1
    (row,) = rows(ledger, "failed")
    assert (row.name, row.stage, row.reason) == ("cup/a_1", "read", VANISHED)
    assert names_in(ledger, "done") == ["cup/b_2"], "what was done before its input vanished is still done"
    shutil.move(data.parent / "elsewhere", data / "cup")
    assert reconcile(ledger, samples(data), data, out).back == 1
    assert counts(ledger) == {"waiting": 2, "done": 1, "failed": 0}


def test_a_result_of_other_options_is_not_taken_for_ours(ledger, data, out) -> None:
    finish(out / "cup" / "a_1", image_size=999)
    with pytest.raises(LedgerError, match=r"a_1/result\.json: was made with other options \(image_size\)"):
        reconcile(ledger, samples(data), data, out)


def test_a_damaged_result_is_not_taken_for_whole(ledger, data, out) -> None:
    finish(out / "cup" / "a_1")
    (out / "cup" / "a_1" / "result.json").write_text('{"schema": 1, "opt')
    reconcile(ledger, samples(data), data, out)
    (row,) = rows(ledger, "failed")
    assert (row.name, row.stage) == ("cup/a_1", "write")
    assert "damaged" in row.reason


def test_when_all_is_done_anew_old_results_do_not_count(ledger, data, out) -> None:
    finish(out / "cup" / "a_1")
    os.utime(out / "cup" / "a_1" / "result.json", (1e9, 1e9))
    ledger.close()
    ledger = open_ledger(out, CONFIG, data, overwrite=True)
    finish(out / "cup" / "b_2")
    assert reconcile(ledger, samples(data), data, out).finished == 1
    assert names_in(ledger, "done") == ["cup/b_2"]


def test_a_moved_tree_is_known_by_its_samples_and_another_refused(ledger, data, out) -> None:
    reconcile(ledger, samples(data), data, out)
    moved = data.rename(data.with_name("moved"))
    assert reconcile(ledger, samples(moved), moved, out).new == 0
    assert all(row.folder.startswith(str(moved)) for row in rows(ledger, "waiting"))
    other = data.with_name("other")
    (other / "hat" / "z_9").mkdir(parents=True)
    with pytest.raises(LedgerError, match=r"3 of its samples are not here \(ball/c_3\)"):
        reconcile(ledger, samples(other), other, out)
    assert counts(ledger)["waiting"] == 3


def test_only_what_killed_writers_left_is_removed(data, out) -> None:
    (out / "cup" / ".a_1-abcd1234" / "content" / "deep").mkdir(parents=True)
    for kept in (".git-abcd1234/content", ".a_1-abcd1234-backup", ".b_2-abcd1234/mine", ".b_2", "b_2/.a_1-abcd1234"):
        (out / "cup" / kept).mkdir(parents=True)
    assert remove_leftovers(out, samples(data)) == 1
    left = {path.name for path in (out / "cup").iterdir()}
    assert left == {".git-abcd1234", ".a_1-abcd1234-backup", ".b_2-abcd1234", ".b_2", "b_2"}


def test_a_result_that_a_killed_writer_had_moved_aside_is_put_back(data, out) -> None:
    finish(out / "cup" / ".a_1-abcd1234" / "old")
    (out / "cup" / ".a_1-abcd1234" / "content").mkdir()
    assert remove_leftovers(out, samples(data)) == 1
    assert [path.name for path in (out / "cup").iterdir()] == ["a_1"]
    assert (out / "cup" / "a_1" / "result.json").is_file()
