"""A small scene with a known answer: an ellipsoid for a human, a coloured box beside it, drawn at 64 pixels."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from hoijax.body.parts import PART_NAMES
from hoijax.body.smplx import fixed_body, pose_body, zero_pose
from hoijax.config import Capacity
from hoijax.data.crop import object_crop
from hoijax.data.prepare import padded_mesh
from hoijax.data.sample import ColoredMesh
from hoijax.geometry import similarity
from hoijax.mesh.sdf import init_sdf_grid
from hoijax.mesh.zbuffer import depth_buffer
from hoijax.optimize.params import pivot_of
from hoijax.splats.init import concat_gaussians, init_splats, mean_squared_neighbour_distance, pose_splats
from hoijax.splats.rasterize import rasterize
from hoijax.types import Assets, Camera, Crop, ObjectPose, Scene

SIZE = 64
LEFT_PALM = PART_NAMES.index("left palm")  # the half of the human that faces the object


class Known(NamedTuple):
    """A scene whose object stands at its coarse start, and the pose that takes it to the truth."""

    scene: Scene
    assets: Assets
    truth: ObjectPose


def make_known(move: ObjectPose) -> Known:
    """The human is a 0.3 x 0.8 x 0.3 m ellipsoid 8 m away, the true object a box that touches its side."""
    ball = trimesh.creation.icosphere(3)
    human_verts = np.asarray(ball.vertices * [0.15, 0.4, 0.15] + [0, 0, 8], np.float32)
    body = fixed_body(human_verts, np.asarray(ball.faces))
    box = trimesh.creation.box((0.3, 0.2, 0.25)).subdivide().subdivide().subdivide()
    start = ColoredMesh(box.vertices + [0.3, 0.05, 8.0], np.asarray(box.faces), box.vertices * [3, 4, 3.5] + 0.5)
    mesh, rgb = padded_mesh(start, 1600, 800)
    camera = Camera(jnp.array([500.0, 500.0]), jnp.array([24.0, 32.0]))
    blank = jnp.zeros((SIZE, SIZE))
    scene = Scene(
        image=jnp.zeros((SIZE, SIZE, 3)),
        valid=jnp.ones((SIZE, SIZE), bool),
        human_mask=blank,
        object_mask=blank,
        camera=camera,
        human=zero_pose(),
        object=mesh,
        object_rgb=rgb,
        human_d2=squared_spacing(human_verts, np.ones(len(human_verts), bool)),
        object_d2=squared_spacing(mesh.verts, mesh.valid),
        object_sdf=init_sdf_grid(start.verts, start.faces, 32),
        human_sdf=init_sdf_grid(human_verts, np.asarray(ball.faces), 32),
        human_parts=jnp.where(jnp.asarray(human_verts)[:, 0] > 0, LEFT_PALM, 0),
        contact_parts=jnp.arange(len(PART_NAMES)) == LEFT_PALM,
        object_crop=Crop(blank, camera),
    )
    return Known(drawn(scene, Assets(body), move), Assets(body), move)


def squared_spacing(points: object, valid: object) -> jnp.ndarray:
    """Mean squared distance to the nearest vertices, as `prepare` computes it."""
    return jnp.asarray(mean_squared_neighbour_distance(np.asarray(points), np.asarray(valid)), jnp.float32)


def drawn(scene: Scene, assets: Assets, move: ObjectPose) -> Scene:
    """The scene with the image and the masks of its object moved to the truth, drawn with opaque Gaussians."""
    human = pose_body(assets.body, scene.human)
    verts = similarity(scene.object.verts, move, pivot_of(scene))

    def opaque(points: jnp.ndarray, rgb: jnp.ndarray, valid: jnp.ndarray, frames: jnp.ndarray) -> object:
        d2 = squared_spacing(points, valid)
        return pose_splats(init_splats(points, rgb, 0.3, 0.95, ~valid, d2), points, frames)

    eye = jnp.eye(3)
    people = jnp.ones(len(human.verts), bool)
    of_human = opaque(human.verts, jnp.tile(jnp.array([0.2, 0.4, 0.8]), (len(human.verts), 1)), people, human.frames)
    of_object = opaque(verts, scene.object_rgb, scene.object.valid, jnp.broadcast_to(eye, (len(verts), 3, 3)))
    both = concat_gaussians(of_human, of_object)
    is_object = jnp.arange(len(both.opacity)) >= len(human.verts)
    renders = rasterize(both, is_object, scene.camera, (SIZE, SIZE), Capacity(32768, 4096))
    assert int(renders.dropped) == 0
    human_seen = depth_buffer(human.verts, assets.body.faces, scene.camera, (SIZE, SIZE))
    object_seen = depth_buffer(verts, scene.object.faces, scene.camera, (SIZE, SIZE))
    nearer = human_seen.covered & (~object_seen.covered | (human_seen.depth < object_seen.depth))
    human_mask, object_mask = nearer, object_seen.covered & ~nearer
    return scene._replace(
        object_crop=object_crop(np.asarray(object_mask), np.asarray(human_mask), scene.camera, 128, 0.3),
        image=jnp.clip(renders.joint.rgb, 0, 1),
        human_mask=human_mask.astype(jnp.float32),
        object_mask=object_mask.astype(jnp.float32),
    )


@pytest.fixture(scope="session")
def known() -> Known:
    """The truth is the start, scaled by 0.85, turned by 10 degrees about z and moved by a few centimetres."""
    return make_known(ObjectPose(jnp.array([0.0, 0.0, 0.17]), jnp.array([0.0, 0.05, 0.0]), jnp.log(jnp.float32(0.85))))
