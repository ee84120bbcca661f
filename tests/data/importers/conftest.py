"""A scene with known answers, seen by a camera with a real lens, for files in the layouts of other data sets.

The photograph is black but for dots where OpenCV, not hoijax, projects chosen vertices: red ones of the object, green
ones of the human. The object is a step with an arm: no two of its views look alike.
"""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import trimesh
from PIL import Image
from scipy.spatial.transform import Rotation

from hoijax.data.read import load_sample
from hoijax.data.sample import Sample
from hoijax.data.write import save_sample

HEIGHT, WIDTH = 540, 960
K = np.array([[459.0, 0.0, 482.6], [0.0, 457.6, 275.8], [0.0, 0.0, 1.0]])
LENS = np.array(
    [0.486854, -2.639548, 0.000848, -0.000512, 1.499817, 0.363917, -2.457485, 1.424830]
)  # an Azure Kinect's
NO_LENS = np.zeros(8)
RED, GREEN = 0, 1
DOTS = 2  # pixels, radius


class Shot(NamedTuple):
    """What the camera sees: RGB, masks 0 or 255, depth in millimetres."""

    image: np.ndarray
    human_mask: np.ndarray
    object_mask: np.ndarray
    depth: np.ndarray


class World(NamedTuple):
    """Human and object in the world frame (metres), the object's template and pose, x = R v + t; world to camera."""

    human: trimesh.Trimesh
    template: trimesh.Trimesh
    object: trimesh.Trimesh
    object_rotvec: np.ndarray
    object_translation: np.ndarray
    camera_rotation: np.ndarray
    camera_translation: np.ndarray

    def in_camera(self, mesh: trimesh.Trimesh) -> np.ndarray:
        return np.asarray(mesh.vertices) @ self.camera_rotation.T + self.camera_translation


def step() -> trimesh.Trimesh:
    """A step with an arm, metres, its mean far from the origin."""
    sizes = ((0.5, 0.1, 0.3), (0.2, 0.2, 0.3), (0.06, 0.5, 0.06))
    places = ((0.0, 0.0, 0.0), (0.15, 0.15, 0.0), (-0.2, 0.3, 0.1))
    boxes = [
        trimesh.creation.box(size, trimesh.transformations.translation_matrix(at)) for size, at in zip(sizes, places)
    ]
    mesh = trimesh.util.concatenate(boxes)
    mesh.apply_translation([0.4, -0.2, 0.3])
    return trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)


@pytest.fixture
def world() -> World:
    human = trimesh.creation.icosphere(2)
    human = trimesh.Trimesh(human.vertices * (0.25, 0.85, 0.2) + (-0.3, 0.1, 2.9), human.faces, process=False)
    template, rotvec, translation = step(), np.array([0.7, -0.4, 1.1]), np.array([-0.1, 0.3, 2.7])
    verts = Rotation.from_rotvec(rotvec).apply(template.vertices) + translation
    turn = Rotation.from_rotvec([0.03360867, -0.32932623, -0.21523281]).as_matrix()
    return World(
        human,
        template,
        trimesh.Trimesh(verts, template.faces, process=False),
        rotvec,
        translation,
        turn,
        np.array([0.9, -0.15, 0.4]),
    )


def pixels(world: World, mesh: trimesh.Trimesh, lens: np.ndarray) -> np.ndarray:
    """Where OpenCV sees the vertices; its pixel centres are whole numbers."""
    rotvec, _ = cv2.Rodrigues(world.camera_rotation)
    points, _ = cv2.projectPoints(np.asarray(mesh.vertices), rotvec, world.camera_translation, K, lens)
    return points.reshape(-1, 2)


def marked(mesh: trimesh.Trimesh) -> np.ndarray:
    """The vertices that get dots: about a dozen."""
    return np.arange(0, len(mesh.vertices), max(1, len(mesh.vertices) // 12))


def shot(world: World, lens: np.ndarray = LENS) -> Shot:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    depth = np.zeros((HEIGHT, WIDTH), np.uint16)
    masks = []
    for color, mesh in ((GREEN, world.human), (RED, world.object)):
        points = pixels(world, mesh, lens)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        for triangle in points[mesh.faces]:
            cv2.fillConvexPoly(mask, np.round(triangle).astype(np.int32), 255)
        masks.append(mask)
        for vertex in marked(mesh):
            center = tuple(np.round(points[vertex]).astype(int).tolist())
            layer = np.zeros((HEIGHT, WIDTH), np.uint8)
            cv2.circle(layer, center, DOTS, 255, -1)
            image[..., color] |= layer
            if color == RED:
                depth[layer > 0] = round(1000 * world.in_camera(mesh)[vertex, 2])
    return Shot(image, masks[0], masks[1], depth)


def save_shot(taken: Shot, image: Path, human: Path | None, thing: Path | None, depth: Path | None) -> None:
    """Writes what has a path."""
    for path, values in zip((image, human, thing, depth), taken):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(path, **({"quality": 97, "subsampling": 0} if path.suffix == ".jpg" else {}))


def save_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def save_ply(mesh: trimesh.Trimesh, path: Path, scale: float = 1.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    trimesh.Trimesh(mesh.vertices * scale, mesh.faces, process=False).export(path)


def projected(verts: np.ndarray, sample: Sample) -> np.ndarray:
    """Pixels of stored vertices, by the sample's own camera, as docs/formats.md says."""
    points = verts + np.asarray(sample.pose.translation)
    return np.asarray(sample.camera.focal) * points[:, :2] / points[:, 2:] + np.asarray(sample.camera.center)


def share_on_dots(verts: np.ndarray, sample: Sample, color: int) -> float:
    """Share of these vertices that project onto dots of this colour."""
    columns, rows = np.floor(projected(verts, sample)).astype(int).T
    inside = (columns >= 0) & (columns < WIDTH) & (rows >= 0) & (rows < HEIGHT)
    hit = np.zeros(len(verts), bool)
    hit[inside] = sample.image[rows[inside], columns[inside], color] > 127
    return float(hit.mean())


@pytest.fixture
def lands(tmp_path: Path) -> Callable[[Sample, World], None]:
    """Checks a sample against the world: where vertices project, in metres where they are, and after save and load."""

    def check(sample: Sample, world: World) -> None:
        save_sample(sample, tmp_path / "saved" / "sample")
        for each in (sample, load_sample(tmp_path / "saved" / "sample")):
            assert each.truth is not None
            offset = np.asarray(each.pose.translation, np.float64)
            for mesh, expected in ((each.human, world.human), (each.object, world.object), (each.truth, world.object)):
                np.testing.assert_allclose(mesh.verts + offset, world.in_camera(expected), atol=2e-5)
                np.testing.assert_array_equal(mesh.faces, expected.faces)
            for color, mesh, part in ((GREEN, each.human, world.human), (RED, each.object, world.object)):
                verts = mesh.verts[marked(part)]
                assert share_on_dots(verts, each, color) == 1
                for flip in ((-1, 1, 1), (1, -1, 1), (1, 1, -1)):  # the check itself can tell axes apart
                    turned = (verts - mesh.verts.mean(0)) * flip + mesh.verts.mean(0)
                    assert share_on_dots(turned, each, color) < 0.9
            np.testing.assert_allclose(np.asarray(each.camera.focal), K[[0, 1], [0, 1]], rtol=1e-6)
            np.testing.assert_allclose(np.asarray(each.camera.center), K[:2, 2] + 0.5, rtol=1e-6)

    return check


def depth_errors(sample: Sample, world: World) -> np.ndarray:
    """Metres between the depth map at the object's dots and the depth of their vertices."""
    assert sample.depth is not None
    vertices = marked(world.object)
    columns, rows = np.floor(projected(sample.object.verts[vertices], sample)).astype(int).T
    z = world.in_camera(world.object)[vertices, 2]
    nearest = np.abs(sample.depth[rows, columns][:, None] - z).min(1)  # dots may overlap: any vertex of the object's
    return np.where(sample.depth[rows, columns] > 0, nearest, np.inf)


@pytest.fixture
def files() -> SimpleNamespace:
    """What tests of all layouts write with."""
    return SimpleNamespace(
        K=K, LENS=LENS, NO_LENS=NO_LENS, SIZE=(HEIGHT, WIDTH), shot=shot, shots=save_shot, json=save_json, ply=save_ply
    )


@pytest.fixture
def depth_error() -> Callable[[Sample, World], float]:
    """Largest difference between the depth map and the object's vertices, metres."""
    return lambda sample, world: float(depth_errors(sample, world).max())
