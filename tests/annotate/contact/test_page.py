"""The contact tool in a browser: real clicks on the body and in the list, keys, undo, reload, a killed server."""

import io
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import igl
import numpy as np
import pytest
from PIL import Image

from hoijax.annotate.contact.body_map import face_labels
from hoijax.annotate.contact.hints import hints
from hoijax.annotate.contact.state import contact_state
from hoijax.annotate.contact.views import UP, views
from hoijax.body.parts import PART_NAMES
from hoijax.data.person_parts import parts_of
from hoijax.data.read import load_sample
from hoijax.data.sample import Sample

pytestmark = pytest.mark.slow

ITEM = "chair/sit_on_0"
Page = tuple[Any, Any, "Body"]  # server, browser, what the test knows of the item


class Body:
    """Where the parts of an item's person are in the browser's window."""

    def __init__(self, sample: Sample, browser: Any) -> None:
        self.sample, self.browser = sample, browser
        self.labels = face_labels(sample.human, parts_of(sample))
        self.views = views(sample)

    def pixel(self, part: str, side: str) -> tuple[int, int]:
        """The pixel of a face of the part that the camera of this side sees, the one that faces it most."""
        verts, faces = sample_mesh(self.sample)
        view = self.views[side]
        ahead = (view.target - view.eye) / np.linalg.norm(view.target - view.eye)
        right = np.cross(ahead, UP) / np.linalg.norm(np.cross(ahead, UP))
        down = np.cross(ahead, right)
        box = self.browser.driver.execute_script(
            "const b = arguments[0].getBoundingClientRect(); return [b.x, b.y, b.width, b.height]",
            self.browser.find("[data-mark=body]"),
        )
        normals = igl.per_face_normals(verts, faces, np.zeros(3))
        known = np.flatnonzero(self.labels == PART_NAMES.index(part))
        for face in known[np.argsort(normals[known] @ ahead)][:200]:
            point = verts[faces[face]].mean(0)
            hit = igl.ray_mesh_intersect(view.eye, point - view.eye, verts, faces)
            if hit and min(hit, key=lambda h: h[1])[0] == face:
                offset = point - view.eye
                scale = box[3] / 2 / np.tan(np.radians(view.fov / 2)) / (offset @ ahead)
                x, y = box[0] + box[2] / 2 + scale * (offset @ right), box[1] + box[3] / 2 + scale * (offset @ down)
                return round(x), round(y)
        raise AssertionError(f"{part} cannot be seen from the {side}")

    def click(self, part: str, side: str, shift: bool = False) -> None:
        move(self.browser, [self.pixel(part, side)], press=True, shift=shift)


def sample_mesh(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(sample.human.verts, np.float64), np.asarray(sample.human.faces, np.int64)


def move(browser: Any, pixels: list[tuple[int, int]], press: bool = False, shift: bool = False) -> None:
    """The mouse through these pixels of the window, the button held from the first to the last if asked."""
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    chain = ActionChains(browser.driver, duration=20)
    if shift:
        chain.key_down(Keys.SHIFT)
    for k, (x, y) in enumerate(pixels):
        chain.w3c_actions.pointer_action.move_to_location(x, y)
        chain.w3c_actions.key_action.pause()
        if press and k == 0:
            chain.w3c_actions.pointer_action.pointer_down()
            chain.w3c_actions.key_action.pause()
    if press:
        chain.w3c_actions.pointer_action.pointer_up()
        chain.w3c_actions.key_action.pause()
    if shift:
        chain.key_up(Keys.SHIFT)
    chain.perform()


def picture(browser: Any) -> np.ndarray:
    """The window as it is now."""
    return np.asarray(Image.open(io.BytesIO(browser.driver.get_screenshot_as_png())).convert("RGB"), np.int64)


def color(browser: Any, pixel: tuple[int, int]) -> np.ndarray:
    x, y = pixel
    return picture(browser)[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).mean(0)


def bluish(rgb: np.ndarray) -> bool:
    return bool(rgb[2] > 1.8 * rgb[0])


def cell(browser: Any, part: str) -> Any:
    return browser.find(f"[data-mark=part-{part.replace(' ', '-')}]")


def marked(browser: Any, state: str = "chosen") -> set[str]:
    found = browser.driver.execute_script(
        f"return [...document.querySelectorAll('[data-state={state}]')].map(e => e.dataset.mark)"
    )
    return {name.removeprefix("part-").replace("-", " ") for name in found}


@pytest.fixture
def unlabelled(tree: Path) -> Path:
    """The scenes without their contact labels."""
    for folder in tree.glob("*/*/contact_label"):
        shutil.rmtree(folder)
    return tree


@pytest.fixture
def page(serve: Callable[..., Any], browsers: Callable[..., Any], unlabelled: Path, wait: Callable[..., Any]) -> Page:
    """Anna has the chair before her, seen from the front."""
    server, browser = serve(unlabelled), browsers()
    browser.sign_in(server, "anna")
    open_item(browser, server, wait)
    return server, browser, Body(load_sample(unlabelled / ITEM), browser)


def open_item(browser: Any, server: Any, wait: Callable[..., Any]) -> None:
    browser.open(server, "contact", ITEM)
    wait(lambda: browser.find("[data-mark=body]").get_attribute("data-shown"), "the body")


def parts(server: Any) -> set[str]:
    return set(contact_state(server.events(ITEM, "contact", "anna")).parts)


def test_a_click_on_the_body_and_one_in_the_list_are_the_same(page: Page, wait: Callable[..., Any]) -> None:
    server, browser, body = page
    for part, side, key in (("torso", "photo", "7"), ("back", "back", "2"), ("left knee", "left", "3")):
        browser.keys(key)
        body.click(part, side)
        wait(lambda part=part: part in marked(browser), f"{part} in the list")  # the chair's back is no obstacle
        browser.keys("o")
        wait(lambda part=part, side=side: bluish(color(browser, body.pixel(part, side))), f"{part} painted")
        browser.keys("o")
    assert parts(server) == {"torso", "back", "left knee"}
    body.click("left knee", "left")
    wait(lambda: "left knee" not in marked(browser), "the knee taken out again")
    for part in ("left eye", "right ear", "nose", "mouth", "torso"):
        cell(browser, part).click()
        wait(lambda part=part: (part in marked(browser)) == (part != "torso"), part)
    assert parts(server) == {"back", "left eye", "right ear", "nose", "mouth"}
    assert browser.complaints() == []


def test_names_appear_under_the_mouse_and_light_up_in_both_places(page: Page, wait: Callable[..., Any]) -> None:
    server, browser, body = page
    at = body.pixel("torso", "front")
    before = color(browser, at)
    move(browser, [(at[0] + 2, at[1]), at])
    wait(lambda: browser.text("hovered") == "torso", "the name")
    wait(lambda: cell(browser, "torso").get_attribute("data-lit") == "yes", "the light in the list")
    tip = browser.driver.execute_script("return document.querySelector('[data-mark=body]').lastElementChild.innerText")
    assert tip.strip() == "torso"
    move(browser, [(5, 5)])
    wait(lambda: browser.text("hovered") == "", "no name")
    wait(lambda: np.allclose(color(browser, at), before, atol=3), "the light to go")
    middle = cell(browser, "torso").rect
    move(browser, [(int(middle["x"] + 20), int(middle["y"] + 8))])
    wait(lambda: not np.allclose(color(browser, at), before, atol=30), "the light on the body")
    assert server.events(ITEM) == []


def test_suggestions_are_taken_with_one_key_and_confirmed_with_another(page: Page, wait: Callable[..., Any]) -> None:
    server, browser, body = page
    near = hints(body.sample, parts_of(body.sample))
    suggested = set(near.suggested(0.03))
    assert marked(browser, "suggested") == set(near.suggested())
    browser.keys("-")
    wait(lambda: marked(browser, "suggested") == suggested != set(near.suggested()), "fewer suggestions")
    browser.keys("a", "ENTER")
    wait(lambda: browser.item != ITEM, "the next item")
    kinds = [event.kind for event in server.events(ITEM, "contact", "anna")]
    assert kinds == ["accept", "done"]
    assert contact_state(server.events(ITEM, "contact", "anna")) == (suggested, False, True)
    wait(lambda: browser.text("done") == "1 of 3 done", "the count")


def test_labels_that_are_there_are_the_start_and_one_key_keeps_them(
    serve: Callable[..., Any], browsers: Callable[..., Any], tree: Path, wait: Callable[..., Any]
) -> None:
    server, browser = serve(tree), browsers()
    browser.sign_in(server, "anna")
    open_item(browser, server, wait)
    given = set(load_sample(tree / ITEM).contact_parts or ())
    wait(lambda: marked(browser) == given, "the labels of the sample")
    browser.keys("ENTER")
    wait(lambda: browser.item != ITEM, "the next item")
    assert contact_state(server.events(ITEM, "contact", "anna")) == (given, False, True)


def test_one_enter_too_many_confirms_nothing_unseen(
    serve: Callable[..., Any], browsers: Callable[..., Any], tree: Path, wait: Callable[..., Any]
) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    server, browser = serve(tree), browsers()
    browser.sign_in(server, "anna")
    open_item(browser, server, wait)
    time.sleep(2)  # the next one is read ahead
    ActionChains(browser.driver).send_keys(Keys.ENTER).pause(0.03).send_keys(Keys.ENTER).perform()
    wait(lambda: browser.item != ITEM and browser.ready(), "the next item")
    assert [(event.item, event.kind) for event in server.events()] == [(ITEM, "done")]
    second = browser.item
    browser.keys("ENTER")
    wait(lambda: browser.item != second, "the one after it, once the second was there to be seen")


def test_a_confirmation_that_is_not_kept_goes_nowhere(
    serve: Callable[..., Any], browsers: Callable[..., Any], tree: Path, wait: Callable[..., Any]
) -> None:
    server, browser = serve(tree), browsers()
    browser.sign_in(server, "anna")
    open_item(browser, server, wait)
    other = sqlite3.connect(tree / "annotations.sqlite", isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        browser.keys("ENTER")
        wait(lambda: "NOT kept" in browser.text("notice"), "the message")
        assert browser.item == ITEM
        other.execute("ROLLBACK")
    finally:
        other.close()
    assert server.events() == []
    browser.keys("ENTER")
    wait(lambda: browser.item != ITEM, "the next item")
    assert [(event.item, event.kind) for event in server.events()] == [(ITEM, "done")]


def test_nothing_is_confirmed_that_was_not_said(page: Page, wait: Callable[..., Any]) -> None:
    server, browser, _ = page
    browser.keys("ENTER")
    wait(lambda: "say that none does" in browser.driver.page_source, "the message")
    assert browser.item == ITEM
    assert server.events(ITEM) == []


def test_both_sides_no_contact_and_undo(page: Page, wait: Callable[..., Any]) -> None:
    server, browser, body = page
    body.click("right lower leg", "front")
    wait(lambda: marked(browser) == {"right lower leg"}, "one leg")
    browser.keys("m")
    wait(lambda: marked(browser) == {"left lower leg", "right lower leg"}, "both legs")
    body.click("left foot", "front", shift=True)
    wait(lambda: {"left foot", "right foot"} <= marked(browser), "both feet")
    assert len(server.events(ITEM)) == 3
    browser.keys("x")
    wait(lambda: marked(browser) == set() and browser.text("said").startswith("No contact"), "no contact")
    browser.keys("u")
    wait(lambda: len(marked(browser)) == 4, "what was there before")
    browser.keys("x")
    browser.click("part-nose")
    wait(lambda: marked(browser) == {"nose"}, "a part instead of no contact")
    assert not contact_state(server.events(ITEM)).none
    browser.keys("c", "x", "ENTER")
    wait(lambda: browser.item != ITEM, "the next item")
    assert contact_state(server.events(ITEM)) == (set(), True, True)


def test_a_button_that_was_clicked_does_not_catch_enter(page: Page, wait: Callable[..., Any]) -> None:
    server, browser, _ = page
    browser.click("part-nose")
    browser.click("no-contact")
    wait(lambda: browser.text("said").startswith("No contact"), "no contact")
    browser.keys("ENTER")
    wait(lambda: browser.item != ITEM, "the next item")
    assert contact_state(server.events(ITEM)) == (set(), True, True)


def test_turning_the_body_chooses_nothing(page: Page, wait: Callable[..., Any]) -> None:
    server, browser, body = page
    x, y = body.pixel("torso", "front")
    before = picture(browser)
    move(browser, [(x, y), (x + 30, y + 5), (x + 90, y + 15)], press=True)
    wait(lambda: (np.abs(picture(browser) - before).max(2) > 60).mean() > 0.01, "another view")
    assert server.events(ITEM) == []
    browser.keys("1")
    body.click("torso", "front")
    wait(lambda: marked(browser) == {"torso"}, "a click after it")


def test_the_heat_map_and_the_object_come_and_go(page: Page, wait: Callable[..., Any]) -> None:
    server, browser, body = page
    at = body.pixel("torso", "front")
    move(browser, [(5, 5)])
    plain = picture(browser)

    def changed() -> float:
        return float((np.abs(picture(browser) - plain).max(2) > 12).mean())

    browser.keys("h")
    wait(lambda: changed() > 0.02, "the heat map")
    near = color(browser, body.pixel("left upper leg", "front"))
    far = color(browser, body.pixel("left foot", "front"))
    assert near[0] - near[2] > far[0] - far[2] + 20  # redder where the chair is nearer
    browser.keys("h")
    wait(lambda: changed() == 0, "the parts again")
    browser.keys("o")
    wait(lambda: changed() > 0.005, "no object")
    browser.keys("o")
    wait(lambda: changed() == 0, "the object again")
    assert server.events(ITEM) == []
    assert not bluish(color(browser, at))


def test_a_reload_and_a_killed_server_lose_nothing(page: Page, wait: Callable[..., Any]) -> None:
    server, browser, body = page
    body.click("torso", "front")
    cell(browser, "left palm").click()
    wait(lambda: marked(browser) == {"torso", "left palm"}, "two parts")
    browser.driver.refresh()
    wait(lambda: browser.item == ITEM and marked(browser) == {"torso", "left palm"}, "both after a reload")
    cell(browser, "right palm").click()
    wait(lambda: "right palm" in marked(browser), "a third")
    server.kill()
    assert parts(server) == {"torso", "left palm", "right palm"}
    server.start()
    open_item(browser, server, wait)
    wait(lambda: marked(browser) == {"torso", "left palm", "right palm"}, "all three from a new server")


def test_what_a_browser_makes_up_is_refused(page: Page, wait: Callable[..., Any]) -> None:
    server, browser, _ = page
    made_up = (
        '{name: "body", face: 1000000000, label: 3}',
        '{name: "body", face: -1, label: 3}',
        *('{name: "body", face: "1", label: 3}', '{name: "../x", face: 1, label: 3}', "{face: 1}", '"body"', "[1, 2]"),
    )
    view = browser.find("[data-mark=body]").get_attribute("id").removeprefix("c")
    for hit in made_up:
        browser.driver.execute_script(f"getElement({view}).$emit('pick', {hit})")
    wait(lambda: "There is no face 1000000000" in browser.driver.page_source, "the message")
    browser.driver.execute_script(f"getElement({view}).$emit('pick', {{name: 'body', face: 0, label: 99}})")
    wait(lambda: len(marked(browser)) == 1, "a face that is there, by the server's own part")
    assert len(server.events(ITEM)) == 1
    assert "Traceback" not in server.log.read_text()


def test_without_webgl_the_list_works(
    serve: Callable[..., Any], browsers: Callable[..., Any], unlabelled: Path, wait: Callable[..., Any]
) -> None:
    server, browser = serve(unlabelled), browsers("--disable-3d-apis")
    browser.sign_in(server, "anna")
    browser.open(server, "contact", ITEM)
    wait(lambda: "no WebGL" in browser.find("[data-mark=body]").text, "the message")
    cell(browser, "left palm").click()
    wait(lambda: marked(browser) == {"left palm"}, "the palm")
    browser.keys("2", "h", "o", "m", "ENTER")
    wait(lambda: browser.item != ITEM, "the next item")
    assert contact_state(server.events(ITEM)) == ({"left palm", "right palm"}, False, True)
