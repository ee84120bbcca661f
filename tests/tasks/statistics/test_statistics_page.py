"""The page of the statistics in a real browser, from a file: it asks nobody for anything, and its tables sort."""

import shutil
from pathlib import Path

import pytest

from hoijax.tasks.statistics.collect import Collected
from hoijax.tasks.statistics.groups import load_groups
from hoijax.tasks.statistics.write import save_statistics

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

pytestmark = pytest.mark.slow

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
# the cells of the column with this head, of the first table that has one
COLUMN = """
const heads = [...document.querySelectorAll("table.sortable th")].filter(head => head.textContent.startsWith(arguments[0]));
const table = heads[0].closest("table"), place = [...heads[0].parentNode.children].indexOf(heads[0]);
return [...table.tBodies[0].rows].map(row => row.cells[place].textContent.trim());
"""
CLICK = """
[...document.querySelectorAll("table.sortable th")].find(head => head.textContent.startsWith(arguments[0]))
  .querySelector("button").click();
"""


def test_the_page_sorts_and_needs_no_network(found: Collected, tmp_path: Path) -> None:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("no chromium with its chromedriver on this machine")
    save_statistics(tmp_path / "out", "A test", found.rows, found.left_out, load_groups(), None)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless", "--no-sandbox", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    try:
        driver.get((tmp_path / "out" / "index.html").as_uri())
        before = driver.execute_script(COLUMN, "category")
        driver.execute_script(CLICK, "category")
        up = driver.execute_script(COLUMN, "category")
        driver.execute_script(CLICK, "category")
        down = driver.execute_script(COLUMN, "category")
        numbers = [int(text) for text in driver.execute_script(COLUMN, "id")]
        asked = driver.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
        said = driver.get_log("browser")
    finally:
        driver.quit()
    assert len(before) > 2
    assert sorted(before) == sorted(up) == sorted(down)
    assert up == down[::-1] == sorted(up, key=str.lower)
    assert len(set(numbers)) == len(numbers)
    assert not [name for name in asked if not name.startswith(("data:", "blob:"))]
    assert not said
