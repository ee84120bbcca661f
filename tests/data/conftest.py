"""A small synthetic sample, made here: a stretched sphere for the person, a smaller one beside it for the object."""

from collections.abc import Callable
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from PIL import Image, ImageDraw

from hoijax.data.sample import ColoredMesh, Sample
from hoijax.data.write import save_sample
from hoijax.types import Camera, HumanPose

HEIGHT, WIDTH = 96, 128
FOCAL, CENTER, TRANSLATION = np.array([150.0, 150.0]), np.array([64.0, 48.0]), np.array([0.1, -0.05, 4.0])


def ball(subdivisions: int, radii: tuple[float, float, float], center: tuple[float, float, float]) -> ColoredMesh:
    """A coloured ellipsoid, metres."""
    sphere = trimesh.creation.icosphere(subdivisions=subdivisions)
    unit = np.asarray(sphere.vertices)
    verts = (unit * radii + center).astype(np.float32)
    rgb = ((unit + 1) / 2).astype(np.float32)
    return ColoredMesh(verts, np.asarray(sphere.faces, np.int32), rgb)


def drawn(mesh: ColoredMesh) -> np.ndarray:
    """The mesh's silhouette, by Pillow's polygons."""
    verts = mesh.verts + TRANSLATION
    points = FOCAL * verts[:, :2] / verts[:, 2:] + CENTER
    picture = Image.new("1", (WIDTH, HEIGHT))
    pen = ImageDraw.Draw(picture)
    for triangle in points[mesh.faces]:
        pen.polygon([tuple(corner) for corner in triangle], fill=1)
    return np.asarray(picture)


@pytest.fixture(scope="session")
def sample() -> Sample:
    """The sample in memory: the annotated object fills its mask, the coarse one stands beside it."""
    rng = np.random.default_rng(0)
    human = ball(3, (0.25, 0.85, 0.2), (0.0, 0.0, 0.0))
    coarse = ball(2, (0.2, 0.25, 0.2), (0.5, 0.05, 0.1))
    truth = coarse._replace(verts=coarse.verts * np.float32(1.1) + np.float32([0.0, 0.02, -0.1]))
    human_mask, object_mask = drawn(human), drawn(truth)
    rows = {name: jnp.asarray(rng.normal(size=shape), jnp.float32) for name, shape in POSE_SHAPES.items()}
    smooth = np.linspace(40, 200, WIDTH)[None, :, None] + np.zeros((HEIGHT, 1, 3))
    image = np.where(human_mask[..., None], 0.5 * smooth + 60, smooth).astype(np.uint8)
    return Sample(
        name="coffee cup/drinking_98",
        folder=Path("nowhere"),
        image=image,
        human_mask=human_mask & ~object_mask,
        object_mask=object_mask,
        camera=Camera(jnp.asarray(FOCAL, jnp.float32), jnp.asarray(CENTER, jnp.float32)),
        pose=HumanPose(**rows, translation=jnp.asarray(TRANSLATION, jnp.float32)),
        human=human,
        object=coarse,
        truth=truth,
        depth=np.where(human_mask, 4.0, 6.5).astype(np.float32),
        human_box=bounds(human_mask),
        object_box=bounds(object_mask),
        contact_parts=("left palm", "mouth"),
        category="coffee cup",
        action="drinking",
    )


POSE_SHAPES = {
    "root": (3,),
    "body": (21, 3),
    "jaw": (3,),
    "eyes": (2, 3),
    "left_hand": (15, 3),
    "right_hand": (15, 3),
    "shape": (10,),
    "expression": (10,),
}


def bounds(mask: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


@pytest.fixture
def folder(sample: Sample, tmp_path: Path) -> Path:
    """The sample on disk, in canonical form, nested in a folder of its category."""
    path = tmp_path / "data" / "coffee cup" / "drinking_98"
    save_sample(sample, path)
    return path


@pytest.fixture
def warned() -> tuple[Callable[[Path, str], None], list[str]]:
    """A `warn` function and the list that it fills."""
    messages: list[str] = []
    return lambda path, message: messages.append(f"{path.name}: {message}"), messages
