"""Sampling and grouping beside plain loops in numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.tasks.encoders import CloudEncoder, Level, cloud_groups
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
    found = jax.jit(farthest_points, static_argnums=(1, 2))(jnp.asarray(points), 20, seed)
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
    choose = jax.jit(lambda cloud: farthest_points(cloud, 7))
    chosen = jax.jit(jax.vmap(choose))(clouds)
    assert all(chosen[k].tolist() == choose(clouds[k]).tolist() for k in range(4))


def test_groups_do_not_feel_where_the_cloud_stands() -> None:
    rng = np.random.default_rng(2)
    points, features = (jnp.asarray(rng.normal(size=(30, d)), jnp.float32) for d in (3, 5))
    shift = jnp.array([0.5, -1.0, 2.0])
    groups = ball_query(points, points[:6], 0.8, 10)
    gather = jax.jit(lambda points: grouped(points, features, points[:6], groups, 0.8))
    here, there = gather(points), gather(points + shift)
    assert here.shape == (6, 10, 8)
    np.testing.assert_allclose(here, there, atol=2e-6)
    assert float(jnp.linalg.norm(here[..., :3], axis=-1).max()) <= 1 + 1e-6


def test_a_cloud_that_is_turned_and_mirrored_keeps_its_groups() -> None:
    points = np.random.default_rng(4).normal(size=(50, 3))
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0] * [1.0, 1.0, -1.0]
    levels = (Level(12, 0.9, 6, (4,)), Level(5, 2.0, 4, (4,)))
    groups = jax.jit(lambda cloud: cloud_groups(cloud, levels))
    here, there = (groups(jnp.asarray(cloud, jnp.float32)) for cloud in (points, points @ turn.T + 2.0))
    for one, other in zip(jax.tree.leaves(here), jax.tree.leaves(there)):
        assert one.tolist() == other.tolist()


def test_an_encoder_finds_the_groups_that_it_is_not_given() -> None:
    levels = (Level(12, 0.9, 6, (8,)), Level(5, 2.0, 4, (8,)))
    encoder = CloudEncoder(levels, (16,))
    points = jnp.asarray(np.random.default_rng(6).normal(size=(50, 3)), jnp.float32)
    groups = jax.jit(lambda cloud: cloud_groups(cloud, levels))(points)
    params = jax.jit(encoder.init)(jax.random.key(0), points, groups)
    bare, given = jax.jit(lambda params: (encoder.apply(params, points), encoder.apply(params, points, groups)))(params)
    np.testing.assert_allclose(bare, given, atol=1e-6)
    assert given.shape == (16,)
    assert float(jnp.abs(given - jax.jit(encoder.apply)(params, points * 1.1, groups)).max()) > 1e-3
