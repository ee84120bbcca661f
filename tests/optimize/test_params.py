"""The two ways in which the object's trained numbers mean a pose."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.config import Config
from hoijax.geometry import project, rotation_matrix, similarity
from hoijax.losses.silhouette import crop_silhouette
from hoijax.mesh.silhouette import soft_silhouette
from hoijax.optimize.params import effective_pose, pivot_of, stored_pose
from hoijax.types import ObjectPose

OBJECT = Config("test", (), scale_about="object")
CAMERA = dataclasses.replace(OBJECT, scale_about="camera")
STORED = ObjectPose(jnp.array([0.1, -0.4, 0.3]), jnp.array([0.1, 0.05, -0.2]), jnp.log(jnp.float32(1.2)))


def test_scaling_about_the_camera_is_phosas_transform(known) -> None:
    scene, pivot = known.scene, pivot_of(known.scene)
    verts = similarity(scene.object.verts, effective_pose(STORED, pivot, CAMERA), pivot)
    rotated = (scene.object.verts - pivot) @ rotation_matrix(STORED.rotvec).T
    np.testing.assert_allclose(verts, 1.2 * (rotated + pivot + STORED.translation), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("config", [OBJECT, CAMERA])
def test_storing_undoes_it(known, config: Config) -> None:
    pivot = pivot_of(known.scene)
    back = stored_pose(effective_pose(STORED, pivot, config), pivot, config)
    for one, two in zip(back, STORED, strict=True):
        np.testing.assert_allclose(one, two, atol=2e-6)


@pytest.mark.slow
def test_the_silhouette_does_not_pull_on_a_scale_about_the_camera(known) -> None:
    scene, pivot = known.scene, pivot_of(known.scene)

    def loss(log_scale: jax.Array, config: Config) -> jax.Array:
        pose = effective_pose(STORED._replace(log_scale=log_scale), pivot, config)
        verts = similarity(scene.object.verts, pose, pivot)
        crop = scene.object_crop
        return crop_silhouette(soft_silhouette(verts, scene.object.faces, crop.camera, crop.target.shape), crop.target)

    slope = jax.jit(jax.grad(loss), static_argnums=1)
    about_object, about_camera = (float(slope(STORED.log_scale, config)) for config in (OBJECT, CAMERA))
    assert abs(about_object) > 0.01
    assert abs(about_camera) < 1e-4 * abs(about_object)
    near, far = (
        project(similarity(scene.object.verts, effective_pose(pose, pivot, CAMERA), pivot), scene.camera)
        for pose in (STORED, STORED._replace(log_scale=jnp.float32(-0.3)))
    )
    np.testing.assert_allclose(near, far, atol=1e-3)


def test_another_way_is_refused() -> None:
    with pytest.raises(ValueError, match="scale_about is 'world', expected 'object' or 'camera'"):
        Config("test", (), scale_about="world")
