"""The picture of docs/annotate.md: the fine tool in a browser, after a snap, on a scene of the benchmark.

    python docs/annotate_fine.py --data=TREE --item="bicycle/ride_200"

The item's annotation is left out, so that the tool begins at the coarse object.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from absl import app, flags

ROOT = Path(__file__).resolve().parent.parent
_DATA = flags.DEFINE_string("data", None, "A tree of samples.", required=True)
_ITEM = flags.DEFINE_string("item", "bicycle/ride_200", "The sample to show.")
_OUT = flags.DEFINE_string("out", str(ROOT / "docs" / "annotate_fine.png"), "Where the picture goes.")
_SIZE = flags.DEFINE_list("size", ["1500", "950"], "Width and height of the page.")


def main(_: list[str]) -> None:
    """Opens the item, snaps, takes the picture."""
    sys.path.insert(0, str(ROOT))
    from tests.annotate.conftest import Browser, Server, wait_for

    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder) / "tree" / _ITEM.value
        shutil.copytree(Path(_DATA.value) / _ITEM.value, here)
        (here / "object_mesh.obj").unlink()
        server, browser = Server(Path(folder) / "tree"), Browser(Path(folder) / "profile")
        try:
            width, height = (int(side) for side in _SIZE.value)
            browser.driver.set_window_size(width, height)
            inner = browser.driver.execute_script("return window.innerHeight")
            browser.driver.set_window_size(width, 2 * height - inner)
            browser.sign_in(server, "anna")
            browser.open(server, "fine", _ITEM.value)
            for _ in range(2):
                before = len(server.events())
                browser.keys("x")
                wait_for(lambda before=before: len(server.events()) > before, "the snap", 400)
                time.sleep(2)
            browser.keys("1")
            time.sleep(5)  # until contact is measured
            browser.driver.save_screenshot(_OUT.value)
        finally:
            browser.driver.quit()
            server.stop()


if __name__ == "__main__":
    app.run(main)
