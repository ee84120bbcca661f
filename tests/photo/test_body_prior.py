"""Ranges and means of the joints, and the height of people."""

import jax
import jax.numpy as jnp
import numpy as np

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import pose_body, zero_pose
from hoijax.photo.body_prior import pose_energy, pose_prior, shape_energy, stature

ELBOWS, KNEES = (17, 18), (3, 4)


def test_ranges_hold_the_mean_and_mirror() -> None:
    prior = pose_prior()
    assert bool((prior.low <= prior.mean).all() and (prior.mean <= prior.high).all() and (prior.sigma > 0).all())
    for left, right in ((0, 1), (3, 4), (6, 7), (12, 13), (15, 16), (17, 18), (19, 20)):
        mirror = np.array([1, -1, -1])
        assert np.allclose(prior.mean[left] * mirror, prior.mean[right])
        ends = np.sort(np.stack([prior.low[left] * mirror, prior.high[left] * mirror]), 0)
        assert np.allclose(ends, [prior.low[right], prior.high[right]])


def test_knees_bend_back_and_elbows_forward() -> None:
    """The sign of each range, seen in the body: heels go behind the knees, hands before the elbows."""
    body, prior = builtin_body(), pose_prior()
    for k, (hinge, end, axis) in {3: (4, 7, 0), 4: (5, 8, 0), 17: (18, 20, 1), 18: (19, 21, 1)}.items():
        limit = prior.high if abs(prior.high[k, axis]) > abs(prior.low[k, axis]) else prior.low
        bend = jnp.zeros((21, 3)).at[k, axis].set(0.5 * float(limit[k, axis]))
        joints = pose_body(body, zero_pose()._replace(body=bend)).joints
        ahead = float(joints[end, 2] - joints[hinge, 2])
        assert ahead < -0.2 if k in KNEES else ahead > 0.2


def test_the_mean_pose_lets_the_arms_hang() -> None:
    joints = pose_body(builtin_body(), zero_pose()._replace(body=pose_prior().mean)).joints
    assert float(joints[20, 1]) < float(joints[16, 1]) - 0.3


def test_stature_is_the_height_of_the_rest_body() -> None:
    body = builtin_body()
    height = stature(body)
    for first in (0.0, -1.5, 2.0):
        shape = jnp.zeros(10).at[0].set(first)
        up = pose_body(body, zero_pose()._replace(shape=shape)).verts[:, 1]
        assert abs(float(height.mean + height.slope @ shape) - float(up.max() - up.min())) < 0.01


def test_energies_are_least_at_the_mean() -> None:
    prior, height = pose_prior(), stature(builtin_body())
    assert float(pose_energy(prior.mean, prior)) == 0
    assert float(pose_energy(prior.mean + prior.sigma, prior)) == 0.5 * 63
    best = -(height.mean - 1.70) / 0.1**2 * height.slope / (1 + (height.slope**2).sum() / 0.1**2)
    assert float(jnp.abs(jax.grad(shape_energy)(best, height)).max()) < 1e-3
