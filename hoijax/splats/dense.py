"""The oracle: the same renders from the definition alone, every Gaussian on every pixel, derivatives by autodiff."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from hoijax.config import Capacity
from hoijax.geometry import project
from hoijax.splats.bins import ALPHA_MIN
from hoijax.splats.composite import ALPHA_MAX, TRANSMITTANCE_MIN
from hoijax.splats.project import DILATION, MARGIN, NEAR
from hoijax.types import Camera, Frame, Gaussians, Renders

CHUNK = 256  # pixels that are in memory together


def rasterize_dense(
    gaussians: Gaussians, is_object: Bool[Array, " n"], camera: Camera, size: tuple[int, int], capacity: Capacity
) -> Renders:
    """The slow twin of `rasterize`, of any float type. `capacity` is not used; nothing is counted, nothing dropped.

    Gradient: as in `rasterize`.
    """
    del capacity
    h, w = size
    y, x = jnp.meshgrid(jnp.arange(h) + 0.5, jnp.arange(w) + 0.5, indexing="ij")
    pixels = jnp.stack([x, y], -1).reshape(-1, 2).astype(gaussians.means.dtype)
    images = dense_pixels(gaussians, is_object, camera, size, pixels).reshape(h, w, 3, 5)
    joint, human, obj = (Frame(images[:, :, i, :3], images[:, :, i, 4], images[:, :, i, 3]) for i in range(3))
    nothing = jnp.zeros((), jnp.int32)
    return Renders(joint, human, obj, nothing, nothing, nothing)


def dense_pixels(
    gaussians: Gaussians,
    is_object: Bool[Array, " n"],
    camera: Camera,
    size: tuple[int, int],
    pixels: Float[Array, "p 2"],
) -> Float[Array, "p 3 5"]:
    """Red, green, blue, depth and alpha of the joint, the human and the object render at points (x, y) of the image."""
    mean, cov = _screen(gaussians, camera, size)
    depth = gaussians.means[:, 2]
    order = jnp.argsort(depth)
    opacity = jnp.where(depth > NEAR, gaussians.opacity, 0)
    rgb_z_one = jnp.concatenate([gaussians.rgb, depth[:, None], jnp.ones_like(depth)[:, None]], 1)
    sorted_ones = (x[order] for x in (mean, jnp.linalg.inv(cov), opacity, rgb_z_one, is_object))
    return jax.lax.map(jax.checkpoint(partial(_pixel, *sorted_ones)), pixels, batch_size=CHUNK)


def _screen(
    gaussians: Gaussians, camera: Camera, size: tuple[int, int]
) -> tuple[Float[Array, "n 2"], Float[Array, "n 2 2"]]:
    """Mean (pixels) and dilated covariance J cov J^T (px^2), J the Jacobian of `geometry.project` by autodiff."""
    margin = MARGIN * jnp.array(size[::-1])
    low, high = ((edge - camera.center) / camera.focal for edge in (-margin, jnp.array(size[::-1]) + margin))

    def one(mean: Array, cov: Array) -> tuple[Array, Array]:
        z = jnp.where(mean[2] > NEAR, mean[2], 1)
        slope = jnp.clip(mean[:2] / z, low, high)
        jacobian = jax.jacfwd(project)(jnp.append(slope * z, z), camera)
        screen = jacobian @ (cov + cov.T) @ jacobian.T / 2
        return project(jnp.append(mean[:2], z), camera), screen + DILATION * jnp.eye(2, dtype=screen.dtype)

    return jax.vmap(one)(gaussians.means, gaussians.covs)


def _pixel(mean: Array, conic: Array, opacity: Array, features: Array, is_object: Array, pixel: Array) -> Array:
    """Joint, human and object values (r, g, b, depth, alpha) of one pixel."""
    d = pixel - mean
    alpha = opacity * jnp.exp(-0.5 * jnp.einsum("ni,nij,nj->n", d, conic, d))
    clamped = jnp.where(alpha < ALPHA_MAX, alpha, ALPHA_MAX)
    alpha = jnp.where(alpha >= ALPHA_MIN, clamped, 0)

    a = jnp.where(jnp.stack([jnp.ones_like(is_object), ~is_object, is_object]), alpha, 0)
    behind = jnp.exp(jnp.cumsum(jnp.log1p(-a), axis=1))
    front = jnp.concatenate([jnp.ones_like(a[:, :1]), behind[:, :-1]], 1)
    return jnp.where(behind >= TRANSMITTANCE_MIN, a * front, 0) @ features
