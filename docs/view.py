"""Draws docs/view.jpg: a result of `make demo` in the free view, in a real browser, from beside the camera.

Run from the repository's root, with chromium, chromedriver and selenium at hand: python docs/view.py
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from selenium import webdriver
from selenium.webdriver import ActionChains

SIZE = (1300, 800)
FLAGS = ("--headless=new", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


def main() -> None:
    """Writes the picture beside this file."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--window-size={SIZE[0]},{SIZE[1]}"):
        options.add_argument(flag)
    command = [sys.executable, "experiments/view.py", "--results=out/demo", "--data=out/scenes", "--port=0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        assert server.stdout is not None
        browser.get(next(line for line in server.stdout if "open http" in line).split("open ")[1].strip())
        time.sleep(12)  # until the Gaussians are there and sorted
        browser.execute_script("document.querySelectorAll('.mantine-Notification-root').forEach(e => e.remove())")
        canvas = browser.find_element("css selector", "canvas")
        drag = ActionChains(browser).move_to_element(canvas).click_and_hold()
        for _ in range(4):
            drag = drag.move_by_offset(12, 1)
        drag.release().perform()
        time.sleep(4)
        picture = cv2.imdecode(np.frombuffer(browser.get_screenshot_as_png(), np.uint8), cv2.IMREAD_COLOR)
    finally:
        browser.quit()
        server.kill()
        server.wait()
    cv2.imwrite(str(Path(__file__).with_suffix(".jpg")), picture, [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
