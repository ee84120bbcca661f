"""The report in a real browser, from a file, with its network watched: it draws, it turns, it asks nobody for anything."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hoijax.data.results import Result
from hoijax.data.sample import Sample
from hoijax.report.folder import result_pages

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

pytestmark = pytest.mark.slow

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader"),
    "--enable-unsafe-swiftshader",
)
DRAWN = """
const done = arguments[arguments.length - 1];
const plot = document.querySelector(".js-plotly-plot");
Plotly.toImage(plot, {format: "png", width: 300, height: 200}).then(url => {
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = 300; canvas.height = 200;
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    done(Array.from(pen.getImageData(0, 0, 300, 200).data));
  };
  image.src = url;
});
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator["webdriver.Chrome"]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("no chromium with its chromedriver on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def page(sample: Sample, result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("a result") / "report.html"
    path.write_bytes(result_pages(sample, result)["report.html"])
    return path


def test_the_page_draws_without_errors_and_without_a_network(browser: "webdriver.Chrome", page: Path) -> None:
    browser.get(page.as_uri())
    pixels = np.array(browser.execute_async_script(DRAWN)).reshape(200, 300, 4)
    blue, orange = (pixels[..., 2] > pixels[..., 0] + 30), (pixels[..., 0] > pixels[..., 2] + 30)
    assert (blue & (pixels[..., 3] > 200)).sum() > 300, "the person is not drawn"
    assert (orange & (pixels[..., 3] > 200)).sum() > 30, "the object is not drawn"
    images = browser.execute_script(
        "return Array.from(document.images, i => [i.complete, i.naturalWidth, i.alt, i.src.slice(0, 11)])"
    )
    assert len(images) > 10
    assert all(complete and width > 0 and alt and source == "data:image/" for complete, width, alt, source in images)
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert requests(browser) == {page.as_uri()}


def requests(browser: "webdriver.Chrome") -> set[str]:
    """Every address asked for since the log was last read, but what lies inside the page and the browser's own pages."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    asked += [m["params"]["url"] for m in messages if m["method"] == "Network.webSocketCreated"]
    return {url for url in asked if not url.startswith(("data:", "blob:", "chrome:", "chrome-untrusted:"))}


def test_the_y_axis_of_the_camera_points_down_on_the_screen(browser: "webdriver.Chrome", page: Path) -> None:
    browser.get(page.as_uri())
    up = browser.execute_script("return document.querySelector('.js-plotly-plot')._fullLayout.scene.camera.up")
    assert (up["x"], up["y"], up["z"]) == (0, -1, 0)


def test_boxes_and_slider_do_what_they_say(browser: "webdriver.Chrome", page: Path) -> None:
    browser.get(page.as_uri())
    visible = "return document.querySelector('.js-plotly-plot')._fullData.map(t => t.visible)"
    assert browser.execute_script(visible) == [True, True, False, False]
    for box in browser.find_elements("css selector", "input[name=trace]"):
        browser.execute_script("arguments[0].click()", box)
    assert browser.execute_script(visible) == [False, False, True, True]
    browser.execute_script(
        "const s = document.querySelector('.compare input'); s.value = 80; s.dispatchEvent(new Event('input'))"
    )
    style = browser.execute_script("return document.querySelector('.compare').style.getPropertyValue('--cut')")
    assert style == "80%"
    chosen = browser.find_element("css selector", "input[name=under][value$='start']")
    browser.execute_script("arguments[0].click()", chosen)
    shown = browser.execute_script(
        "return Array.from(document.querySelectorAll('.under img')).filter(i => i.offsetWidth > 0).map(i => i.alt)"
    )
    assert shown == ["The start over the photograph"]


@pytest.mark.parametrize("width", [400, 1200])
def test_the_page_fits_a_phone(browser: "webdriver.Chrome", page: Path, width: int) -> None:
    settings = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", settings)
    browser.get(page.as_uri())
    found = browser.execute_script("return [window.innerWidth, document.documentElement.scrollWidth]")
    assert found[1] <= found[0] == width, "the page is wider than the window"
