"""Sampling and grouping beside plain loops in numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.tasks.points import ball_query, farthest_points, grouped


def plain_farthest(points: np.ndarray, count: int, first: int) -> list[int]:
    chosen = [first]
    while len(chosen) < count:
        distance = [min(float(np.sum((p - points[c]) ** 2, dtype=np.float32)) for c in chosen) for p in points]
        chosen.append(int(np.argmax(distance)))
    return chosen


def plain_ball(points: np.ndarray, centers: np.ndarray, radius: float, count: int) -> list[list[int]]:
    rows = []
    for center in centers:
        squared = [float(np.sum((p - center) ** 2)) for p in points]
        found = [k for k, value in enumerate(squared) if value <= radius**2][:count]
        found = found or [int(np.argmin(squared))]
        rows.append(found + [found[0]] * (count - len(found)))
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_farthest_points_are_those_of_a_plain_loop(seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(60, 3)).astype(np.float32)
    found = farthest_points(jnp.asarray(points), 20, seed)
    assert found.tolist() == plain_farthest(points, 20, seed)
    assert len(set(found.tolist())) == 20


@pytest.mark.parametrize(("radius", "count"), [(0.5, 8), (0.05, 4), (10.0, 100)])
def test_balls_hold_what_a_plain_loop_finds(radius: float, count: int) -> None:
    rng = np.random.default_rng(0)
    points, centers = (rng.normal(size=(n, 3)).astype(np.float32) for n in (70, 9))
    assert ball_query(jnp.asarray(points), jnp.asarray(centers), radius, count).tolist() == plain_ball(
        points, centers, radius, count
    )


def test_many_clouds_at_once_are_each_by_itself() -> None:
    clouds = jnp.asarray(np.random.default_rng(1).normal(size=(4, 40, 3)), jnp.float32)
    chosen = jax.vmap(lambda cloud: farthest_points(cloud, 7))(clouds)
    assert all(chosen[k].tolist() == farthest_points(clouds[k], 7).tolist() for k in range(4))


def test_groups_do_not_feel_where_the_cloud_stands() -> None:
    rng = np.random.default_rng(2)
    points, features = (jnp.asarray(rng.normal(size=(30, d)), jnp.float32) for d in (3, 5))
    shift = jnp.array([0.5, -1.0, 2.0])
    groups = ball_query(points, points[:6], 0.8, 10)
    here = grouped(points, features, points[:6], groups, 0.8)
    there = grouped(points + shift, features, points[:6] + shift, groups, 0.8)
    assert here.shape == (6, 10, 8)
    np.testing.assert_allclose(here, there, atol=2e-6)
    assert float(jnp.linalg.norm(here[..., :3], axis=-1).max()) <= 1 + 1e-6
