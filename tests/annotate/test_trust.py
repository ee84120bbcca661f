"""What a page does when things go wrong: two at one item, a killed server or browser, broken files, a full disk."""

import os
import resource
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hoijax.annotate.store import load_events, open_store

pytestmark = pytest.mark.slow
PLAIN = Path(__file__).parent / "plain_server.py"
BALL, BOX, CHAIR = "ball/hold_0", "box/carry_0", "chair/sit_on_0"
Serve = Callable[..., Any]
Browsers = Callable[[], Any]
Wait = Callable[..., Any]


def shown(browser: Any) -> int:
    """What the tool counts."""
    return int(browser.text("count") or 0)


def test_a_killed_server_loses_no_decision_that_a_page_showed(
    serve: Serve, browsers: Browsers, tree: Path, wait: Wait
) -> None:
    server, browser = serve(tree, program=PLAIN), browsers()
    port = server.url.rsplit(":", 1)[1].strip("/")
    server.flags = (f"--port={port}",)
    browser.sign_in(server, "anna")
    for turn in range(3):
        browser.open(server, "count", BALL)
        before = len(server.events(BALL))
        assert shown(browser) == before
        browser.keys(*"aaaaaaaa"[: 4 + 2 * turn])
        wait(lambda least=before: shown(browser) > least, "an act")
        confirmed = shown(browser)
        server.kill()
        assert len(server.events(BALL)) >= confirmed
        store = open_store(tree / "annotations.sqlite")
        assert store.execute("pragma integrity_check").fetchone() == ("ok",)
        store.close()
        server.start()
    browser.open(server, "count", BALL)
    assert shown(browser) == len(server.events(BALL)) > 3


def test_one_page_at_a_time_changes_an_item(serve: Serve, browsers: Browsers, tree: Path, wait: Wait) -> None:
    server, anna, bert = serve(tree, program=PLAIN), browsers(), browsers()
    anna.sign_in(server, "anna")
    bert.sign_in(server, "bert")
    anna.open(server, "count", BALL)
    bert.open(server, "count", BALL)
    bert.keys("a", "a")
    anna.keys("a")
    wait(lambda: shown(anna) == 1, "anna's act")
    assert [event.annotator for event in server.events(BALL)] == ["anna"]

    first = anna.driver.current_window_handle
    anna.driver.switch_to.new_window("tab")
    anna.open(server, "count", BALL)
    assert shown(anna) == 1
    anna.keys("a")
    wait(lambda: shown(anna) == 2, "the second window's act")
    anna.driver.switch_to.window(first)
    wait(lambda: "another window" in anna.text("notice"), "the notice")
    anna.keys("a", "u")
    time.sleep(0.5)
    assert len(server.events(BALL)) == 2

    kill_browser(anna)  # nobody says goodbye: the item is free when the connection has been silent
    wait(lambda: reopened(bert, server) and not bert.text("notice"), "the item to be free")
    bert.keys("a")
    wait(lambda: shown(bert) == 1, "bert's own count")
    assert sorted(event.annotator for event in server.events(BALL)) == ["anna", "anna", "bert"]


def reopened(browser: Any, server: Any) -> bool:
    browser.open(server, "count", BALL)
    return True


def kill_browser(browser: Any) -> None:
    """kill -9 to every process of the browser."""
    profile = browser.driver.capabilities["chrome"]["userDataDir"].encode()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                ours = b"--user-data-dir=" + profile in (process / "cmdline").read_bytes()
            except OSError:
                continue
            if ours and b"chromedriver" not in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


def test_hasty_keys_end_at_an_item_that_works(serve: Serve, browsers: Browsers, tree: Path, wait: Wait) -> None:
    server, browser = serve(tree, program=PLAIN), browsers()
    browser.sign_in(server, "anna")
    browser.open(server, "count", BALL)
    browser.keys(*"]][a][]a]", "ENTER", *"[a]")
    wait(lambda: browser.ready() and browser.item, "an item")
    time.sleep(1)
    here = browser.item
    before = len(server.events(here))
    assert shown(browser) == before
    browser.keys("a")
    wait(lambda: shown(browser) == before + 1, "an act")
    assert len(server.events(here)) == before + 1
    assert "Error" not in server.log.read_text()


def test_broken_samples_say_so_and_the_next_one_is_fine(
    serve: Serve, browsers: Browsers, tree: Path, tmp_path: Path, wait: Wait
) -> None:
    broken = broken_samples(tree, tmp_path)
    server, browser = serve(tree, program=PLAIN), browsers()
    browser.sign_in(server, "anna")
    for item, words in {**broken, "no/such": "has no item", "../tree/ball/hold_0": "has no item"}.items():
        browser.open(server, "count", item)
        assert words in browser.text("trouble"), item
        browser.keys("a")
        assert server.events(item) == []
    browser.open(server, "count", "broken/one_vertex")
    assert browser.text("trouble") == ""
    browser.open(server, "count", "<script>document.title='gone'</script>/it's 100% \"ü\" #1?_0")
    browser.keys("a")
    wait(lambda: shown(browser) == 1, "an item of an odd name")
    browser.driver.get(server.url)
    wait(lambda: browser.text("items"), "the table")
    assert browser.driver.title.startswith("Annotate")
    browser.open(server, "count", BALL)
    shutil.rmtree(tree / "ball")
    browser.keys("a")
    wait(lambda: shown(browser) == 1, "a decision about what was seen")
    browser.driver.refresh()
    wait(lambda: "is not a folder" in browser.text("trouble"), "the message")


def broken_samples(tree: Path, outside: Path) -> dict[str, str]:
    """Breaks copies of a sample in many ways: their names, and what a page must say of each."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(tree / BOX, tree / "broken" / name))

    (copy("missing") / "smplx_parameters.json").unlink()
    photo = copy("truncated") / "object_mask.png"
    photo.write_bytes(photo.read_bytes()[:200])
    (copy("no_faces") / "h_mesh.obj").write_text("v 0 0 1\n")
    (copy("one_vertex") / "obj_pcd_h_align.obj").write_text("v 0 0 1\nf 1 1 1\n")
    mesh = copy("nan") / "obj_pcd_h_align.obj"
    mesh.write_text(mesh.read_text().replace("\nv ", "\nv nan ", 1).replace("nan ", "nan", 1))
    first = mesh.read_text().splitlines()
    at = next(k for k, line in enumerate(first) if line.startswith("v"))
    mesh.write_text("\n".join([*first[:at], "v nan 0 0 0 0 0", *first[at + 1 :]]) + "\n")
    image = copy("folder") / "image.jpg"
    image.unlink()
    image.mkdir()
    pipe = copy("pipe") / "image.jpg"
    pipe.unlink()
    os.mkfifo(pipe)
    secret = outside / "secret"
    shutil.copytree(tree / BOX, secret)
    (tree / "broken" / "linked_folder").symlink_to(secret)
    linked = copy("linked_file") / "image.jpg"
    linked.unlink()
    linked.symlink_to(secret / "image.jpg")
    odd = tree / "<script>document.title='gone'<" / "script>" / 'it\'s 100% "ü" #1?_0'
    odd.parent.mkdir(parents=True)
    (tree / BALL / "extra").symlink_to(tree / BOX)  # a link within the tree does no harm
    shutil.copytree(tree / BOX, odd)
    large = copy("large")
    pixels = np.zeros((9000, 12000), np.uint8)
    pixels[:, :6000] = 255
    for name in ("person_mask.png", "object_mask.png"):
        Image.fromarray(pixels).save(large / name, compress_level=1)
    (large / "image.jpg").write_bytes(b"\xff\xd8\xff")
    return {
        "broken/missing": "has no smplx_parameters.json",
        "broken/truncated": "cannot be decoded",
        "broken/no_faces": "has no faces",
        "broken/nan": "not finite",
        "broken/folder": "is a folder",
        "broken/pipe": "is not a regular file",
        "broken/linked_folder": "leads out of",
        "broken/linked_file": "leads out of",
        "broken/large": "cannot be decoded",
    }


def test_a_decision_that_the_disk_refuses_is_called_unkept(
    serve: Serve, browsers: Browsers, tree: Path, wait: Wait
) -> None:
    server, browser = serve(tree, program=PLAIN), browsers()
    browser.sign_in(server, "anna")
    browser.open(server, "count", BALL)
    browser.keys("a")
    wait(lambda: shown(browser) == 1, "a first act")
    full = (tree / "annotations.sqlite-wal").stat().st_size
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
    browser.keys("a")
    wait(lambda: "NOT kept" in browser.text("notice"), "the message")
    browser.keys("u")
    wait(lambda: server.log.read_text().count("was not kept") == 2, "the undo to be refused")
    assert shown(browser) == 1
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    browser.keys("a")
    wait(lambda: shown(browser) == 2 and not browser.text("notice"), "an act once there is room")
    browser.keys("x")
    wait(lambda: "NOT kept" in browser.text("notice"), "the message about NaN")
    assert [event.value for event in load_events(tree / "annotations.sqlite")] == [{"n": 0}, {"n": 1}]
