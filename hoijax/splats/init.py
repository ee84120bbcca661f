"""Gaussians on vertices: where they start, and how they are posed."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from scipy.spatial import cKDTree

from hoijax.geometry import product, quaternion_matrix
from hoijax.types import Gaussians, Splats

HIDDEN_OPACITY = 1e-5  # under 1/255: never drawn, gradient exactly 0
LEAST_SQUARED_DISTANCE = 1e-7  # m^2: vertices that coincide get Gaussians of 0.3 mm


def mean_squared_neighbour_distance(
    points: Float[np.ndarray, "n 3"], valid: Bool[np.ndarray, " n"], k: int = 3
) -> Float[np.ndarray, " n"]:
    """Mean squared distance (m^2) of each valid point to its k nearest valid neighbours, or to all when fewer. Else 0.

    On the host, in float64.
    """
    result = np.zeros(len(points))
    present = np.asarray(points, np.float64)[valid]
    k = min(k, len(present) - 1)
    if k > 0:
        distance, _ = cKDTree(present).query(present, k=k + 1)  # the nearest is the point itself
        result[valid] = (distance[:, 1:] ** 2).mean(1)
    return result


def init_splats(
    verts: Float[Array, "n 3"],
    rgb: Float[Array, "n 3"],
    size_factor: float,
    opacity: float | Float[Array, ""],
    hidden: Bool[Array, " n"],
    d2: Float[Array, " n"],
) -> Splats:
    """Round Gaussians of scale sqrt(size_factor * d2) (method: Open3DHOI 4.3), one on each vertex.

    `d2`: `mean_squared_neighbour_distance`. `hidden` ones (vertices that face away, padding) start at opacity 1e-5:
    they are not drawn and nothing moves them.
    """
    log_scale = 0.5 * jnp.log(size_factor * jnp.maximum(d2, LEAST_SQUARED_DISTANCE))
    start = jnp.where(hidden, HIDDEN_OPACITY, opacity).astype(verts.dtype)
    return Splats(
        log_scale=jnp.broadcast_to(log_scale.astype(verts.dtype)[:, None], verts.shape),
        quat=jnp.zeros((len(verts), 4), verts.dtype).at[:, 0].set(1),
        logit_opacity=jnp.log(start) - jnp.log1p(-start),
        rgb=rgb,
    )


def pose_splats(
    splats: Splats, means: Float[Array, "n 3"], frames: Float[Array, "n 3 3"], scale: float | Float[Array, ""] = 1.0
) -> Gaussians:
    """Gaussians at `means` with cov = s^2 F R diag(exp(log_scale))^2 R^T F^T (Open3DHOI Eq. 3).

    F: `frames`, R: the splat's own rotation, s: `scale`. Colours go through as they are: clamping them to [0, 1] would
    end their gradient, so a render may leave the range where the colours have.
    """
    axes = product(frames, quaternion_matrix(splats.quat)) * (scale * jnp.exp(splats.log_scale))[:, None]
    covs = product(axes, axes.mT)  # batched products: sums over axes of length 3 are several times slower
    return Gaussians(means, covs, jax.nn.sigmoid(splats.logit_opacity), splats.rgb)


def concat_gaussians(first: Gaussians, second: Gaussians) -> Gaussians:
    """Both sets as one, the first in front."""
    return Gaussians(*(jnp.concatenate(pair) for pair in zip(first, second)))
