"""The oracle against what can be worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.config import Capacity
from hoijax.splats.dense import rasterize_dense
from hoijax.types import Camera, Gaussians, Renders

CAMERA = Camera(jnp.array([100.0, 100.0]), jnp.array([4.5, 3.5]))
SIZE = (7, 9)
RGB = jnp.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])


def draw(depths: list[float], opacities: list[float], is_object: list[bool], variance: float = 0.0) -> Renders:
    """Gaussians on the optical axis, which meets the centre of pixel (3, 4)."""
    n = len(depths)
    means = jnp.array([[0.0, 0, z] for z in depths])
    covs = jnp.broadcast_to(variance * jnp.eye(3), (n, 3, 3))
    gaussians = Gaussians(means, covs, jnp.array(opacities), RGB[:n])
    render = jax.jit(rasterize_dense, static_argnums=(3, 4))
    return render(gaussians, jnp.array(is_object), CAMERA, SIZE, Capacity(1, 1))


def test_one_gaussian_falls_off_as_its_covariance_says() -> None:
    frame = draw([2.0], [0.8], [False], variance=4e-4).joint  # 0.02 m at 2 m and 100 px: 1 px, and 0.3 px^2
    y, x = np.mgrid[-3:4, -4:5]
    expected = 0.8 * np.exp(-0.5 * (x * x + y * y) / 1.3)
    expected = np.where(expected < 1 / 255, 0, expected)
    np.testing.assert_allclose(frame.alpha, expected, atol=1e-6)
    np.testing.assert_allclose(frame.rgb[..., 0], expected, atol=1e-6)
    np.testing.assert_allclose(frame.depth, 2 * expected, atol=1e-6)


def test_front_to_back_whatever_the_order_given() -> None:
    renders = draw([3.0, 2.0, 4.0], [0.5, 0.4, 0.9], [False, True, False])
    weights = [0.6 * 0.5, 0.4, 0.6 * 0.5 * 0.9]
    np.testing.assert_allclose(renders.joint.rgb[3, 4], weights, atol=1e-6)
    np.testing.assert_allclose(renders.joint.depth[3, 4], np.dot(weights, [3, 2, 4]), atol=1e-6)
    np.testing.assert_allclose(renders.human.rgb[3, 4], [0.5, 0, 0.5 * 0.9], atol=1e-6)
    np.testing.assert_allclose(renders.object.rgb[3, 4], [0, 0.4, 0], atol=1e-6)


def test_alpha_is_clamped_and_what_light_hardly_reaches_is_left_out() -> None:
    renders = draw([2.0, 3.0, 4.0], [1.0, 0.98, 0.9], [False, False, False])
    # behind the second 0.01 * 0.02 of the light is left; behind the third it would be less than 1e-4
    np.testing.assert_allclose(renders.joint.rgb[3, 4], [0.99, 0.01 * 0.98, 0], atol=1e-6)


@pytest.mark.parametrize("depth", [0.0, 0.19, -2.0])
def test_what_is_behind_or_too_near_is_not_drawn(depth: float) -> None:
    assert float(jnp.abs(draw([depth], [0.9], [True]).joint.alpha).max()) == 0
