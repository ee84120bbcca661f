"""Shapes and a camera that the mesh tests share: metres, 24 m in front of a long lens, as in real samples."""

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from hoijax.types import Camera

DISTANCE = 24.0


@pytest.fixture(scope="session")
def camera() -> Camera:
    """A 64 x 64 image in which 1 m at DISTANCE spans 50 pixels."""
    return Camera(jnp.array([1200.0, 1200.0]), jnp.array([32.0, 32.0]))


@pytest.fixture(scope="session")
def sphere() -> tuple[np.ndarray, np.ndarray]:
    """Radius 0.4 m about the origin, 1,280 faces, as float64 and int32."""
    mesh = trimesh.creation.icosphere(subdivisions=3, radius=0.4)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces, np.int32)


@pytest.fixture(scope="session")
def box() -> tuple[np.ndarray, np.ndarray]:
    """12 faces, 0.5 x 0.7 x 0.3 m, turned so that nothing is parallel to an axis."""
    turn = trimesh.transformations.rotation_matrix(0.5, [1, 2, 3])
    mesh = trimesh.creation.box((0.5, 0.7, 0.3), transform=turn)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces, np.int32)


@pytest.fixture(scope="session")
def away() -> np.ndarray:
    """What moves a shape from the origin in front of the camera, a little off centre."""
    return np.array([0.013, -0.021, DISTANCE])
