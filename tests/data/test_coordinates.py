"""What docs/coordinates.md says of cameras beside exported scenes, and of bodies in other frames."""

import io

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import pose_body, shape_body, zero_pose
from hoijax.data.sample import ColoredMesh
from hoijax.data.scene_glb import scene_glb

CAM_TRANS = np.array([0.3, -0.2, 4.0])


def seen(verts: np.ndarray, place: np.ndarray, angles: tuple[float, float, float]) -> np.ndarray:
    """x / z and y / z (y down) of vertices before an OpenGL camera, which looks along its own -z with y up."""
    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    local = (verts - place) @ turn
    return np.stack([local[:, 0], -local[:, 1]], 1) / -local[:, 2:]


@pytest.fixture
def mesh() -> ColoredMesh:
    verts = np.random.default_rng(0).normal(size=(6, 3))
    return ColoredMesh(verts, np.array([[0, 1, 2], [3, 4, 5]], np.int32), np.full((6, 3), 0.5))


def test_cameras_beside_exported_scenes_see_the_photograph(mesh: ColoredMesh) -> None:
    points = mesh.verts + CAM_TRANS
    photographed = points[:, :2] / points[:, 2:]
    scene = trimesh.load(io.BytesIO(scene_glb(mesh, mesh)), file_type="glb", process=False)
    glb = np.asarray(scene.geometry["human"].vertices)
    tx, ty, tz = CAM_TRANS
    blender = glb[:, [0, 2, 1]] * (1, -1, 1)
    for verts, place, angles in (
        (glb, (-tx, ty, tz), (0.0, 0.0, 0.0)),
        (blender, (-tx, -tz, ty), (90.0, 0.0, 0.0)),
        (mesh.verts, (-tx, -ty, -tz), (180.0, 0.0, 0.0)),
    ):
        np.testing.assert_allclose(seen(verts, np.array(place), angles), photographed, atol=1e-5)


def test_bodies_from_other_frames() -> None:
    """The root turns about J; t' = R (J + t) + T - J brings a body through an extrinsic (R, T)."""
    rng, body = np.random.default_rng(1), builtin_body()
    body = body._replace(template=body.template + jnp.array([0.1, -0.35, 0.02]))  # a model whose J is off the origin
    root, shift, move = rng.normal(size=(3, 3))
    pose = zero_pose()._replace(shape=jnp.asarray(rng.normal(size=10), jnp.float32))
    joint = np.asarray(shape_body(body, pose.shape, pose.expression)[1][0], np.float64)
    rest = np.asarray(pose_body(body, pose).verts, np.float64)

    def posed(rotation: Rotation, translation: np.ndarray) -> np.ndarray:
        rotvec, place = (jnp.asarray(x, jnp.float32) for x in (rotation.as_rotvec(), translation))
        return np.asarray(pose_body(body, pose._replace(root=rotvec, translation=place)).verts)

    turn, outer = Rotation.from_rotvec(root), Rotation.from_rotvec([0.3, 0.5, -1.0])
    world = posed(turn, shift)
    np.testing.assert_allclose(world, turn.apply(rest - joint) + joint + shift, atol=1e-5)
    camera = posed(outer * turn, outer.apply(joint + shift) + move - joint)
    np.testing.assert_allclose(camera, outer.apply(world) + move, atol=1e-5)
    facing = posed(Rotation.from_rotvec([np.pi, 0, 0]), np.array([0.0, 0.0, 4.0]))
    assert facing[:, 1].argmin() == rest[:, 1].argmax()  # y points down: the head is above
    assert facing[:, 2].argmin() == rest[:, 2].argmax()  # what was foremost is nearest to the camera
