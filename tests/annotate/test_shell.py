"""The page around the tools, in a browser: who one is, the list, moving on, locks."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hoijax.annotate.store import load_events

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
    wait(lambda: browser.driver.current_url.endswith("box%2Fcarry_0"), "its address, which follows what is shown")
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


def test_keys_rest_while_the_help_is_open(
    serve: Callable[..., Any], browsers: Callable[[], Any], tree: Path, wait: Callable[..., Any]
) -> None:
    server, browser = serve(tree), browsers()
    browser.sign_in(server, "anna")
    browser.open(server, "filter", "ball/hold_0")
    browser.keys("?")
    wait(lambda: browser.find(".q-dialog .q-card").is_displayed(), "the help")
    browser.keys("p")
    browser.keys("ESCAPE")
    wait(lambda: not browser.driver.find_elements("css selector", ".q-dialog .q-card"), "the help to close")
    assert server.events() == []
    browser.keys("p")
    wait(lambda: server.events("ball/hold_0", "filter"), "the judgement")


def test_a_server_that_was_stopped_leaves_everything_in_the_one_file(
    serve: Callable[..., Any], browsers: Callable[[], Any], tree: Path, wait: Callable[..., Any], tmp_path: Path
) -> None:
    server, browser = serve(tree), browsers()
    browser.sign_in(server, "anna")
    browser.open(server, "filter", "ball/hold_0")
    browser.keys("p")
    wait(lambda: server.events("ball/hold_0", "filter"), "the judgement")
    server.process.send_signal(signal.SIGINT)
    server.process.wait(30)
    assert "Traceback" not in server.log.read_text()
    copy = shutil.copy(tree / "annotations.sqlite", tmp_path / "copy.sqlite")
    assert [event.item for event in load_events(copy)] == ["ball/hold_0"]
