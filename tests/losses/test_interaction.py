"""Interaction: centroids in closed form, the conditions that end it, parts, the scale prior, finite differences."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from hoijax.losses.interaction import (
    extent,
    interact,
    interaction,
    object_size,
    part_interaction,
    prior_scale,
    scale_prior,
)
from hoijax.types import Camera, Mesh

CAMERA = Camera(jnp.array([100.0, 100.0]), jnp.array([50.0, 50.0]))
CORNERS = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1]), -1).reshape(-1, 3)
ALL = jnp.ones(8, bool)


def box(centre: tuple[float, float, float], half: float = 0.5) -> Array:
    return jnp.asarray(half * CORNERS + np.array(centre), jnp.float32)


def test_mean_squared_distance_of_the_centroids() -> None:
    loss = interaction(box((0, 0, 10)), box((0.3, 0, 10.6)), ALL, CAMERA, 0.3, 3.0)
    assert float(loss) == pytest.approx((0.3**2 + 0.6**2) / 3, rel=1e-4)


def test_padding_has_no_share() -> None:
    padded = jnp.concatenate([box((0.3, 0, 10.6)), jnp.full((4, 3), 7.0)])
    loss = interaction(box((0, 0, 10)), padded, jnp.arange(12) < 8, CAMERA, 0.3, 3.0)
    assert float(loss) == pytest.approx((0.3**2 + 0.6**2) / 3, rel=1e-4)


@pytest.mark.parametrize(("gap", "near"), [(1.9, False), (2.1, True)])
def test_a_gap_in_depth_ends_it(gap: float, near: bool) -> None:
    """From 10.5 to 12.5 metres nothing stands; the boxes overlap in the image."""
    loss = interaction(box((0, 0, 10)), box((0, 0, 13)), ALL, CAMERA, 0.0, gap)
    assert (float(loss) > 0) == near


@pytest.mark.parametrize(("growth", "near"), [(0.0, False), (0.19, False), (0.21, True)])
def test_boxes_grow_by_a_share_of_their_sides(growth: float, near: bool) -> None:
    """Two boxes 10 px wide, 2 px apart: each grows by half of the share on that side."""
    flat = jnp.asarray(CORNERS * [0.5, 0.5, 0.0], jnp.float32)
    a = extent(flat + jnp.array([0.0, 0.0, 10.0]), ALL, CAMERA)
    b = extent(flat + jnp.array([1.2, 0.0, 10.0]), ALL, CAMERA)
    np.testing.assert_allclose(a.high_px - a.low_px, 10, rtol=1e-5)
    assert bool(interact(a, b, growth, 1.0)) == near
    assert bool(interact(b, a, growth, 1.0)) == near


def test_parts_that_touch_and_are_near_share_equally() -> None:
    """Part 0 and 1 touch and are near, 2 touches but is far away in the image, 3 is near and does not touch, 4 is empty."""
    centres = [(0.0, 0.0, 10.0), (0.5, 0.0, 10.0), (9.0, 0.0, 10.0), (0.2, 0.0, 10.0)]
    human = jnp.concatenate([box(centre) for centre in centres])
    parts = jnp.repeat(jnp.arange(4), 8)
    touching = jnp.array([True, True, True, False, True])
    obj = box((0.2, 0.1, 10.0))
    loss = part_interaction(human, parts, touching, obj, ALL, CAMERA, 0.3, 3.0)
    expected = ((0.2**2 + 0.1**2) / 3 + (0.3**2 + 0.1**2) / 3) / 2
    assert float(loss) == pytest.approx(expected, rel=1e-3)
    none = part_interaction(human, parts, jnp.zeros(5, bool), obj, ALL, CAMERA, 0.3, 3.0)
    assert float(none) == 0


def test_an_empty_part_leaves_the_gradient_finite() -> None:
    parts, touching = jnp.zeros(8, jnp.int32), jnp.array([True, True])

    def loss(human: Array, obj: Array) -> Array:
        return part_interaction(human, parts, touching, obj, ALL, CAMERA, 0.0, 3.0)

    gradients = jax.grad(loss, (0, 1))(box((0, 0, 10)), box((0.2, 0, 10)))
    assert all(bool(jnp.isfinite(gradient).all()) for gradient in gradients)
    np.testing.assert_allclose(gradients[1].sum(0), [2 * 0.2 / 3, 0, 0], atol=1e-5)


def test_gradients_equal_finite_differences(check_gradient: Callable[..., None]) -> None:
    with jax.enable_x64(True):
        camera = Camera(jnp.array([100.0, 100.0]), jnp.array([50.0, 50.0]))
        human, obj = (jnp.asarray(0.5 * CORNERS + np.array(c)) for c in ([0.0, 0, 10], [0.3, 0.1, 10.4]))
        parts = jnp.repeat(jnp.arange(2), 4)
        check_gradient(lambda h, o: interaction(h, o, ALL, camera, 0.3, 3.0), human, obj)
        check_gradient(lambda h, o: part_interaction(h, parts, ALL[:2], o, ALL, camera, 0.3, 3.0), human, obj)
        check_gradient(lambda x: scale_prior(x, jnp.float64(0.8), 0.0), jnp.float64(0.2))
        check_gradient(lambda x: scale_prior(x, jnp.float64(0.8), 1.1), jnp.float64(0.2))


def test_scale_prior() -> None:
    """Unknown length: about the coarse scale. A bicycle of 0.91 (half metres) starts where it is 1.82 m long, at no cost."""
    size = object_size(Mesh(box((0, 0, 10)), jnp.zeros((0, 3), jnp.int32), ALL), jnp.array([0.0, 0.0, 10.0]))
    assert float(size) == pytest.approx(np.sqrt(3), rel=1e-6)
    assert float(scale_prior(jnp.log(1.25), size, 0.0)) == pytest.approx(0.25**2, rel=1e-5)
    assert float(prior_scale(size, 0.0)) == 1
    start = prior_scale(size, 1.82)
    assert float(start * size) == pytest.approx(1.82, rel=1e-6)
    assert float(scale_prior(jnp.log(start), size, 1.82)) == pytest.approx(0, abs=1e-10)
    assert float(scale_prior(jnp.float32(0), size, 1.82)) == pytest.approx((np.sqrt(3) / 2 - 0.91) ** 2, rel=1e-4)
