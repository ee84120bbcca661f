"""The page around the tools, in a browser: who one is, the list, moving on, locks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_a_name_first_then_the_list_then_an_item(
    serve: Callable[..., Any], browsers: Callable[[], Any], tree: Path, wait: Callable[..., Any]
) -> None:
    server, browser = serve(tree), browsers()
    browser.sign_in(server, "anna")
    assert browser.text("done-contact") == "0 of 3 done"
    browser.open(server, "contact", "ball/hold_0")
    browser.keys("]")
    wait(lambda: browser.item == "box/carry_0", "the next item")
    browser.driver.refresh()
    wait(lambda: browser.item == "box/carry_0", "the same item after a reload")
    assert browser.complaints() == []


def test_two_annotators_do_not_get_the_same_item(
    serve: Callable[..., Any], browsers: Callable[[], Any], tree: Path, wait: Callable[..., Any]
) -> None:
    server, anna, bert = serve(tree), browsers(), browsers()
    anna.sign_in(server, "anna")
    bert.sign_in(server, "bert")
    anna.open(server, "contact", "ball/hold_0")
    bert.open(server, "contact", "ball/hold_0")
    wait(lambda: bert.text("notice").startswith("anna has this item open"), "the notice")
    bert.open(server, "contact")
    assert bert.item != "ball/hold_0"
