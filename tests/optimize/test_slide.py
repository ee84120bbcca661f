"""The search along the viewing ray."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.body.smplx import pose_body
from hoijax.config import Config
from hoijax.geometry import project, scaled_about_camera, similarity
from hoijax.optimize.params import pivot_of
from hoijax.optimize.slide import best_offset
from hoijax.types import ObjectPose

CONFIG = Config("test", (), image_size=64)


def test_scaling_about_the_camera_leaves_the_image(known) -> None:
    scene, pose = known.scene, ObjectPose(jnp.array([0.1, 0.2, -0.3]), jnp.array([0.1, 0.0, 0.4]), jnp.float32(0.1))
    pivot = pivot_of(scene)
    before = similarity(scene.object.verts, pose, pivot)
    after = similarity(scene.object.verts, scaled_about_camera(pose, pivot, jnp.float32(1.07)), pivot)
    np.testing.assert_allclose(after, 1.07 * before, rtol=1e-5)
    np.testing.assert_allclose(project(after, scene.camera), project(before, scene.camera), atol=1e-3)


@pytest.mark.parametrize("error", [-0.3, -0.15, 0.2, 0.35])
def test_finds_the_depth_that_touches(known, error: float) -> None:
    """The true object stands beside the human, at its depth; moved away along the ray it is brought back."""
    scene, pivot = known.scene, pivot_of(known.scene)
    depth = float((pivot + known.truth.translation)[2])
    wrong = scaled_about_camera(known.truth, pivot, jnp.float32(1 + error / depth))
    human = pose_body(known.assets.body, scene.human)
    pose, scores, best = best_offset(wrong, human, scene, known.assets, jnp.float32(0.6), config=CONFIG)
    assert float((pivot + pose.translation)[2]) == pytest.approx(depth, abs=0.08)
    assert float(scores.energy[best]) == float(scores.energy.min())


def test_depth_order_alone_decides_the_side(known) -> None:
    """With no weight but the depth order, an object drawn in front of the human does not end up behind it."""
    scene, pivot = known.scene, pivot_of(known.scene)
    human = pose_body(known.assets.body, scene.human)
    across = known.truth._replace(translation=known.truth.translation - jnp.array([0.25, 0.0, 0.0]))
    config = dataclasses.replace(CONFIG, slide_collision=0.0, slide_contact=0.0)
    for front, sign in ((True, -1), (False, 1)):
        masks = {"object_mask": jnp.ones((64, 64)), "human_mask": jnp.zeros((64, 64))}
        if not front:
            masks = {"object_mask": jnp.zeros((64, 64)), "human_mask": jnp.ones((64, 64))}
        offset = best_offset(across, human, scene._replace(**masks), known.assets, jnp.float32(0.6), config=config)
        depth = float((pivot + offset[0].translation)[2])
        assert sign * (depth - 8) > 0.05
