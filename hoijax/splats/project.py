"""Projection of 3D Gaussians to the image plane (EWA splatting: Zwicker et al. 2001; Kerbl et al. 2023, section 4)."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from hoijax.geometry import product
from hoijax.types import Camera, Gaussians

NEAR = 0.2  # metres: what is nearer to the camera plane, or behind it, is not drawn
DILATION = 0.3  # px^2 on the diagonal of every screen covariance: a low-pass filter of about one pixel
MARGIN = 0.15  # of the image's size: beyond it the perspective Jacobian is taken at the margin


class Projected(NamedTuple):
    """Gaussians on screen. Symmetric 2x2 matrices are stored as (xx, xy, yy); pixels, depth in metres."""

    mean_px: Float[Array, "n 2"]
    cov_px: Float[Array, "n 3"]
    conic: Float[Array, "n 3"]
    depth: Float[Array, " n"]


def projected(gaussians: Gaussians, camera: Camera, size: tuple[int, int]) -> Projected:
    """Screen mean, S = J cov J^T + 0.3 I, its inverse, and depth; J: Jacobian of the perspective map at the mean.

    Only the symmetric part of `covs` counts. Where depth <= NEAR the values are finite and mean nothing.
    Gradient: through J too; no further where the slope that J is taken at is held at the margin.
    """
    x, y, depth = gaussians.means.T
    inverse_depth = 1 / jnp.where(depth > NEAR, depth, 1)
    slope_x, slope_y = x * inverse_depth, y * inverse_depth
    (fx, fy), (cx, cy) = camera.focal, camera.center
    mean_px = jnp.stack([fx * slope_x + cx, fy * slope_y + cy], 1)

    h, w = size
    held_x = jnp.clip(slope_x, (-MARGIN * w - cx) / fx, ((1 + MARGIN) * w - cx) / fx)
    held_y = jnp.clip(slope_y, (-MARGIN * h - cy) / fy, ((1 + MARGIN) * h - cy) / fy)
    jx, jy, zero = fx * inverse_depth, fy * inverse_depth, jnp.zeros_like(x)
    jacobian = jnp.stack([jx, zero, -jx * held_x, zero, jy, -jy * held_y], 1).reshape(-1, 2, 3)
    cov = product(product(jacobian, gaussians.covs), jacobian.mT)
    xx, xy, yy = cov[:, 0, 0] + DILATION, (cov[:, 0, 1] + cov[:, 1, 0]) / 2, cov[:, 1, 1] + DILATION
    cov_px = jnp.stack([xx, xy, yy], 1)
    return Projected(mean_px, cov_px, _inverse(cov_px), depth)


def _inverse(cov: Float[Array, "n 3"]) -> Float[Array, "n 3"]:
    """Inverse of (xx, xy, yy). The dilation keeps the determinant off zero, also where rounding would undo it."""
    xx, xy, yy = cov.T
    least = DILATION * (xx + yy - DILATION)  # determinant of a needle (rank one) after dilation
    determinant = jnp.maximum(xx * yy - xy * xy, least / 2)
    return jnp.stack([yy, -xy, xx], 1) / determinant[:, None]
