"""Body errors of poses whose difference is known, on the built-in body."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import Refinement, fixed_body, pose_body, zero_pose
from hoijax.geometry import rotation_matrix
from hoijax.metrics.body import body_errors, mean_position_error_mm, without_root
from hoijax.types import Body, HumanPose


@pytest.fixture(scope="module")
def body() -> Body:
    return builtin_body()


def bent(seed: int) -> HumanPose:
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda x: jnp.asarray(0.2 * rng.normal(size=x.shape), x.dtype), zero_pose())


def test_mean_position_error() -> None:
    points = jnp.asarray(np.random.default_rng(0).normal(size=(7, 3)), jnp.float32)
    offset = jnp.array([0.03, 0, 0.04])
    assert float(mean_position_error_mm(points + offset, points)) == pytest.approx(50, rel=1e-5)
    half = points.at[:3].add(offset)
    assert float(mean_position_error_mm(half, points)) == pytest.approx(50 * 3 / 7, rel=1e-5)
    assert float(mean_position_error_mm(points, points)) == 0


def test_root_rotation_and_translation_do_not_count(body: Body) -> None:
    pose = bent(0)
    elsewhere = pose._replace(root=jnp.array([0.5, -1, 2]), translation=jnp.array([1.0, 2, 30]))
    np.testing.assert_allclose(body_errors(body, elsewhere, pose), 0, atol=1e-6)
    assert not without_root(elsewhere).root.any()
    np.testing.assert_array_equal(without_root(elsewhere).body, pose.body)


def test_errors_are_the_distances_of_the_posed_bodies(body: Body) -> None:
    predicted, true = bent(1), bent(2)
    first, second = pose_body(body, without_root(predicted)), pose_body(body, without_root(true))
    distances = 1000 * np.linalg.norm(np.asarray(first.joints - second.joints), axis=1)
    errors = body_errors(body, predicted, true)
    assert float(errors.mpjpe_mm) == pytest.approx(distances[:22].mean(), rel=1e-5)
    assert float(body_errors(body, predicted, true, joints=55).mpjpe_mm) == pytest.approx(distances.mean(), rel=1e-5)
    expected = 1000 * np.linalg.norm(np.asarray(first.verts - second.verts), axis=1).mean()
    assert float(errors.mpvpe_mm) == pytest.approx(expected, rel=1e-5)


def test_an_elbow_moves_what_hangs_on_it(body: Body) -> None:
    """Bending only the left elbow (joint 18, body row 17) by 60 degrees moves the wrist (joint 20) by its chord."""
    straight = zero_pose()
    elbow = straight._replace(body=straight.body.at[17].set(jnp.array([0, jnp.pi / 3, 0])))
    joints = pose_body(body, straight).joints
    forearm = joints[20] - joints[18]
    chord = jnp.linalg.norm(rotation_matrix(jnp.array([0, jnp.pi / 3, 0])) @ forearm - forearm)
    errors = body_errors(body, elbow, straight)
    assert float(errors.mpjpe_mm) == pytest.approx(1000 * float(chord) / 22, rel=1e-4)


def test_the_refinement_belongs_to_the_prediction(body: Body) -> None:
    straight = zero_pose()
    turned = straight._replace(body=straight.body.at[17].set(jnp.array([0, 1.0, 0])))
    corrections = jnp.tile(jnp.eye(3), (54, 1, 1)).at[17].set(rotation_matrix(jnp.array([0, 1.0, 0])))
    errors = body_errors(body, straight, turned, Refinement(corrections=corrections))
    np.testing.assert_allclose(errors, 0, atol=1e-3)


def test_a_batch_equals_the_single_bodies(body: Body) -> None:
    poses = [bent(seed) for seed in range(3)]
    true = jax.tree.map(lambda *x: jnp.stack(x), *poses)
    predicted = jax.tree.map(lambda *x: jnp.stack(x), *poses[1:], poses[0])
    batch = jax.jit(jax.vmap(body_errors, in_axes=(None, 0, 0)))(body, predicted, true)
    single = body_errors(body, poses[1], poses[0])
    np.testing.assert_allclose([x[0] for x in batch], single, rtol=1e-4)


def test_a_fixed_mesh_has_no_joints_to_compare() -> None:
    mesh = fixed_body(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]]))
    with pytest.raises(ValueError, match="the body has 1 joints, expected 22 or more"):
        body_errors(mesh, zero_pose(), zero_pose())
