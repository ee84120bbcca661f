"""A real server process on loopback, a tree of real samples, a real browser with its mouse and keys."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from selenium.common.exceptions import StaleElementReferenceException

from hoijax.annotate.store import Event, events, open_store, standing
from hoijax.data.synthetic import sample_folder, synthetic_sample
from hoijax.data.write import save_sample

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader"),
    *("--enable-unsafe-swiftshader", "--window-size=1500,1000"),
)
SCENES = ("ball", "chair", "box")
PATIENCE = 120.0  # seconds: a page on a busy machine


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three built-in scenes as a tree; to be copied, not changed."""
    tree = tmp_path_factory.mktemp("scenes")
    for name in SCENES:
        save_sample(synthetic_sample(name, 0), tree / sample_folder(name, 0))
    return tree


@pytest.fixture
def tree(scenes: Path, tmp_path: Path) -> Path:
    """The scenes, to annotate."""
    return Path(shutil.copytree(scenes, tmp_path / "tree"))


class Server:
    """`python experiments/annotate.py`, or another `program`, in a process of its own; `url` is where it listens."""

    def __init__(self, tree: Path, *flags: str, program: Path = ROOT / "experiments" / "annotate.py") -> None:
        self.tree, self.flags, self.program = tree, flags, program
        self.log = tree.parent / f"{tree.name}.server.log"
        self.start()

    def start(self) -> None:
        command = [
            sys.executable,
            str(self.program),
            f"--data={self.tree}",
            "--port=0",
            *self.flags,
        ]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.tree.parent)
        self.url = wait_for(self._address, "the server's address")

    def _address(self) -> str:
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log.read_text()}")
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("open http")]
        return lines[0].removeprefix("open ") if lines else ""

    def kill(self) -> None:
        """kill -9: nothing is told to anybody."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def events(self, item: str | None = None, tool: str | None = None, annotator: str | None = None) -> list[Event]:
        """What stands in its store, read from the file."""
        store = open_store(self.tree / "annotations.sqlite")
        try:
            return standing(events(store, item, tool, annotator))
        finally:
            store.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts servers: serve(tree, *flags). They end with the test."""
    started: list[Server] = []

    def start(tree: Path, *flags: str, **options: Path) -> Server:
        started.append(Server(tree, *flags, **options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


class Browser:
    """A Chromium of one annotator. `driver` is Selenium's."""

    def __init__(self, profile: Path, *flags: str) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM or ""
        for flag in (*FLAGS, f"--user-data-dir={profile}", *flags):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
        self.driver.set_script_timeout(PATIENCE)

    def sign_in(self, server: Server, annotator: str) -> None:
        """Types the annotator's name and starts, as a person does."""
        self.driver.get(server.url)
        self.type_into("input", annotator)
        self.click("start")
        wait_for(lambda: self.find("[data-mark=annotator]").text == annotator, "the first page")

    def open(self, server: Server, tool: str, item: str = "") -> None:
        """The page of a tool, until its item stands there."""
        self.driver.get(server.url.split("?")[0] + tool + (f"?item={quote(item, safe='')}" if item else ""))
        wait_for(lambda: self.item and (not item or self.item == item), f"{tool} of {item}")
        wait_for(self.ready, f"{tool} of {item} to be ready")

    def ready(self) -> bool:
        """Whether the item is shown, and drawn where the tool waits for that; or why it cannot be."""
        find = self.driver.find_elements
        if find("css selector", "[data-mark=item][data-state=ready]"):
            return not find("css selector", "[data-seen=no]")
        return bool(find("css selector", "[data-mark=item][data-state=trouble]"))

    @property
    def item(self) -> str:
        return self.text("item")

    def find(self, selector: str) -> Any:
        """The first element of a CSS selector, waited for."""
        return wait_for(lambda: next(iter(self.driver.find_elements("css selector", selector)), None), selector)

    def text(self, mark: str) -> str:
        """What the element marked data-mark=... says; empty where there is none."""
        found = self.driver.find_elements("css selector", f"[data-mark={mark}]")
        return self.driver.execute_script("return arguments[0].textContent", found[0]).strip() if found else ""

    def click(self, mark: str) -> None:
        """Clicks the element marked data-mark=..."""
        self.find(f"[data-mark={mark}]").click()

    def type_into(self, selector: str, text: str) -> None:
        self.find(selector).send_keys(text)

    def keys(self, *names: str) -> None:
        """Presses keys on the page, one after another: single letters, or names of selenium's Keys ("ARROW_LEFT")."""
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.keys import Keys

        for name in names:
            ActionChains(self.driver).send_keys(name if len(name) == 1 else getattr(Keys, name)).perform()

    def complaints(self) -> list[str]:
        """What the browser's console complained of since this was last asked."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture
def browsers(tmp_path: Path) -> Iterator[Callable[..., Browser]]:
    """Opens browsers, each with cookies of its own: browsers(*flags). They end with the test."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("no chromium with its chromedriver on this machine")
    started: list[Browser] = []

    def start(*flags: str) -> Browser:
        started.append(Browser(tmp_path / f"profile{len(started)}", *flags))
        return started[-1]

    yield start
    for browser in started:
        browser.driver.quit()


def wait_for(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """The first true value of the condition. Raises TimeoutError that says what never came."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(StaleElementReferenceException):  # the page has drawn that part anew: look again
            found = condition()
            if found:
                return found
        time.sleep(0.05)
    raise TimeoutError(f"waited {seconds:g} s for {what}")


@pytest.fixture
def wait() -> Callable[..., Any]:
    """`wait(condition, what)`: the first true value of the condition."""
    return wait_for
