"""Scenes for the tests of the splats: what a rasterizer meets, small, and one of the size of a real photograph."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.splats.init import mean_squared_neighbour_distance
from hoijax.types import Camera, Gaussians


class Drawing(NamedTuple):
    """Arguments of `rasterize`, without capacity."""

    gaussians: Gaussians
    is_object: jax.Array
    camera: Camera
    size: tuple[int, int]

    def cast(self, dtype: type) -> "Drawing":
        """The same with another float type."""
        gaussians, camera = jax.tree.map(lambda x: jnp.asarray(x, dtype), (self.gaussians, self.camera))
        return Drawing(gaussians, jnp.asarray(self.is_object), camera, self.size)


@pytest.fixture(scope="session")
def random_drawing() -> Callable[..., Drawing]:
    """Gaussians of all shapes over the image and a little beyond its border, in float64 numpy."""

    def make(
        n: int = 400,
        size: tuple[int, int] = (37, 50),
        seed: int = 0,
        opacity: tuple[float, float] = (0.02, 0.999),
        scale: tuple[float, float] = (0.005, 0.15),
        objects: float = 0.4,
    ) -> Drawing:
        rng = np.random.default_rng(seed)
        h, w = size
        focal, center = np.array([60.0, 66.0]), np.array([0.45 * w, 0.55 * h])
        pixel = rng.uniform(-5, [w + 5, h + 5], (n, 2))
        depth = rng.uniform(2, 4, (n, 1))
        means = np.concatenate([(pixel - center) / focal * depth, depth], 1)
        axes = np.linalg.qr(rng.normal(size=(n, 3, 3)))[0] * np.exp(rng.uniform(*np.log(scale), (n, 1, 3)))
        covs = axes @ axes.transpose(0, 2, 1)
        gaussians = Gaussians(means, covs, rng.uniform(*opacity, n), rng.uniform(0, 1, (n, 3)))
        return Drawing(gaussians, rng.uniform(size=n) < objects, Camera(focal, center), size)

    return make


@pytest.fixture(scope="session")
def full_size_drawing() -> Drawing:
    """10,475 human and 4,002 object Gaussians on 256 x 171 pixels at 20 m: dense hands and face, grown opacities."""
    rng = np.random.default_rng(0)
    # centre (m), radii (m), points: torso, legs, arms, head, hands; then a basket held before the belly
    parts = [
        ((0, 0, 0), (0.2, 0.35, 0.12), 2500),
        ((-0.1, 0.65, 0), (0.08, 0.4, 0.09), 1100),
        ((0.1, 0.65, 0), (0.08, 0.4, 0.09), 1100),
        ((-0.3, 0, -0.1), (0.06, 0.3, 0.06), 900),
        ((0.3, 0, -0.1), (0.06, 0.3, 0.06), 900),
        ((0, -0.5, 0), (0.09, 0.13, 0.1), 2475),
        ((-0.25, 0.25, -0.3), (0.04, 0.05, 0.03), 750),
        ((0.25, 0.25, -0.3), (0.04, 0.05, 0.03), 750),
        ((0, 0.25, -0.3), (0.25, 0.15, 0.15), 4002),
    ]
    points = []
    for center, radii, count in parts:
        direction = rng.normal(size=(count, 3))
        points.append(np.array(center) + np.array(radii) * direction / np.linalg.norm(direction, axis=1, keepdims=True))
    means = np.concatenate(points) + [0, 0.1, 20]
    n, n_object = len(means), parts[-1][2]
    is_object = np.arange(n) >= n - n_object
    all_points = np.ones(n, bool)
    d2 = np.concatenate([mean_squared_neighbour_distance(p, all_points[: len(p)]) for p in points])
    scale = np.sqrt(np.where(is_object, d2, 0.1 * d2))[:, None] * np.exp(rng.normal(0, 0.3, (n, 3)))
    axes = np.linalg.qr(rng.normal(size=(n, 3, 3)))[0] * scale[:, None]
    hidden = ~is_object & (rng.uniform(size=n) < 0.4)
    opacity = np.where(hidden, 1e-5, rng.uniform(0.1, 0.99, n))
    gaussians = Gaussians(means, axes @ axes.transpose(0, 2, 1), opacity, rng.uniform(0, 1, (n, 3)))
    camera = Camera(np.array([2700.0, 2700.0]), np.array([85.0, 120.0]))
    return Drawing(gaussians, is_object, camera, (256, 171))
