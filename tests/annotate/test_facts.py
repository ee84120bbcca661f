"""The IoU of every item for the work lists: found beside the server, kept, and found again where files changed."""

import json
from pathlib import Path

import pytest

from hoijax.annotate.desk import Desk, finished, order
from hoijax.annotate.facts import start_facts
from hoijax.annotate.items import find_items, fingerprint
from hoijax.annotate.serve import open_desk
from hoijax.annotate.store import append
from hoijax.annotate.tools import TOOLS
from hoijax.data.measure import image_metrics
from hoijax.data.read import load_sample

pytestmark = pytest.mark.slow
CACHE = "store.iou.json"


def desk_of(tree: Path) -> Desk:
    """A desk whose facts are known."""
    desk = open_desk(find_items(tree), tree / "store.sqlite", TOOLS, {})
    start_facts(desk, tree / CACHE).join(100)
    return desk


def test_found_kept_and_found_again(tree: Path) -> None:
    (tree / "chair/sit_on_0/object_mesh.obj").unlink()
    (tree / "box/carry_0/object_mask.png").write_bytes(b"no picture")
    desk = desk_of(tree)
    chair = load_sample(tree / "chair/sit_on_0")
    assert desk.facts["chair/sit_on_0"]["iou"] == image_metrics(chair, chair.human, chair.object)["iou_object"]
    assert desk.facts["ball/hold_0"]["iou"] > 0.95
    assert desk.facts["box/carry_0"] == {}
    assert order(desk) == ["chair/sit_on_0", "ball/hold_0", "box/carry_0"]

    kept = json.loads((tree / CACHE).read_text())
    for name in ("chair/sit_on_0", "ball/hold_0"):
        kept[name][1] = 0.125
    (tree / CACHE).write_text(json.dumps(kept))
    (tree / "chair/sit_on_0/smplx_parameters.json").write_text(
        (tree / "chair/sit_on_0/smplx_parameters.json").read_text() + "\n"
    )
    again = desk_of(tree)
    assert again.facts["ball/hold_0"]["iou"] == 0.125, "what is kept of unchanged files is used"
    assert again.facts["chair/sit_on_0"]["iou"] != 0.125, "changed files are looked at again"


def version(tree: Path, tool: str = "fine") -> str:
    """What the files of the ball are now, to the tool."""
    return fingerprint(tree / "ball/hold_0", next(each for each in TOOLS if each.name == tool).sees)


def test_a_confirmed_pose_counts_and_an_unreadable_cache_does_not(tree: Path) -> None:
    (tree / CACHE).write_text("[1, 2")
    desk = open_desk(find_items(tree), tree / "store.sqlite", TOOLS, {})
    append(desk.store, "anna", "ball/hold_0", "fine", "done", {"iou": 0.25}, version(tree))
    start_facts(desk, tree / CACHE).join(100)
    assert desk.facts["ball/hold_0"] == {"iou": 0.25}
    assert set(json.loads((tree / CACHE).read_text())) == {"ball/hold_0", "box/carry_0", "chair/sit_on_0"}


def test_what_was_decided_about_other_files_is_to_be_done_again(tree: Path) -> None:
    desk = open_desk(find_items(tree), tree / "store.sqlite", TOOLS, {})
    append(desk.store, "anna", "ball/hold_0", "fine", "done", {"iou": 0.25}, version(tree))
    append(
        desk.store,
        "anna",
        "ball/hold_0",
        "contact",
        "done",
        {"parts": ["head"], "none": False},
        version(tree, "contact"),
    )
    obj = tree / "ball/hold_0/object_mesh.obj"
    obj.write_text(obj.read_text() + "# changed\n")
    again = desk_of(tree)
    assert not finished(again, "fine", "ball/hold_0", "anna"), "the object is another one"
    assert finished(again, "contact", "ball/hold_0", "anna"), "photograph and person are the same"
    assert again.facts["ball/hold_0"]["iou"] > 0.95
