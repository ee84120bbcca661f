"""A scene in closed form that the coarse tests share: a round body and a small ball beside it, before a long lens."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from hoijax.coarse.view import mesh_depth, thinned_eye
from hoijax.types import Camera

SIZE = (256, 256)
DISTANCE = 25.0


class Known(NamedTuple):
    """Meshes in the camera frame, masks and depth (metres, 0 on the background) as the camera sees them."""

    human: np.ndarray
    human_faces: np.ndarray
    object: np.ndarray
    object_faces: np.ndarray
    camera: Camera
    depth: np.ndarray
    human_mask: np.ndarray
    object_mask: np.ndarray


def seen(human: trimesh.Trimesh, thing: trimesh.Trimesh, camera: Camera) -> Known:
    """The picture of two meshes."""
    eye = thinned_eye(camera, SIZE, 1)
    depths = [mesh_depth(np.asarray(m.vertices), np.asarray(m.faces), eye) for m in (human, thing)]
    far = np.where(np.stack(depths) > 0, np.stack(depths), np.inf)
    nearest = far.min(0)
    masks = [(far[k] == nearest) & np.isfinite(nearest) for k in range(2)]
    depth = np.where(np.isfinite(nearest), nearest, 0)
    meshes = [np.asarray(value) for mesh in (human, thing) for value in (mesh.vertices, mesh.faces)]
    return Known(*meshes, camera, depth, *masks)


@pytest.fixture(scope="session")
def picture() -> Callable[..., Known]:
    """The function `seen`, for tests that make a scene of their own."""
    return seen


@pytest.fixture(scope="session")
def camera() -> Camera:
    """1 m at DISTANCE spans 120 pixels."""
    return Camera(jnp.full(2, 120 * DISTANCE), jnp.full(2, 128.0))


@pytest.fixture(scope="session")
def beside(camera: Camera) -> Known:
    """A ball of radius 0.2 m at (0.55, 0.1, 24.9) beside an ellipsoid 1.6 m tall and 0.5 m deep: a gap of about 6 cm."""
    human = trimesh.creation.icosphere(subdivisions=4)
    human.apply_transform(np.diag([0.3, 0.8, 0.25, 1]))
    human.apply_translation([0, 0, DISTANCE])
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.2)
    ball.apply_translation([0.55, 0.1, DISTANCE - 0.1])
    return seen(human, ball, camera)
