"""Draws docs/annotate_contact.png: the contact tool in a real browser, on a built-in scene without labels.

Run from anywhere, with chromium, chromedriver and selenium at hand: python docs/annotate_contact.py
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
    """Accepts what is suggested, points at a hand, and writes the picture beside this file."""
    sys.path.insert(0, str(ROOT))
    from selenium.webdriver import ActionChains

    from hoijax.data.synthetic import sample_folder, synthetic_sample
    from hoijax.data.write import save_sample
    from tests.annotate.conftest import Browser, Server, wait_for

    out, item = Path(__file__).with_suffix(".png"), sample_folder(SCENE, 0)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        save_sample(synthetic_sample(SCENE, 0)._replace(contact_parts=None), tree / item)
        server, browser = Server(tree), Browser(Path(folder) / "profile")
        try:
            page = {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False}
            browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", page)
            browser.sign_in(server, "anna")
            browser.open(server, "contact", str(item))
            browser.keys("a")
            browser.find("[data-state=chosen]")
            ActionChains(browser.driver).move_to_element(browser.find("[data-mark=part-left-palm]")).perform()
            wait_for(lambda: browser.text("hovered") == "left palm", "the palm's name")
            time.sleep(2)  # the last frame, and ripples of what was clicked
            browser.driver.save_screenshot(str(out))
        finally:
            browser.driver.quit()
            server.stop()
    picture = cv2.imread(str(out))
    cv2.imwrite(str(out), cv2.resize(picture, (WIDTH, WIDTH * SIZE[1] // SIZE[0]), interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    main()
