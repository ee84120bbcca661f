"""The fine tool in a real browser: an object is aligned with buttons, keys, the mouse and the optimizer."""

import io
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hoijax.annotate.fine.numbers import iou, sight
from hoijax.annotate.fine.pose import placed, read_pose
from hoijax.annotate.fine.state import COARSE
from hoijax.data.read import load_sample
from hoijax.metrics.pose import umeyama

pytestmark = pytest.mark.slow
ITEM = "chair/sit_on_0"
Starts = tuple[Any, Any]


@pytest.fixture
def opened(serve: Callable[..., Any], browsers: Callable[[], Any], tree: Path) -> Starts:
    """A server and a browser at the chair, whose annotation is away: the coarse mesh is what is moved."""
    for truth in tree.rglob("object_mesh.obj"):
        truth.unlink()
    server, browser = serve(tree), browsers()
    browser.sign_in(server, "anna")
    browser.open(server, "fine", ITEM)
    return server, browser


def shown_iou(browser: Any) -> float:
    """The number on the page; -1 while there is none."""
    try:
        return float(browser.text("iou"))
    except ValueError:
        return -1.0


def stored(server: Any) -> list[Any]:
    return [event for event in server.events(ITEM, "fine") if event.kind == "pose"]


def settled(server: Any, browser: Any, wait: Callable[..., Any], count: int) -> None:
    """Waits until so many poses stand in the store and the page shows the IoU of the last, as found here anew."""
    wait(lambda: len(stored(server)) == count, f"{count} poses")
    sample = load_sample(server.tree / ITEM)
    verts, events = sample.object.verts, stored(server)
    if events:
        verts = placed(verts, read_pose(events[-1].value), verts.mean(0))
    expected = iou(sight(sample), verts, sample.object.faces)
    wait(lambda: abs(shown_iou(browser) - expected) < 6e-4, f"an IoU of {expected:.3f}, not {browser.text('iou')}")


def test_align_with_buttons_and_keys_then_reload_undo_and_reset(
    opened: Starts, scenes: Path, wait: Callable[..., Any]
) -> None:
    server, browser = opened
    settled(server, browser, wait, 0)
    before = shown_iou(browser)
    known = load_sample(scenes / ITEM)
    assert known.truth is not None
    there = umeyama(known.object.verts, known.truth.verts)
    offset = np.asarray(known.pose.translation, np.float64)
    here, goal = (mesh.verts.mean(0) + offset for mesh in (known.object, known.truth))
    away = float(np.linalg.norm(goal) - np.linalg.norm(here))
    across = 100 * (goal - here * (1 + round(100 * away) / 100 / np.linalg.norm(here)))  # what is left to do, cm
    turn = np.degrees(_rotvec(there.rotation))
    # steps of "normal" size: 1 cm, 2 degrees, 2 %; first the keys, then the last step of each with its button
    wanted = {
        ("ARROW_LEFT", "ARROW_RIGHT", "left", "right"): across[0],
        ("ARROW_DOWN", "ARROW_UP", "down", "up"): -across[1],
        ("s", "w", "nearer", "farther"): 100 * away,
        ("d", "e", "smaller", "larger"): np.log(there.scale) / np.log(1.02),
        ("j", "l", "turn-left", "turn-right"): -turn[1] / 2,
        ("k", "i", "tip-down", "tip-up"): -turn[0] / 2,
        ("f", "r", "roll-left", "roll-right"): turn[2] / 2,
    }
    count = 0
    for (less, more, less_name, more_name), steps in wanted.items():
        n = abs(round(float(steps)))
        if n == 0:
            continue
        browser.keys(*[more if steps > 0 else less] * (n - 1))
        browser.click(f"nudge-{more_name if steps > 0 else less_name}")
        count += n
    settled(server, browser, wait, count)
    after = shown_iou(browser)
    assert after > 0.85 > before, (before, after, wanted)

    browser.driver.refresh()
    settled(server, browser, wait, count)
    browser.keys("u")
    settled(server, browser, wait, count - 1)
    browser.keys("0")
    settled(server, browser, wait, count)
    assert shown_iou(browser) == pytest.approx(before, abs=1e-3)
    browser.click("undo")
    settled(server, browser, wait, count - 1)
    assert browser.complaints() == []


def _rotvec(rotation: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return Rotation.from_matrix(rotation).as_rotvec()


def test_drag_moves_turns_and_scales_as_one_act_each(opened: Starts, wait: Callable[..., Any]) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    server, browser = opened
    settled(server, browser, wait, 0)
    photo = browser.find("[data-mark=photo]")
    wait(lambda: photo.get_attribute("data-shown"), "the mesh over the photograph")
    ActionChains(browser.driver).move_to_element(photo).click_and_hold().move_by_offset(60, 0).release().perform()
    settled(server, browser, wait, 1)
    moved = read_pose(stored(server)[-1].value)
    assert moved.translation[0] > 0.02
    assert moved.translation[1:].tolist() == [0.0, 0.0]
    turn = ActionChains(browser.driver).move_to_element(photo).key_down(Keys.SHIFT).click_and_hold()
    turn.move_by_offset(40, 0).release().key_up(Keys.SHIFT).perform()
    settled(server, browser, wait, 2)
    turned = read_pose(stored(server)[-1].value)
    assert turned.translation.tolist() == moved.translation.tolist()
    assert turned.rotation[0, 0] < 0.99
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    ActionChains(browser.driver).scroll_from_origin(ScrollOrigin.from_element(photo), 0, -240).perform()
    settled(server, browser, wait, 3)
    assert read_pose(stored(server)[-1].value).log_scale > 0.05
    browser.keys("u", "u", "u")
    settled(server, browser, wait, 0)
    assert browser.complaints() == []


def test_snap_raises_the_iou_and_is_undone_in_one_go(opened: Starts, wait: Callable[..., Any]) -> None:
    server, browser = opened
    settled(server, browser, wait, 0)
    before = shown_iou(browser)
    browser.click("snap")
    wait(lambda: browser.text("snap-progress"), "a word about the snap")
    wait(lambda: stored(server), "the snap", 400)
    settled(server, browser, wait, 1)
    assert stored(server)[0].value["by"] == "snap"
    assert shown_iou(browser) > before + 0.05
    browser.keys("u")
    settled(server, browser, wait, 0)
    assert shown_iou(browser) == pytest.approx(before, abs=1e-3)


def test_a_cancelled_snap_changes_nothing_and_another_works(opened: Starts, wait: Callable[..., Any]) -> None:
    server, browser = opened
    settled(server, browser, wait, 0)
    browser.keys("x")
    wait(lambda: stored(server), "the first snap, which compiles", 400)
    browser.keys("u")
    settled(server, browser, wait, 0)
    progress = browser.find("[data-mark=snap-progress]")
    wait(lambda: not progress.is_displayed(), "the snap's end")
    browser.keys("x")
    wait(progress.is_displayed, "a snap under way")
    browser.keys("ESCAPE")
    wait(lambda: not progress.is_displayed(), "the cancel")
    with pytest.raises(TimeoutError):
        wait(lambda: stored(server), "a pose of what was cancelled", 3.0)
    browser.keys("x")
    settled(server, browser, wait, 1)
    assert stored(server)[0].value["by"] == "snap"
    assert browser.complaints() == []


def test_one_enter_too_many_confirms_nothing_unseen(opened: Starts, wait: Callable[..., Any]) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    server, browser = opened
    settled(server, browser, wait, 0)
    time.sleep(2)  # the next one is read ahead
    ActionChains(browser.driver).send_keys(Keys.ENTER).pause(0.03).send_keys(Keys.ENTER).perform()
    wait(lambda: browser.item != ITEM and browser.ready(), "the next item")
    assert [(event.item, event.kind) for event in server.events()] == [(ITEM, "done")]
    second = browser.item
    browser.keys("ENTER")
    wait(lambda: browser.item != second, "the one after it, once the second was there to be seen")


def test_only_a_confirmed_pose_changes_the_list(opened: Starts, wait: Callable[..., Any]) -> None:
    server, browser = opened

    def found() -> Any:
        browser.driver.get(server.url)
        wait(lambda: ITEM in browser.text("items"), "the list")
        return re.search(rf"{ITEM}\D*?(0\.\d+)", browser.text("items"))

    def listed() -> float:
        return float(wait(found, "the IoU in the list")[1])

    before = listed()
    browser.open(server, "fine", ITEM)
    browser.keys("v", *["ARROW_UP"] * 5)  # 5 cm each
    settled(server, browser, wait, 5)
    moved = shown_iou(browser)
    assert abs(moved - before) > 0.02
    assert listed() == pytest.approx(before, abs=0.006)
    browser.open(server, "fine", ITEM)
    browser.keys("ENTER")
    wait(lambda: browser.item != ITEM, "the next item")
    assert listed() == pytest.approx(moved, abs=0.006)


def test_the_masks_outline_comes_and_goes(opened: Starts, wait: Callable[..., Any]) -> None:
    server, browser = opened

    def orange() -> int:
        """Pixels of the window in the outline's colour."""
        seen = np.asarray(Image.open(io.BytesIO(browser.driver.get_screenshot_as_png())).convert("RGB"), np.int64)
        return int((np.abs(seen - [255, 157, 60]).max(2) < 12).sum())

    wait(lambda: orange() > 200, "the outline")
    with_line = orange()
    browser.keys("m")
    wait(lambda: orange() < with_line / 4, "no outline")
    browser.keys("m")
    wait(lambda: orange() > with_line / 2, "the outline again")
    assert server.events() == []


def test_a_fine_item_takes_a_tag_and_enter(opened: Starts, wait: Callable[..., Any]) -> None:
    server, browser = opened
    settled(server, browser, wait, 0)
    browser.keys("1", "ENTER")
    wait(lambda: browser.item != ITEM, "the next item")
    kinds = [event.kind for event in server.events(ITEM, "fine")]
    assert kinds == ["quality", "done"]
    said = server.events(ITEM, "fine")[-1].value
    assert (said["base"], said["quality"]) == (COARSE, "good")
    assert 0 < said["iou"] <= 1
    wait(browser.ready, "the next item to be shown")
    assert browser.text("done") == "1 of 3 done"
    browser.driver.get(server.url)
    assert "anna: good" in wait(lambda: browser.text("items"), "the list")
    assert browser.complaints() == []
