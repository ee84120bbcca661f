"""How soon the fine tool's overlay follows a key, in headless Chromium: from the key's event to the redrawn canvas.

    python benchmarks/annotate_fine.py

The object is the built-in horse whose mesh is refined, so that the tool shows it with its full 8,000 faces. Everything is
real: the server's process, its store on the disk, the browser with a software renderer.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import trimesh

from hoijax.annotate.fine.shown import light
from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic import sample_folder, synthetic_sample
from hoijax.data.write import save_sample

ROOT = Path(__file__).resolve().parent.parent
KEYS = ("ArrowRight", "ArrowUp", "w", "l", "e", "ArrowLeft", "ArrowDown", "s", "j", "d")
NUDGES = 30
FOLLOWED = """
const [key, done] = arguments;
const canvas = document.querySelector("[data-mark=photo]");
const before = canvas.dataset.draws;
const start = performance.now();
document.dispatchEvent(new KeyboardEvent("keydown", {key, code: key, bubbles: true}));
const look = () => canvas.dataset.draws !== before ? done(performance.now() - start) : requestAnimationFrame(look);
look();
"""


def refined(mesh: ColoredMesh) -> ColoredMesh:
    """The same surface with four times as many faces."""
    verts, faces = trimesh.remesh.subdivide(mesh.verts, mesh.faces)
    return ColoredMesh(np.asarray(verts), np.asarray(faces), np.full((len(verts), 3), 0.5))


def main() -> None:
    """Prints median and 95th percentile in milliseconds."""
    sys.path.insert(0, str(ROOT))
    from tests.annotate.conftest import Browser, Server

    with tempfile.TemporaryDirectory() as folder:
        scene = synthetic_sample("horse", 0)
        thick = scene._replace(object=refined(scene.object), truth=None)
        save_sample(thick, Path(folder) / "tree" / sample_folder("horse", 0))
        server, browser = Server(Path(folder) / "tree"), Browser(Path(folder) / "profile")
        try:
            browser.sign_in(server, "anna")
            browser.open(server, "fine")
            time.sleep(8)  # until the views and the first numbers are there
            took = []
            for k in range(NUDGES + 5):
                took.append(float(browser.driver.execute_async_script(FOLLOWED, KEYS[k % len(KEYS)])))
                time.sleep(0.6)
        finally:
            browser.driver.quit()
            server.stop()
    took = sorted(took[5:])
    print(f"{len(light(thick.object).faces)} faces, {NUDGES} nudges")
    print(
        f"key to redrawn overlay: median {statistics.median(took):.0f} ms, 95 % under {took[int(0.95 * NUDGES)]:.0f} ms"
    )


if __name__ == "__main__":
    main()
