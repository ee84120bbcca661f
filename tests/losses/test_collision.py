"""Collision: spheres whose inside-depth is known, moved objects against grids built anew, finite differences."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from hoijax.geometry import similarity
from hoijax.losses.collision import collision, inside_depths
from hoijax.types import ObjectPose, SdfGrid

RADIUS = 0.5
HUMAN_AT, OBJECT_AT = np.array([0.0, 0.0, 20.0]), np.array([0.7, 0.0, 20.0])
IDENTITY = ObjectPose(jnp.zeros(3), jnp.zeros(3), jnp.zeros(()))
POSE = ObjectPose(jnp.array([0.2, -0.3, 0.5]), jnp.array([-0.1, 0.05, 0.1]), jnp.log(1.3))


def sphere_grid(center: np.ndarray, resolution: int = 48) -> SdfGrid:
    """Exact distances to a sphere on a cube of twice its size."""
    origin, spacing = center - 2 * RADIUS, 4 * RADIUS / (resolution - 1)
    points = origin + spacing * np.stack(np.mgrid[:resolution, :resolution, :resolution], -1)
    values = np.linalg.norm(points - center, axis=-1) - RADIUS
    return SdfGrid(jnp.array(values), jnp.array(origin), jnp.array(spacing))


def surface(center: np.ndarray, seed: int, count: int = 60) -> Array:
    directions = np.random.default_rng(seed).normal(size=(count, 3))
    return jnp.array(center + RADIUS * directions / np.linalg.norm(directions, axis=1, keepdims=True))


def two_spheres() -> tuple[Array, Array, Array, SdfGrid, SdfGrid]:
    """Human and object vertices, the object's padding flags, and both grids."""
    valid = jnp.arange(60) < 50
    return surface(HUMAN_AT, 0), surface(OBJECT_AT, 1), valid, sphere_grid(HUMAN_AT), sphere_grid(OBJECT_AT)


def pushed(human: Array, start: Array, valid: Array, grids: list[SdfGrid], pose: ObjectPose, pivot: Array) -> Array:
    """The loss as the fit sees it: the object's vertices follow its pose."""
    return collision(human, similarity(start, pose, pivot), valid, *grids, pose, pivot)


depths = jax.jit(inside_depths)
value_and_grad = jax.jit(jax.value_and_grad(pushed, (0, 4)))


def test_depths_of_two_spheres() -> None:
    human, obj, valid, *grids = two_spheres()
    in_object, in_human = depths(human, obj, valid, *grids, IDENTITY, jnp.array(OBJECT_AT))
    to_object = np.linalg.norm(np.asarray(human) - OBJECT_AT, axis=1) - RADIUS
    to_human = np.linalg.norm(np.asarray(obj) - HUMAN_AT, axis=1) - RADIUS
    np.testing.assert_allclose(in_object, np.maximum(-to_object, 0), atol=2e-3)
    np.testing.assert_allclose(in_human, np.where(valid, np.maximum(-to_human, 0), 0), atol=2e-3)
    total, _ = value_and_grad(human, obj, valid, grids, IDENTITY, jnp.array(OBJECT_AT))
    assert total == pytest.approx(float(in_object.sum() + in_human.sum()), rel=1e-4)
    assert total > 0.1


def test_moved_object_is_a_sphere_of_the_new_size_and_place() -> None:
    """The depth of human vertices in s R (x - m) + m + t is that in a sphere of radius s r about the new centre."""
    human, obj, valid, *grids = two_spheres()
    pivot = jnp.array(OBJECT_AT + [0.1, 0.2, -0.1])
    center = similarity(jnp.array(OBJECT_AT)[None], POSE, pivot)[0]
    in_object, _ = depths(human, obj, valid, *grids, POSE, pivot)
    expected = np.maximum(1.3 * RADIUS - np.linalg.norm(human - center, axis=1), 0)
    np.testing.assert_allclose(in_object, expected, atol=3e-3)
    assert (expected > 0.05).any()


def test_apart_is_zero_with_zero_gradient() -> None:
    human, obj, valid, *grids = two_spheres()
    away = IDENTITY._replace(translation=jnp.array([5.0, 0, 0]))
    value, gradients = value_and_grad(human, obj, valid, grids, away, jnp.array(OBJECT_AT))
    assert value == 0
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(gradients))


def test_padding_does_not_count() -> None:
    human, obj, valid, *grids = two_spheres()
    moved = jnp.where(valid[:, None], obj, jnp.array(HUMAN_AT))
    first, second = (value_and_grad(human, x, valid, grids, IDENTITY, jnp.array(OBJECT_AT))[0] for x in (obj, moved))
    assert first == second


def test_descent_pushes_them_apart() -> None:
    human, obj, valid, *grids = two_spheres()
    value, (human_slope, pose_slope) = value_and_grad(human, obj, valid, grids, IDENTITY, jnp.array(OBJECT_AT))
    assert human_slope[:, 0].sum() > 1  # the object stands at larger x: descent moves the human away from it
    assert pose_slope.translation[0] < -1  # and the object further out
    further = IDENTITY._replace(translation=jnp.array([0.1, 0, 0]))
    assert value_and_grad(human, obj, valid, grids, further, jnp.array(OBJECT_AT))[0] < value


def test_gradients_against_finite_differences(check_gradient: Callable[..., None]) -> None:
    with jax.enable_x64(True):
        human, start, valid, *grids = two_spheres()
        pose = jax.tree.map(lambda x: jnp.array(np.asarray(x), float), POSE)
        pivot = jnp.array(OBJECT_AT)
        check_gradient(lambda human, pose: pushed(human, start, valid, grids, pose, pivot), human, pose, step=1e-8)
