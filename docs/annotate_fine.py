"""Draws docs/annotate_fine.png: the fine tool in a real browser, after a snap, on a built-in scene without annotation.

Run from anywhere, with chromium, chromedriver and selenium at hand: python docs/annotate_fine.py
"""

import sys
import tempfile
import time
from pathlib import Path

import cv2

ROOT = Path(__file__).resolve().parent.parent
SCENE, SIZE = "chair", (1500, 950)
WIDTH = 1100  # pixels of the picture in the docs


def main() -> None:
    """Snaps, says that it is good, and writes the picture beside this file."""
    sys.path.insert(0, str(ROOT))
    from hoijax.data.synthetic import sample_folder, synthetic_sample
    from hoijax.data.write import save_sample
    from tests.annotate.conftest import Browser, Server, wait_for

    out, item = Path(__file__).with_suffix(".png"), sample_folder(SCENE, 0)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        save_sample(synthetic_sample(SCENE, 0)._replace(truth=None), tree / item)
        server, browser = Server(tree), Browser(Path(folder) / "profile")
        try:
            page = {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False}
            browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", page)
            browser.sign_in(server, "anna")
            browser.open(server, "fine", str(item))
            browser.keys("x")
            wait_for(server.events, "the snap", 400)
            browser.keys("1")
            wait_for(lambda: browser.text("co2"), "the numbers of contact")
            time.sleep(5)  # until those of the new pose are there
            browser.driver.save_screenshot(str(out))
        finally:
            browser.driver.quit()
            server.stop()
    picture = cv2.imread(str(out))
    cv2.imwrite(str(out), cv2.resize(picture, (WIDTH, WIDTH * SIZE[1] // SIZE[0]), interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    main()
