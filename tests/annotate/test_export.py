"""Decisions as ground truth: what is exported, what is left out, who counts, and a kill in the middle."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hoijax.annotate.export import Exported, ExportOptions, export
from hoijax.annotate.items import Items, find_items
from hoijax.annotate.store import load_events, open_store, take_back
from hoijax.data.layout import find_samples
from hoijax.data.read import load_sample
from hoijax.data.sample import SampleError
from tests.annotate.decided import READERS, decide, finish, rows

pytestmark = pytest.mark.slow  # the scenes take a while to make
BALL, BOX, CHAIR = "ball/hold_0", "box/carry_0", "chair/sit_on_0"


@pytest.fixture
def items(tree: Path) -> Items:
    return find_items(tree)


@pytest.fixture
def store(items: Items) -> Iterator[sqlite3.Connection]:
    opened = open_store(items.tree / "annotations.sqlite")
    yield opened
    opened.close()


PLAIN = ExportOptions()


def exported(items: Items, out: Path, options: ExportOptions = PLAIN) -> Exported:
    return export(items, load_events(items.tree / "annotations.sqlite"), READERS, out, options)


def test_a_finished_sample_carries_what_was_decided(store: sqlite3.Connection, items: Items, tmp_path: Path) -> None:
    before = load_sample(items.folders[BOX])
    columns = int(np.flatnonzero(before.object_mask.any(0))[0]) + 3
    decide(store, items, "anna", BOX, "filter", "erase", columns=columns)
    finish(store, items, "anna", BOX, ["back", "left palm"], 0.25)
    found = exported(items, tmp_path / "out")
    assert found.written == (BOX,)
    after = load_sample(tmp_path / "out" / BOX)
    assert after.truth is not None
    assert not after.object_mask[:, :columns].any()
    np.testing.assert_array_equal(after.object_mask[:, columns:], before.object_mask[:, columns:])
    np.testing.assert_array_equal(after.human_mask, before.human_mask)
    np.testing.assert_array_equal(after.image, before.image)
    assert after.contact_parts == ("back", "left palm")
    np.testing.assert_array_equal(after.object.verts, before.object.verts)
    np.testing.assert_array_equal(after.truth.faces, before.object.faces)
    np.testing.assert_array_equal(after.truth.verts, before.object.verts + np.float32([0.25, 0, 0]))
    np.testing.assert_array_equal(after.truth.rgb, before.object.rgb)
    record = json.loads((tmp_path / "out" / BOX / "annotated.json").read_text())
    assert record["tools"]["fine"]["annotator"] == "anna"
    assert record["tools"]["fine"]["shift"] == [0.25, 0.0, 0.0]
    assert record["tools"]["filter"]["strokes"] == 1
    assert record["tools"]["contact"]["events"] == [3]
    assert [row.split(",")[0] for row in rows(tmp_path / "out" / "unfinished.csv")] == [BALL, CHAIR]


def test_deleted_and_unfinished_samples_are_listed(store: sqlite3.Connection, items: Items, tmp_path: Path) -> None:
    decide(store, items, "anna", BALL, "filter", "judge", human="delete", object="pass", reason="bad human")
    decide(store, items, "anna", CHAIR, "filter", "judge", human="pass", object="again", reason="two legs missing")
    finish(store, items, "anna", BOX)
    found = exported(items, tmp_path / "out")
    assert found.written == (BOX,)
    assert rows(tmp_path / "out" / "left_out.csv") == [f"{BALL},deleted,bad human,anna"]
    assert rows(tmp_path / "out" / "unfinished.csv") == [f"{CHAIR},is to be made again,False"]
    everything = exported(items, tmp_path / "all", ExportOptions(only="all"))
    assert everything.written == (BOX, CHAIR)
    assert rows(tmp_path / "all" / "unfinished.csv") == [f"{CHAIR},is to be made again,True"]


def test_only_the_tools_that_are_needed(store: sqlite3.Connection, items: Items, tmp_path: Path) -> None:
    decide(store, items, "anna", BOX, "fine", "done", shift=[0.1, 0.0, 0.0])
    assert exported(items, tmp_path / "a").written == ()
    assert exported(items, tmp_path / "b", ExportOptions(needs=("fine",))).written == (BOX,)


def test_a_second_run_does_what_has_changed(store: sqlite3.Connection, items: Items, tmp_path: Path) -> None:
    for item in (BALL, BOX, CHAIR):
        finish(store, items, "anna", item)
    out = tmp_path / "out"
    assert len(exported(items, out).written) == 3
    made = (out / BALL).stat().st_ino
    assert exported(items, out).unchanged == (BALL, BOX, CHAIR)
    assert (out / BALL).stat().st_ino == made
    decide(store, items, "anna", BOX, "contact", "done", parts=["neck"])
    last = decide(store, items, "anna", CHAIR, "contact", "open")
    found = exported(items, out)
    assert (found.written, found.unchanged, found.removed) == ((BOX,), (BALL,), (CHAIR,))
    assert load_sample(out / BOX).contact_parts == ("neck",)
    assert not (out / CHAIR).exists()
    take_back(store, last)
    assert exported(items, out).written == (CHAIR,)


def test_decisions_about_older_files_do_not_count(store: sqlite3.Connection, items: Items, tmp_path: Path) -> None:
    finish(store, items, "anna", BOX)
    finish(store, items, "anna", BALL)
    mesh = items.folders[BOX] / "obj_pcd_h_align.obj"
    mesh.write_text(mesh.read_text() + "# made again\n")
    found = exported(items, tmp_path / "out")
    assert found.written == (BALL,)
    assert [(stale.item, stale.tool) for stale in found.stale] == [(BOX, "filter"), (BOX, "fine")]
    assert f"{BOX},filter,anna,1," in rows(tmp_path / "out" / "stale.csv")[0]
    shutil.rmtree(items.folders[BALL])
    assert exported(find_items(items.tree), tmp_path / "out").removed == (BALL,)


def test_of_several_annotators_the_latest_or_the_preferred_counts(
    store: sqlite3.Connection, items: Items, tmp_path: Path
) -> None:
    finish(store, items, "anna", BOX, ["back"])
    finish(store, items, "bert", BOX, ["neck"])
    decide(store, items, "carl", BOX, "contact", "begun")
    assert exported(items, tmp_path / "a").written == (BOX,)
    assert load_sample(tmp_path / "a" / BOX).contact_parts == ("neck",)
    assert rows(tmp_path / "a" / "conflicts.csv") == [f"{BOX},contact,bert,anna: back; bert: neck"]
    exported(items, tmp_path / "b", ExportOptions(prefer=("carl", "anna")))
    assert load_sample(tmp_path / "b" / BOX).contact_parts == ("back",)
    exported(items, tmp_path / "c", ExportOptions(annotator="anna"))
    assert load_sample(tmp_path / "c" / BOX).contact_parts == ("back",)
    assert exported(items, tmp_path / "d", ExportOptions(annotator="carl")).written == ()


def test_a_mask_that_is_erased_whole_leaves_the_sample_out(
    store: sqlite3.Connection, items: Items, tmp_path: Path
) -> None:
    decide(store, items, "anna", BOX, "filter", "erase", columns=10_000)
    finish(store, items, "anna", BOX)
    found = exported(items, tmp_path / "out")
    assert found.written == ()
    assert found.left_out[0].kind == "unusable"
    assert "mask of the object is empty" in found.left_out[0].reason


def test_the_tree_and_other_peoples_folders_stay_as_they_are(
    store: sqlite3.Connection, items: Items, tmp_path: Path
) -> None:
    finish(store, items, "anna", BOX)
    for out in (items.tree, items.tree / "export", items.tree.parent):
        with pytest.raises(SampleError, match="not apart from the tree"):
            exported(items, out)
    theirs = tmp_path / "out" / BOX / "notes.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    with pytest.raises(SampleError, match="no export made it"):
        exported(items, tmp_path / "out")
    assert theirs.read_text() == "mine"


def test_an_export_below_another_stays(store: sqlite3.Connection, items: Items, tmp_path: Path) -> None:
    out, below = tmp_path / "out", tmp_path / "out" / "anna" / "all"
    finish(store, items, "anna", BOX)
    assert exported(items, below).written == (BOX,)
    half = below / "box" / ".carry_1-abcd1234" / "content"  # what it would be writing at the time
    half.mkdir(parents=True)
    found = exported(items, out)
    assert (found.written, found.removed) == ((BOX,), ())
    assert half.is_dir()
    assert exported(items, below).unchanged == (BOX,)


EXPORTING = """
import sys
from hoijax.annotate.export import export
from hoijax.annotate.items import find_items
from hoijax.annotate.store import load_events
from tests.annotate.decided import READERS
items = find_items(sys.argv[1])
happened = load_events(items.tree / "annotations.sqlite")
print("begins", flush=True)
export(items, happened, READERS, sys.argv[2])
"""


def test_a_killed_export_leaves_no_half_sample_and_goes_on(
    tree: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    for k in range(1, 9):
        shutil.copytree(tree / BOX, tree / f"box/carry_{k}")
    items, out = find_items(tree), tmp_path / "out"
    store = open_store(tree / "annotations.sqlite")
    random = np.random.default_rng(0)
    killed = 0
    for turn in range(6):
        for item in items.folders:
            finish(store, items, "anna", item, ["back", "neck"][: 1 + turn % 2], 0.1 * turn)
        command = [sys.executable, "-c", EXPORTING, str(tree), str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=pytestconfig.rootpath) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begins\n"
            time.sleep(float(random.uniform(0.05, 1.0)))
            process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        for folder in find_samples(out) if out.exists() else ():
            assert_whole(folder)
    store.close()
    assert killed
    found = exported(items, out)
    assert len(found.written) + len(found.unchanged) == len(items.folders)
    exported(items, tmp_path / "undisturbed")
    assert contents(out) == contents(tmp_path / "undisturbed")


def assert_whole(folder: Path) -> None:
    """All of a sample's files are of one turn: the parts and the shift of the object tell which."""
    sample = load_sample(folder)
    record = json.loads((folder / "annotated.json").read_text())["tools"]
    assert sample.truth is not None
    shift = float((sample.truth.verts - sample.object.verts)[:, 0].mean())
    assert shift == pytest.approx(record["fine"]["shift"][0], abs=1e-5)
    assert (
        list(sample.contact_parts or ()) == record["contact"]["parts"] == ["back", "neck"][: 1 + round(10 * shift) % 2]
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a tree, hidden ones too, but for the lock."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".export.lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
