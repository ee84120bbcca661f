"""PHOSA's silhouette losses: counted by hand, against other people's filters, finite differences."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import maximum_filter

from hoijax.losses.silhouette import crop_silhouette, edge, edge_error, offscreen, silhouette_error

# One row of each kind: on the object, background, not known.
TARGET = jnp.concatenate([jnp.ones((2, 6)), jnp.zeros((3, 6)), -jnp.ones((1, 6))])


def test_errors_count_where_something_is_known() -> None:
    full, empty = jnp.ones((6, 6)), jnp.zeros((6, 6))
    assert float(silhouette_error(full, TARGET)) == 18
    assert float(silhouette_error(empty, TARGET)) == 12
    assert float(silhouette_error(TARGET.clip(0) + (TARGET < 0), TARGET)) == 0
    assert float(crop_silhouette(full, TARGET)) == pytest.approx(18 / 30)
    assert float(crop_silhouette(full, -jnp.ones((6, 6)))) == 0


@pytest.mark.parametrize("radius", [1, 3])
def test_edge_is_the_maximum_filter_less_the_image(radius: int) -> None:
    coverage = np.random.default_rng(0).uniform(size=(12, 12)).astype(np.float32)
    expected = maximum_filter(coverage, 2 * radius + 1, mode="constant") - coverage
    np.testing.assert_allclose(edge(jnp.asarray(coverage), radius), expected, atol=1e-7)


def test_edge_error_weighs_the_band_around_the_silhouette() -> None:
    """A single covered pixel: its eight neighbours are the edge, one of them where nothing is known."""
    soft = jnp.zeros((6, 6)).at[2, 2].set(1)
    distance = jnp.arange(36.0).reshape(6, 6)
    band = distance[1:4, 1:4].sum() - distance[2, 2]
    assert float(edge_error(soft, jnp.zeros((6, 6)), distance, 1)) == pytest.approx(float(band))
    hidden = jnp.zeros((6, 6)).at[2, 2].set(-1)
    assert float(edge_error(soft, hidden, distance, 1)) == 0


def test_offscreen_is_zero_inside_and_linear_beyond() -> None:
    px = jnp.array([[0.0, 64.0], [32.0, 32.0], [96.0, 32.0], [32.0, -16.0], [500.0, 32.0]])
    depth = jnp.array([1.0, -0.5, 1.0, 12.0, 1.0])
    counts = jnp.array([True, True, True, True, False])
    one_by_one = [offscreen(px, depth, jnp.arange(5) == k, 64, jnp.float32(10)) for k in range(4)]
    np.testing.assert_allclose(one_by_one, [0, 0.5, 1.0, 0.5 + 2], atol=1e-6)
    assert float(offscreen(px, depth, counts, 64, jnp.float32(10))) == pytest.approx(4.0)


def test_gradients_equal_finite_differences(check_gradient: Callable[..., None]) -> None:
    with jax.enable_x64(True):
        rng = np.random.default_rng(1)
        soft, distance = jnp.asarray(rng.uniform(size=(6, 6))), jnp.asarray(rng.uniform(size=(6, 6)))
        target, px = jnp.asarray(np.asarray(TARGET, np.float64)), jnp.asarray(rng.uniform(-30, 90, (9, 2)))
        check_gradient(lambda s: crop_silhouette(s, target), soft)
        check_gradient(lambda s: edge_error(s, target, distance, 2), soft)
        depth = jnp.asarray(rng.uniform(-1, 3, 9))
        check_gradient(lambda p, z: offscreen(p, z, jnp.ones(9, bool), 64, jnp.float64(2)), px, depth)
