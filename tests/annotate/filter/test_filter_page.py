"""The filter in a browser: painting with the mouse, judging with keys, templates, what is made again."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from hoijax.annotate.filter.masks import checked_stroke, corrected, margin_of
from hoijax.data.read import load_sample

pytestmark = pytest.mark.slow
ITEM = "ball/hold_0"
CANVAS = "[data-mark=canvas]"


class Filter:
    """The page of one item in a browser."""

    def __init__(self, server: Any, browser: Any, wait: Callable[..., Any], item: str = ITEM) -> None:
        self.server, self.browser, self.wait = server, browser, wait
        browser.open(server, "filter", item)
        self.settle()

    def settle(self) -> None:
        """Until the canvas shows the item and every stroke is kept."""
        self.wait(lambda: self.data("turn") and self.ask("Boolean(b.item) && b.draws > 0"), "the canvas")
        self.wait(lambda: self.data("unsaved") == "0", "the strokes to be kept")

    def data(self, name: str) -> str:
        return self.browser.find(CANVAS).get_attribute(f"data-{name}") or ""

    def ask(self, expression: str) -> Any:
        """What an expression of the canvas `b` gives."""
        return self.browser.driver.execute_script(
            f"const b = document.querySelector('{CANVAS}').brush; return {expression}"
        )

    def place(self, x: float, y: float) -> tuple[int, int]:
        """Where a point of the image is, from the middle of the canvas, as selenium wants it."""
        view = self.ask("({...b.view, W: b.$el.clientWidth, H: b.$el.clientHeight})")
        across, down = view["scale"] * x + view["x"], view["scale"] * y + view["y"]
        return round(across - view["W"] / 2), round(down - view["H"] / 2)

    def drag(self, *points: tuple[float, float]) -> None:
        """Presses the left button at the first point (of the image), moves along the others, lets go."""
        from selenium.webdriver import ActionChains

        canvas = self.browser.find(CANVAS)
        chain = ActionChains(self.browser.driver, duration=20)
        chain.move_to_element_with_offset(canvas, *self.place(*points[0])).click_and_hold()
        for point in points[1:]:
            chain.move_to_element_with_offset(canvas, *self.place(*point))
        chain.release().perform()
        self.settle()

    def hold(self, *points: tuple[float, float]) -> None:
        """The same without letting go."""
        from selenium.webdriver import ActionChains

        canvas = self.browser.find(CANVAS)
        chain = ActionChains(self.browser.driver, duration=20)
        chain.move_to_element_with_offset(canvas, *self.place(*points[0])).click_and_hold()
        for point in points[1:]:
            chain.move_to_element_with_offset(canvas, *self.place(*point))
        chain.perform()
        self.wait(lambda: self.ask("b.stroke && b.stroke.points.length > 1"), "the stroke to begin")

    def drawn(self, **how: str) -> np.ndarray:
        """The canvas, once it is drawn in this way (its data attributes say how)."""
        for name, value in how.items():
            self.wait(lambda name=name, value=value: self.data(name) == value, f"{name} {value}")
        content = np.frombuffer(self.browser.find(CANVAS).screenshot_as_png, np.uint8)
        return cv2.imdecode(content, cv2.IMREAD_COLOR).astype(int)

    def focus(self) -> str:
        """The kind of element that has the keyboard."""
        return str(self.browser.driver.execute_script("return document.activeElement?.tagName"))

    def messages(self) -> str:
        """What is said at the bottom of the page."""
        found = self.browser.driver.find_elements("css selector", ".q-notification")
        return " ".join(one.get_property("textContent") for one in found)

    def key(self, name: str, until: str) -> None:
        """A key, and the wait until an expression of the canvas is true."""
        self.browser.keys(name)
        self.wait(lambda: self.ask(until), until)

    def mask(self, name: str) -> np.ndarray:
        """The mask as the browser has it, with its margin."""
        rows, columns = self.ask("[b.rows, b.columns]")
        bits = np.unpackbits(np.frombuffer(base64.b64decode(self.ask(f"b.packed('{name}')")), np.uint8))
        return bits[: rows * columns].reshape(rows, columns).astype(bool)

    def strokes(self, item: str = ITEM) -> list[dict[str, Any]]:
        return [event.value for event in self.server.events(item, "filter") if event.kind == "stroke"]

    def emit(self, said: str) -> None:
        """Sends whatever to the server as a stroke, as a page that was tampered with could."""
        self.browser.driver.execute_script(
            f"const b = document.querySelector('{CANVAS}').brush; b.$emit('stroke', {said})"
        )


@pytest.fixture
def page(
    serve: Callable[..., Any], browsers: Callable[[], Any], tree: Path, wait: Callable[..., Any]
) -> Callable[..., Filter]:
    """page(*flags): the filter, with anna before the first item."""

    def start(*flags: str) -> Filter:
        server, browser = serve(tree, *flags), browsers()
        browser.sign_in(server, "anna")
        return Filter(server, browser, wait)

    return start


def expected(tree: Path, strokes: list[dict[str, Any]], name: str) -> np.ndarray:
    sample = load_sample(tree / ITEM)
    mask = {"human": sample.human_mask, "object": sample.object_mask}[name]
    return corrected(mask, [checked_stroke(stroke) for stroke in strokes], margin_of(*mask.shape), name)


def test_strokes_are_the_same_pixels_here_and_there_and_come_back(page: Callable[..., Filter], tree: Path) -> None:
    shown = page()
    h, w = load_sample(tree / ITEM).object_mask.shape
    np.testing.assert_array_equal(shown.mask("object"), expected(tree, [], "object"))
    shown.key("f", "b.wide")  # the margin is in sight
    shown.key("b", "b.kind === 'object'")
    shown.drag((-0.1 * w, 0.3 * h), (0.2 * w, 0.35 * h), (0.5 * w, 0.6 * h), (1.1 * w, 0.5 * h))
    shown.key("g", "b.kind === 'human'")
    shown.browser.keys("+", "+")
    shown.drag((0.5 * w, 0.2 * h), (0.5 * w, -0.1 * h))
    shown.key("e", "b.erase")
    shown.drag((0.4 * w, 0.5 * h), (0.6 * w, 0.5 * h))
    shown.drag((0.3 * w, 0.4 * h))  # a click
    strokes = shown.strokes()
    assert [(stroke["mask"], stroke["erase"]) for stroke in strokes] == [
        ("object", False),
        *[("human", False), ("human", True), ("human", True)],
    ]
    assert strokes[0]["points"][0][0] < 0
    assert strokes[0]["points"][-1][0] > w
    assert strokes[1]["radius"] > 1.4 * strokes[0]["radius"]
    for name in ("human", "object"):
        np.testing.assert_array_equal(shown.mask(name), expected(tree, strokes, name))
        assert (expected(tree, strokes, name) != expected(tree, [], name)).sum() > 100
    shown.browser.driver.refresh()
    shown.wait(lambda: shown.browser.item == ITEM and shown.browser.ready(), "the page again")
    shown.settle()
    assert shown.data("strokes") == "4"
    for name in ("human", "object"):
        np.testing.assert_array_equal(shown.mask(name), expected(tree, strokes, name))
    shown.browser.keys("u")
    shown.wait(lambda: shown.data("strokes") == "3", "undo")
    shown.browser.click("undo")
    shown.wait(lambda: shown.data("strokes") == "2", "undo")
    assert shown.strokes() == strokes[:2]
    np.testing.assert_array_equal(shown.mask("human"), expected(tree, strokes[:2], "human"))
    assert shown.browser.complaints() == []


def test_a_stroke_that_ends_outside_of_canvas_and_zoom_and_pan_keep_it_exact(
    page: Callable[..., Filter], tree: Path
) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    shown = page()
    canvas = shown.browser.find(CANVAS)
    before = shown.ask("b.view.scale")
    origin = ScrollOrigin.from_element(canvas, 30, 20)
    ActionChains(shown.browser.driver).scroll_from_origin(origin, 0, -600).perform()
    shown.wait(lambda: shown.ask("b.view.scale") > 1.3 * before, "the wheel to zoom")
    x = shown.ask("b.view.x")
    h, w = load_sample(tree / ITEM).object_mask.shape
    shown.drag((0.5 * w, 0.5 * h), (0.6 * w, 0.55 * h))  # "move" is on: no stroke
    shown.wait(lambda: shown.ask("b.view.x") != x, "the view to move")
    assert shown.strokes() == []
    shown.key("b", "b.kind === 'object'")
    title = shown.browser.find("[data-mark=item]")
    chain = ActionChains(shown.browser.driver, duration=20)
    chain.move_to_element(canvas).click_and_hold().move_by_offset(-60, -40).move_to_element(title).release().perform()
    shown.wait(lambda: len(shown.strokes()) == 1, "the stroke that ended on the header")
    shown.settle()
    np.testing.assert_array_equal(shown.mask("object"), expected(tree, shown.strokes(), "object"))
    assert shown.ask("b.stroke") is None


def test_a_stroke_that_is_held_when_the_item_changes_is_kept_for_the_item_on_which_it_was_painted(
    page: Callable[..., Filter], tree: Path
) -> None:
    shown = page()
    h, w = load_sample(tree / ITEM).object_mask.shape
    shown.key("b", "b.kind === 'object'")
    shown.hold((0.3 * w, 0.3 * h), (0.4 * w, 0.3 * h), (0.5 * w, 0.4 * h))
    shown.browser.keys("ENTER")
    shown.wait(lambda: shown.browser.item not in ("", ITEM) and shown.browser.ready(), "the next item")
    shown.wait(lambda: shown.data("turn") == "2", "its canvas")
    other = shown.browser.item
    let_go(shown)
    shown.settle()
    (stroke,) = shown.strokes()
    assert len(stroke["points"]) >= 3
    assert shown.strokes(other) == []
    assert shown.data("strokes") == "0"
    assert shown.messages() == ""


def test_a_stroke_that_cannot_be_kept_because_the_item_has_changed_is_spoken_of(page: Callable[..., Filter]) -> None:
    shown = page()
    shown.key("b", "b.kind === 'object'")
    shown.hold((200.0, 150.0), (230.0, 160.0))
    # No key: the server goes on by itself, and the canvas learns of it only when the next item opens.
    shown.browser.driver.execute_script("document.querySelector('[data-mark=next]').click()")
    shown.wait(lambda: shown.browser.item not in ("", ITEM) and shown.browser.ready(), "the next item")
    shown.wait(lambda: "It was not kept" in shown.messages(), "a message")
    let_go(shown)
    shown.settle()
    assert shown.strokes() == []
    assert shown.strokes(shown.browser.item) == []
    shown.emit(
        "{turn: b.turn, item: 'box/other', token: 'x', mask: 'object', erase: false, radius: 3, points: [[1, 1]]}"
    )
    shown.wait(lambda: "box/other: a stroke came" in shown.messages(), "a message")
    assert shown.strokes(shown.browser.item) == []


def let_go(shown: Filter) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(shown.browser.driver).move_by_offset(5, 5).release().perform()


def test_the_bare_photograph_is_shown_while_a_key_is_held(page: Callable[..., Filter], tree: Path) -> None:
    from selenium.webdriver import ActionChains

    shown = page()
    covered = shown.drawn(bare="false")
    ActionChains(shown.browser.driver).key_down("q").perform()
    bare = shown.drawn(bare="true")
    ActionChains(shown.browser.driver).key_up("q").perform()
    again = shown.drawn(bare="false")
    shown.browser.keys("x", "m", "m")
    nothing = shown.drawn(alpha="0", layer="none")
    rows = slice(0, -30)  # above the words at the bottom
    assert (np.abs(bare - covered)[rows].max(-1) > 8).mean() > 0.02
    assert (np.abs(bare - nothing)[rows].max(-1) > 8).mean() < 0.002
    assert (np.abs(again - covered)[rows].max(-1) > 8).mean() < 0.002
    shown.browser.keys("?")
    shown.wait(lambda: "hold: the bare photograph" in shown.browser.find(".q-dialog").text, "the help")


def test_a_note_is_sent_once_and_gives_the_keys_back(page: Callable[..., Filter]) -> None:
    from selenium.webdriver.common.keys import Keys

    shown = page()
    shown.browser.type_into("[data-mark=note]", "flat")
    shown.browser.type_into("[data-mark=note]", Keys.ENTER)
    shown.wait(lambda: shown.browser.text("verdict") == "Done: redo. Enter goes on.", "the queue")
    assert shown.focus() != "INPUT"
    assert shown.browser.item == ITEM  # the page did not take the same Enter
    shown.browser.keys("r")
    shown.wait(lambda: "queued already, with this note" in shown.messages(), "a message")
    shown.browser.type_into("[data-mark=note]", "er")
    shown.browser.type_into("[data-mark=note]", Keys.ESCAPE)
    shown.wait(lambda: shown.focus() != "INPUT", "the keys to be the page's")
    shown.browser.keys("r")
    shown.wait(lambda: len(shown.server.events(ITEM, "filter")) == 2, "the other note")
    assert [(event.kind, event.value) for event in shown.server.events(ITEM, "filter")] == [
        ("redo", {"note": "flat"}),
        ("redo", {"note": "flater"}),
    ]
    shown.browser.keys("4", "r")  # deleted, and queued after all
    shown.wait(lambda: len(shown.server.events(ITEM, "filter")) == 4, "the queue again")
    shown.wait(lambda: shown.browser.text("verdict") == "Done: redo. Enter goes on.", "the verdict")


def test_an_item_that_is_fine_takes_two_keys(page: Callable[..., Filter]) -> None:
    shown = page()
    shown.browser.keys("p", "ENTER")
    shown.wait(lambda: shown.browser.item not in ("", ITEM), "the next item")
    (event,) = shown.server.events(ITEM, "filter")
    assert event.kind == "judge"
    assert event.value == {"who": ["human", "object"], "verdict": "pass", "reason": ""}
    shown.wait(lambda: shown.browser.text("done") == "1 of 3 done", "the progress")


def test_deleted_with_a_reason_passed_again_and_a_clicked_button_leaves_the_keys_alone(
    page: Callable[..., Filter],
) -> None:
    shown = page()
    shown.browser.click("delete-3")
    shown.wait(lambda: "Deleted (human: bad mesh)" in shown.browser.text("verdict"), "the verdict")
    shown.browser.keys("h", "6")
    shown.wait(lambda: "Deleted (object: bad mask)" in shown.browser.text("verdict"), "the verdict")
    shown.browser.keys("o")
    shown.wait(lambda: shown.browser.text("verdict") == "Done: passed. Enter goes on.", "the verdict")
    shown.browser.click("undo")
    shown.wait(lambda: "Deleted (object: bad mask)" in shown.browser.text("verdict"), "undo")
    shown.browser.keys("ENTER")
    shown.wait(lambda: shown.browser.item not in ("", ITEM), "the next item")
    kinds = [event.value["reason"] for event in shown.server.events(ITEM, "filter")]
    assert kinds == ["bad mesh", "", "bad mask"]  # Enter did not press Undo again


NO_STROKES = (
    "null",
    "[1, 2]",
    "{mask: 'object', erase: false, radius: NaN, points: [[1, 1]]}",
    "{mask: '../image', erase: false, radius: 3, points: [[1, 1]]}",
    "{mask: 'object', erase: false, radius: 1e30, points: [[1, 1]]}",
    "{mask: 'object', erase: false, radius: 3, points: [[1e300, null]]}",
    "{mask: 'object', erase: false, radius: 3, points: Array(5000).fill([1, 1])}",
    "{mask: 'object', erase: false, radius: 3, points: [[1, 1]], turn: 99}",
)


def test_what_is_no_stroke_is_refused_with_a_message_and_the_page_lives_on(page: Callable[..., Filter]) -> None:
    shown = page()
    for said in NO_STROKES:
        shown.emit(said if said in NO_STROKES[:2] else "{turn: b.turn, item: b.name, token: 'x', ..." + said + "}")
        shown.wait(lambda: shown.ask("document.querySelectorAll('.q-notification').length"), f"a message: {said}")
        shown.browser.driver.execute_script("document.querySelectorAll('.q-notification').forEach((e) => e.remove())")
    assert shown.strokes() == []
    shown.key("b", "b.kind === 'object'")
    shown.drag((100.0, 100.0), (140.0, 120.0))
    assert len(shown.strokes()) == 1


def test_the_slider_and_the_layers_change_the_picture(page: Callable[..., Filter]) -> None:
    shown = page()
    pictures = {"half": shown.drawn(alpha="0.5", layer="tint")}
    for name, key, alpha, layer in (
        ("none", "x", "0", "tint"),
        ("half again", "x", "0.5", "tint"),
        ("outlines", "m", "0.5", "outline"),
        ("no masks", "m", "0.5", "none"),
    ):
        shown.browser.keys(key)
        pictures[name] = shown.drawn(alpha=alpha, layer=layer)

    def differ(one: str, other: str) -> float:
        return float((np.abs(pictures[one] - pictures[other]).max(-1) > 8).mean())

    assert differ("half", "none") > 0.02
    assert differ("half", "half again") < 0.002
    assert differ("half again", "outlines") > 0.02
    assert differ("outlines", "no masks") > 0.001
    slider = shown.browser.find("[data-mark=opacity]")
    from selenium.webdriver import ActionChains

    chain = ActionChains(shown.browser.driver)
    chain.move_to_element_with_offset(slider, slider.size["width"] // 2 - 3, 0).click().perform()
    shown.wait(lambda: shown.ask("b.alpha") > 0.9, "the slider")


def test_the_mesh_is_turned_in_three_dimensions_and_back(page: Callable[..., Filter]) -> None:
    shown = page()
    shown.browser.click("six")
    turned = shown.browser.find("[data-mark=turned]")
    shown.wait(lambda: turned.is_displayed() and turned.get_attribute("data-draws"), "the mesh")
    draws = int(turned.get_attribute("data-draws") or 0)
    shown.browser.keys("]")
    shown.wait(lambda: shown.browser.item not in ("", ITEM) and shown.browser.ready(), "the next item")
    shown.wait(lambda: turned.is_displayed() and int(turned.get_attribute("data-draws") or 0) > draws, "its mesh")
    shown.browser.keys("d")
    shown.wait(lambda: not turned.is_displayed() and shown.browser.find("[data-mark=six]").is_displayed(), "the views")
    shown.browser.keys("[")
    shown.wait(lambda: shown.browser.item == ITEM and shown.browser.ready(), "the item before")
    assert shown.browser.find("[data-mark=six]").is_displayed()


def test_a_template_is_assigned_by_a_click_and_taken_off_by_another(page: Callable[..., Filter], library: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    shown = page(f"--library={library}")
    shown.wait(lambda: shown.browser.driver.find_elements("css selector", "[data-mark^=template-]"), "the templates")
    first = shown.browser.driver.find_elements("css selector", "[data-mark^=template-]")[0]
    assert first.get_attribute("data-mark") == "template-round"  # the item's own category
    shown.browser.type_into("[data-mark=search]", "tall")
    marks = "return [...document.querySelectorAll('[data-mark^=template-]')].map(e => e.dataset.mark)"
    shown.wait(lambda: shown.browser.driver.execute_script(marks) == ["template-tall"], "the search")
    shown.browser.click("template-tall")
    shown.wait(lambda: shown.browser.text("template").startswith("box: tall"), "the assignment")
    shown.wait(lambda: "redo (template tall)" in shown.browser.text("verdict"), "the verdict")
    (event,) = shown.server.events(ITEM, "filter")
    assert (event.kind, event.value) == ("template", {"category": "box", "name": "tall"})
    shown.browser.click("template-tall")
    shown.wait(lambda: shown.browser.text("template") == "", "the template to be off")
    shown.wait(lambda: shown.browser.text("verdict").startswith("To decide"), "the verdict")
    search = shown.browser.find("[data-mark=search]")
    search.send_keys(Keys.ESCAPE)
    shown.wait(lambda: shown.focus() != "INPUT", "the keys to be the page's")
    shown.browser.keys("]")
    shown.wait(lambda: shown.browser.item not in ("", ITEM) and shown.browser.ready(), "the next item")
    shown.wait(
        lambda: len(shown.browser.driver.find_elements("css selector", "[data-mark^=template-]")) == 3,
        "all templates for the next item",
    )
    assert search.get_property("value") == ""


def test_what_was_made_again_is_shown_before_and_after_and_asked_again(page: Callable[..., Filter], tree: Path) -> None:
    shown = page()
    shown.browser.type_into("[data-mark=note]", "flat")
    shown.browser.click("redo")
    shown.wait(lambda: shown.browser.text("verdict") == "Done: redo. Enter goes on.", "the queue")
    assert not shown.browser.find("[data-mark=before]").is_displayed()
    shown.server.stop()
    mesh = next((tree / ITEM).glob("obj_pcd_h_align.obj"))
    lines = [line.split() for line in mesh.read_text().splitlines()]
    mesh.write_text(
        "\n".join(
            " ".join([w[0], w[1], str(float(w[2]) * 0.5), *w[3:]]) if w and w[0] == "v" else " ".join(w) for w in lines
        )
    )
    shown.server.start()
    shown.browser.driver.get(shown.server.url)
    shown.wait(lambda: shown.browser.text("done-filter") == "0 of 3 done", "the item to be back in the list")
    again = Filter(shown.server, shown.browser, shown.wait)
    assert again.browser.text("verdict") == "To decide: human and object."
    for mark in ("before", "six"):
        picture = again.browser.find(f"[data-mark={mark}]")
        again.wait(
            lambda picture=picture: picture.is_displayed() and int(picture.get_property("naturalWidth")) > 300, mark
        )
    again.browser.keys("p")
    again.wait(lambda: again.browser.text("verdict") == "Done: passed. Enter goes on.", "the new decision")


def test_a_photograph_of_twelve_megapixels_is_painted_on_at_once(page: Callable[..., Filter], tree: Path) -> None:
    enlarge(tree / ITEM, 4000, 3000)
    shown = page()
    shown.key("b", "b.kind === 'object'")
    shown.wait(lambda: not shown.ask("Boolean(b.waiting)"), "the canvas to have been drawn")
    before = shown.ask("b.draws")
    points = [(2000.0 + 900 * np.cos(t), 1500.0 + 900 * np.sin(t)) for t in np.linspace(0, 6, 40)]
    shown.drag(*((float(x), float(y)) for x, y in points))
    (stroke,) = shown.strokes()
    assert len(stroke["points"]) > 20
    np.testing.assert_array_equal(shown.mask("object"), expected(tree, [stroke], "object"))
    assert shown.ask("b.draws") - before >= 2  # it was drawn while it was painted


def enlarge(folder: Path, w: int, h: int) -> None:
    """The sample with a photograph of this size; camera and boxes go with it."""
    image = cv2.imread(str(folder / "image.jpg"))
    scale = np.array([w / image.shape[1], h / image.shape[0]])
    cv2.imwrite(str(folder / "image.jpg"), cv2.resize(image, (w, h)))
    for name in ("person_mask.png", "object_mask.png"):
        mask = cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE)
        cv2.imwrite(str(folder / name), cv2.resize(mask, (w, h), interpolation=cv2.INTER_NEAREST))
    file = folder / "smplx_parameters.json"
    values = json.loads(file.read_text())
    for key in ("focal", "princpt"):
        values[key] = (np.ravel(values[key]) * scale).tolist()
    file.write_text(json.dumps(values))
    for name in ("depth.npy", "depth.png", "box_annotation.json", "annotations.json", "calibration.json"):
        (folder / name).unlink(missing_ok=True)
