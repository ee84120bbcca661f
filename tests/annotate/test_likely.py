"""What a judge expects, in the work list of the filter: orders, entries that do not count, and the page that shows it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hoijax.annotate.desk import Desk, order, way_of
from hoijax.annotate.facts import start_facts
from hoijax.annotate.filter.state import SEES
from hoijax.annotate.items import find_items, fingerprint
from hoijax.annotate.likely import DOUBTFUL, FINE, IOU, Chance, Likely, likely_file, load_likely, save_likely
from hoijax.annotate.serve import open_desk
from hoijax.annotate.store import STORE
from hoijax.annotate.tools import TOOLS
from hoijax.data.sample import SampleError

BALL, BOX, CHAIR = "ball/hold_0", "box/carry_0", "chair/sit_on_0"


def chance(tree: Path, item: str, value: float) -> Chance:
    """That the item passes, of its files as they are."""
    return Chance(fingerprint(tree / item, SEES), 0.9, value / 0.9, value)


def likely_of(tree: Path, **values: float) -> Likely:
    items = {"ball": BALL, "box": BOX, "chair": CHAIR}
    chances = {items[name]: chance(tree, items[name], value) for name, value in values.items()}
    return Likely("0123456789ab", "2026-01-02T03:04:05+00:00", ("anna",), chances)


def desk_of(tree: Path, likely: Likely | None, first: str = IOU) -> Desk:
    return open_desk(find_items(tree), tree / STORE, TOOLS, {}, None, False, likely, first)


def test_three_orders(tree: Path) -> None:
    desk = desk_of(tree, likely_of(tree, ball=0.2, chair=0.55, box=0.9))
    desk.facts.update({BALL: {"iou": 0.9}, BOX: {"iou": 0.5}, CHAIR: {"iou": 0.7}})
    assert order(desk) == order(desk, IOU) == [BOX, CHAIR, BALL]
    assert order(desk, FINE) == [BOX, CHAIR, BALL]
    assert order(desk, DOUBTFUL) == [CHAIR, BALL, BOX]
    del desk.likely[BOX]
    assert order(desk, FINE) == [CHAIR, BALL, BOX], "one of which nothing is known comes last"


def test_an_order_is_of_one_annotator_and_of_the_filter(tree: Path) -> None:
    desk = desk_of(tree, likely_of(tree, ball=0.2), DOUBTFUL)
    desk.orders["anna"] = FINE
    assert way_of(desk, "anna", "filter") == FINE
    assert way_of(desk, "ben", "filter") == DOUBTFUL
    assert way_of(desk, "anna", "contact") == way_of(desk, "anna", "fine") == IOU
    without = desk_of(tree, None, DOUBTFUL)
    assert way_of(without, "ben", "filter") == IOU


def test_the_file_comes_back_and_what_is_none_is_refused(tree: Path) -> None:
    file = likely_file(tree / STORE)
    assert file.name == "annotations.sqlite.judge.json"
    assert load_likely(file) is None
    likely = likely_of(tree, ball=0.2, chair=0.55)
    save_likely(file, likely)
    assert load_likely(file) == likely
    good = json.loads(file.read_text())
    for wrong in (
        "[1, 2",
        "[]",
        json.dumps({**good, "schema": 99}),
        json.dumps({**good, "items": {BALL: {"human": 1}}}),
        json.dumps({**good, "learned": "anna"}),
        json.dumps({**good, "model": "\ud800"}),
        json.dumps({**good, "model": "m" * 10_000}),
        "[" * 100_000,
    ):
        file.write_text(wrong)
        with pytest.raises(SampleError, match=r"judge\.json"):
            load_likely(file)
    good["items"][BALL]["item"] = 1.5
    file.write_text(json.dumps(good))
    with pytest.raises(SampleError, match="from 0 to 1"):
        load_likely(file)


@pytest.mark.slow
def test_entries_of_other_files_and_of_other_trees_do_not_count(tree: Path) -> None:
    likely = likely_of(tree, ball=0.2, chair=0.55, box=0.9)
    strange = likely._replace(items={**likely.items, "zebra/ride_0": likely.items[BALL]})
    obj = tree / BOX / "obj_pcd_h_align.obj"
    obj.write_text(obj.read_text() + "# changed\n")
    desk = desk_of(tree, strange)
    assert set(desk.likely) == {BALL, BOX, CHAIR}
    assert "1 of its 4 entries" in desk.notes[0]
    start_facts(desk, tree / "iou.json").join(100)
    assert set(desk.likely) == {BALL, CHAIR}
    assert "1 items have other files" in desk.notes[1]


@pytest.mark.slow
def test_in_the_browser(tree: Path, serve: Callable[..., Any], browsers: Callable[..., Any], wait: Callable) -> None:
    save_likely(likely_file(tree / STORE), likely_of(tree, ball=0.2, chair=0.55, box=0.9))
    server, anna = serve(tree, f"--order={FINE}"), browsers()
    anna.sign_in(server, "anna")
    assert "learned from anna" in anna.text("judge")

    def listed() -> list[str]:
        cells = anna.driver.find_elements("css selector", "[data-mark=items] tbody tr td:first-child")
        return [cell.text for cell in cells]

    assert listed() == [BOX, CHAIR, BALL]
    assert "0.55" in anna.find("[data-mark=items]").text
    anna.open(server, "filter")
    assert anna.item == BOX, "the likeliest comes first"
    page = anna.find("body").text
    assert "0.90" not in page, "no number sways who does not ask"
    anna.keys("j")
    wait(lambda: "both 0.90" in anna.find("body").text, "what the judge expects")

    anna.driver.get(server.url.split("?")[0])
    next(
        one for one in anna.driver.find_elements("css selector", "[data-mark=order] button") if "Doubt" in one.text
    ).click()
    wait(lambda: listed()[0] == CHAIR, "the doubtful one first")
    anna.open(server, "filter")
    assert anna.item == CHAIR
    assert not anna.complaints()
    server.stop()

    likely_file(tree / STORE).unlink()
    plain, ben = serve(tree), browsers()
    ben.sign_in(plain, "ben")
    assert ben.text("judge") == ""
    assert not ben.driver.find_elements("css selector", "[data-mark=order]")
