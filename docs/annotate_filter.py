"""Makes docs/annotate_filter.png: the filter's page in a real browser, on a built-in scene with a corrected mask.

python docs/annotate_filter.py TREE LIBRARY        # TREE from make_benchmark.py, LIBRARY from templates.py builtin
"""

import importlib.util
import shutil
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
ITEM = "bicycle/ride_200"
CANVAS = "[data-mark=canvas]"


def tools_of_tests() -> ModuleType:
    """The server and browser that the tests use."""
    spec = importlib.util.spec_from_file_location("annotate_browser", ROOT / "tests" / "annotate" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def screenshot(tree: Path, library: Path, out: Path) -> None:
    """Opens the item, paints a stroke beyond the image's edge, passes the human, and takes the picture."""
    from selenium.webdriver import ActionChains

    tools = tools_of_tests()
    with tempfile.TemporaryDirectory() as folder:
        for item in sorted(path.parent for path in tree.glob("*/*/image.jpg"))[:12]:
            shutil.copytree(item, Path(folder) / "tree" / item.relative_to(tree))
        server, browser = (
            tools.Server(Path(folder) / "tree", f"--library={library}"),
            tools.Browser(Path(folder) / "profile"),
        )
        try:
            browser.driver.set_window_size(1500, 1089)
            browser.sign_in(server, "anna")
            browser.open(server, "filter", ITEM)
            tools.wait_for(lambda: browser.find(CANVAS).get_attribute("data-draws"), "the canvas")
            browser.keys("b", "+", "+")
            time.sleep(0.5)
            chain = ActionChains(browser.driver, duration=30)
            chain.move_to_element_with_offset(browser.find(CANVAS), 230, 190).click_and_hold()
            chain.move_by_offset(90, 30).move_by_offset(80, -30).release().perform()
            browser.keys("h")
            tools.wait_for(lambda: browser.driver.find_elements("css selector", "[data-mark^=template-]"), "templates")
            time.sleep(2)
            browser.driver.save_screenshot(str(out))
        finally:
            browser.driver.quit()
            server.stop()


if __name__ == "__main__":
    screenshot(Path(sys.argv[1]), Path(sys.argv[2]).absolute(), ROOT / "docs" / "annotate_filter.png")
