"""Draws docs/annotate_contact.png: the contact tool in a real browser, on a built-in scene without labels.

Run from the repository's root, with chromium, chromedriver and selenium at hand: python docs/annotate_contact.py
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from hoijax.data.synthetic import sample_folder, synthetic_sample
from hoijax.data.write import save_sample

SCENE = "chair"
SIZE = (1500, 950)
WIDTH = 1100  # pixels of the picture in the docs
FLAGS = ("--headless=new", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


def annotated(browser: webdriver.Chrome, address: str) -> None:
    """Accepts what is suggested and points at a hand, as a person does."""
    browser.get(f"{address}name?is=anna&after=/contact")
    wait = WebDriverWait(browser, 120)
    wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "[data-mark=body][data-shown]"))
    ActionChains(browser).send_keys("a").perform()
    wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "[data-state=chosen]"))
    ActionChains(browser).move_to_element(browser.find_element(By.CSS_SELECTOR, "[data-mark=part-left-palm]")).perform()
    wait.until(lambda b: b.find_element(By.CSS_SELECTOR, "[data-mark=hovered]").text == "left palm")
    time.sleep(1)  # the last frame


def main() -> None:
    """Writes the picture beside this file."""
    out = Path(__file__).with_suffix(".png")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--window-size={SIZE[0]},{SIZE[1]}"):
        options.add_argument(flag)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        save_sample(synthetic_sample(SCENE, 0)._replace(contact_parts=None), tree / sample_folder(SCENE, 0))
        command = [sys.executable, "experiments/annotate.py", f"--data={tree}", "--port=0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
        try:
            assert server.stdout is not None
            address = next(line for line in server.stdout if line.startswith("open ")).split()[1]
            browser.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False},
            )
            annotated(browser, address)
            browser.save_screenshot(str(out))
        finally:
            browser.quit()
            server.terminate()
            server.wait()
    picture = cv2.imread(str(out))
    cv2.imwrite(str(out), cv2.resize(picture, (WIDTH, WIDTH * SIZE[1] // SIZE[0]), interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    main()
