"""Results in the free view: a real viser server in a process of its own, and a browser that looks and clicks."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from PIL import Image

from hoijax.data.results import Result, save_result
from hoijax.data.sample import ColoredMesh
from hoijax.types import Camera, Gaussians, HumanPose

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
RED, GREEN, BLUE = (0.9, 0.05, 0.05), (0.05, 0.7, 0.05), (0.05, 0.05, 0.9)
POSE = {
    **{"root": (3,), "body": (21, 3), "jaw": (3,), "eyes": (2, 3), "left_hand": (15, 3), "right_hand": (15, 3)},
    **{"shape": (10,), "expression": (10,)},
}


def ball(center: tuple[float, float, float], rgb: tuple[float, float, float]) -> ColoredMesh:
    sphere = trimesh.creation.icosphere(subdivisions=3, radius=0.5)
    verts = np.float32(sphere.vertices + center)
    return ColoredMesh(verts, np.int32(sphere.faces), np.tile(np.float32(rgb), (len(verts), 1)))


def small_result() -> Result:
    """A red ball for the person, a green one for the object, two metres from the camera; Gaussians in blue."""
    human, obj = ball((0, 0, 0), RED), ball((1.0, 0, 0), GREEN)
    shift, count = np.array([0.0, 0.0, 2.0]), len(human.verts)
    pose = HumanPose(
        **{name: jnp.zeros(shape) for name, shape in POSE.items()}, translation=jnp.asarray(shift, jnp.float32)
    )
    covs = np.tile(2e-3 * np.eye(3, dtype=np.float32), (count, 1, 1))
    blue = np.tile(np.float32(BLUE), (count, 1))
    return Result(
        name="ball/sit_on_1",
        config={"preset": "hoijax", "stages": []},
        rotation=np.eye(3),
        translation=np.zeros(3),
        scale=1.0,
        pivot=np.zeros(3),
        camera=Camera(jnp.array([100.0, 100.0]), jnp.array([64.0, 64.0])),
        pose=pose,
        human=human,
        object=obj,
        gaussians=Gaussians(np.float32(human.verts + shift), covs, np.full(count, 0.9, np.float32), blue),
        contact=np.zeros(count),
        part_scores={},
        contact_parts=("head",),
        metrics={},
        losses={},
        reasons={},
        history={},
        seconds={"total": 1.0},
        dropped=0,
    )


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over one result and one folder that is none, and its address."""
    folder = tmp_path_factory.mktemp("results")
    save_result(small_result(), folder / "ball" / "sit_on_1")
    broken = folder / "broken" / "one_1"
    broken.mkdir(parents=True)
    (broken / "result.json").write_text("{")
    command = [sys.executable, str(ROOT / "experiments" / "view.py"), f"--results={folder}", "--port=0"]
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    yield next(line.split("open ")[1].strip() for line in lines if "open http" in line)
    process.kill()
    process.wait()


def middle(browser: Any) -> np.ndarray:
    """Mean colour (0 to 255) of the middle of the canvas, as the person sees it."""
    page = np.asarray(Image.open(io.BytesIO(browser.driver.get_screenshot_as_png())).convert("RGB"), np.float64)
    canvas = browser.find("canvas").rect
    y, x = int(canvas["y"] + canvas["height"] / 2), int(canvas["x"] + canvas["width"] / 2)
    return page[y - 15 : y + 15, x - 15 : x + 15].mean((0, 1))


def test_gaussians_meshes_and_a_result_that_cannot_be_read(
    address: str, browsers: Callable[[], Any], wait: Callable[..., Any]
) -> None:
    browser = browsers()
    browser.driver.get(address)

    def mostly(channel: int) -> bool:
        color = middle(browser)
        return bool(color[channel] > 1.5 * np.delete(color, channel).max())

    wait(lambda: mostly(2), "blue Gaussians in the middle")
    for name in ("Gaussians", "Meshes"):
        box = browser.driver.find_element("xpath", f"//label[text()='{name}']")
        box = browser.driver.find_element("id", box.get_attribute("for"))
        browser.driver.execute_script("arguments[0].click()", box)
    wait(lambda: mostly(0), "the red mesh in the middle")
    browser.find("input[value='ball/sit_on_1']").click()
    wait(lambda: browser.driver.find_elements("xpath", "//*[text()='broken/one_1']"), "the list of results")[0].click()
    text = wait(lambda: "Cannot be shown" in browser.driver.page_source and browser.driver.page_source, "the message")
    assert "result.json" in text
    wait(lambda: middle(browser).min() > 200, "an empty scene")
