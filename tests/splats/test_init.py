"""Gaussians on vertices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.geometry import quaternion_matrix, rotation_matrix
from hoijax.splats.init import concat_gaussians, init_splats, mean_squared_neighbour_distance, pose_splats
from hoijax.types import Splats


def random_splats(n: int = 6, seed: int = 0) -> Splats:
    rng = np.random.default_rng(seed)
    log_scale, quat, logit = rng.normal(-4, 0.5, (n, 3)), rng.normal(size=(n, 4)), rng.normal(size=n)
    return Splats(*(jnp.float32(x) for x in (log_scale, quat, logit, rng.uniform(size=(n, 3)))))


def test_neighbour_distance_is_that_of_brute_force() -> None:
    rng = np.random.default_rng(0)
    points, valid = rng.normal(size=(60, 3)), rng.uniform(size=60) < 0.8
    d2 = ((points[:, None] - points) ** 2).sum(-1) + np.where(valid, 0, np.inf)
    expected = np.sort(d2, 1)[:, 1:4].mean(1)
    ours = mean_squared_neighbour_distance(points, valid)
    np.testing.assert_allclose(ours[valid], expected[valid])
    assert (ours[~valid] == 0).all()


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (1, 0), (2, 1), (3, (1 + 4) / 2)])
def test_neighbour_distance_of_few_points(count: int, expected: float) -> None:
    points = np.array([[0.0, 0, 0], [1, 0, 0], [-2, 0, 0], [100, 0, 0]])
    ours = mean_squared_neighbour_distance(points, np.arange(4) < count)
    assert ours[0] == pytest.approx(expected)
    assert np.isfinite(ours).all()


def test_start_is_round_and_as_large_and_opaque_as_asked() -> None:
    verts, d2 = jnp.ones((4, 3)), jnp.array([0.04, 0.01, 0.0, 0.04])
    hidden = jnp.array([False, False, False, True])
    splats = init_splats(verts, jnp.full((4, 3), 0.5), 0.1, 0.1, hidden, d2)
    gaussians = pose_splats(splats, verts, jnp.broadcast_to(jnp.eye(3), (4, 3, 3)), jnp.ones(()))
    variance = jnp.array([0.004, 0.001, 1e-8, 0.004])
    np.testing.assert_allclose(gaussians.covs, variance[:, None, None] * jnp.eye(3), rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(gaussians.opacity, [0.1, 0.1, 0.1, 1e-5], rtol=1e-5)
    np.testing.assert_array_equal(gaussians.rgb, splats.rgb)


def test_posed_covariance_is_its_equation() -> None:
    splats = random_splats()
    frames = rotation_matrix(jnp.float32(np.random.default_rng(1).normal(size=(6, 3))))
    posed = pose_splats(splats, jnp.zeros((6, 3)), frames, jnp.float32(1.7))
    for i in range(6):
        turn = np.asarray(frames[i] @ quaternion_matrix(splats.quat[i]), np.float64)
        expected = 1.7**2 * turn @ np.diag(np.exp(2 * np.asarray(splats.log_scale[i], np.float64))) @ turn.T
        np.testing.assert_allclose(posed.covs[i], expected, rtol=1e-4, atol=1e-7)


def test_gradients_are_finite_at_the_start() -> None:
    splats = init_splats(jnp.ones((3, 3)), jnp.ones((3, 3)), 1.0, 0.1, jnp.array([False, True, False]), jnp.zeros(3))
    frames = jnp.broadcast_to(jnp.eye(3), (3, 3, 3))

    def loss(splats: Splats) -> jax.Array:
        posed = pose_splats(splats, jnp.ones((3, 3)), frames, jnp.ones(()))
        return sum((x**2).sum() for x in posed)

    gradient = jax.jit(jax.grad(loss))(splats)
    assert all(jnp.isfinite(x).all() for x in jax.tree.leaves(gradient))
    assert (gradient.log_scale != 0).all()


def test_two_sets_become_one() -> None:
    frames = jnp.broadcast_to(jnp.eye(3), (6, 3, 3))
    first, second = (pose_splats(random_splats(seed=int(s)), jnp.full((6, 3), s), frames, 1.0) for s in (1.0, 2.0))
    both = concat_gaussians(first, second)
    for a, b, ab in zip(first, second, both):
        np.testing.assert_array_equal(ab[:6], a)
        np.testing.assert_array_equal(ab[6:], b)
