"""Landmarks on the built-in body."""

import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import fixed_body, pose_body, zero_pose
from hoijax.photo.landmarks import LANDMARKS
from hoijax.photo.markers import landmark_joints, landmark_weights, marker_body


def marks(shape: float = 0.0) -> dict[str, np.ndarray]:
    """Places of the landmarks at rest, metres."""
    pose = zero_pose()._replace(shape=jnp.full(10, shape))
    return dict(zip(LANDMARKS, np.asarray(pose_body(marker_body(builtin_body()), pose).verts)))


def test_left_and_right_are_mirror_images() -> None:
    places = marks()
    for name, place in places.items():
        other = places[name.replace("left", "#").replace("right", "left").replace("#", "right")]
        assert np.abs(place * [-1, 1, 1] - other).max() < 0.01, name


def test_they_stand_where_a_body_has_them() -> None:
    places = marks()
    x = {name: place[0] for name, place in places.items()}
    assert x["left ear"] > x["left eye outer"] > x["left eye"] > x["left eye inner"] > x["nose"] - 1e-3 > -2e-3
    assert places["nose"][2] > places["left eye"][2] > places["left ear"][2]
    assert places["left eye"][1] > places["nose"][1] > places["mouth left"][1] > places["left shoulder"][1]
    assert places["left toes"][2] > places["left ankle"][2] > places["left heel"][2]
    assert places["left index"][2] > places["left pinky"][2]  # palms down
    assert places["left thumb"][2] > places["left index"][2]


def test_they_ride_on_the_posed_body() -> None:
    body = builtin_body()
    rng = np.random.default_rng(1)
    pose = zero_pose()._replace(
        root=jnp.array([0.3, 2.0, -0.4]),
        body=jnp.asarray(rng.normal(0, 0.3, (21, 3)), jnp.float32),
        shape=jnp.asarray(rng.normal(0, 1, 10), jnp.float32),
        translation=jnp.array([0.1, 0.2, 3.0]),
    )
    whole, found = pose_body(body, pose), pose_body(marker_body(body), pose)
    assert np.allclose(found.joints, whole.joints, atol=1e-5)
    weights = landmark_weights(body)
    for k, name in enumerate(LANDMARKS):
        joint = landmark_joints().get(k)
        if joint is not None:
            assert np.allclose(found.verts[k], whole.joints[joint], atol=1e-5), name
        else:  # a mean of skinned vertices, here skinned by mean weights
            assert np.linalg.norm(found.verts[k] - weights[k] @ np.asarray(whole.verts)) < 0.003, name


def test_a_body_without_joints_has_no_landmarks() -> None:
    with pytest.raises(ValueError, match="has 1 joints, expected the 55"):
        marker_body(fixed_body(jnp.zeros((4, 3)), jnp.zeros((0, 3), jnp.int32)))
