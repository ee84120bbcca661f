"""Losses of one render against the image and its masks: L1, mask, SSIM, and the silhouette's area and centre.

Every mean is weighted by `weight`, a coverage in [0, 1] of the pixels that count; where it is zero everywhere, the loss
is zero. References (the image, the masks) are constants of a fit: `ssim_reference` does their share of the work once.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from hoijax.geometry import safe_norm

_RADIUS = 5  # the window is 11 x 11 pixels
_SIGMA = 1.5
_BLOCK = 32  # pixels a matrix product makes at once
_C1 = 0.01**2  # (K1 L)^2 and (K2 L)^2 of the SSIM paper, for a data range L of 1
_C2 = 0.03**2


class SsimReference(NamedTuple):
    """What SSIM needs of the fixed image: its planes (channels first), their local mean and local variance."""

    planes: Float[Array, "c h w"]
    mean: Float[Array, "c h w"]
    variance: Float[Array, "c h w"]


def weighted_mean(value: Float[Array, "h w"], weight: Float[Array, "h w"]) -> Float[Array, ""]:
    """sum w x / sum w; zero where no pixel has weight."""
    total = weight.sum()
    return (weight * value).sum() / jnp.where(total > 0, total, 1)


def l1(
    prediction: Float[Array, "h w c"], target: Float[Array, "h w c"], weight: Float[Array, "h w"]
) -> Float[Array, ""]:
    """Weighted mean over pixels and channels of |prediction - target|."""
    return weighted_mean(jnp.abs(prediction - target).mean(-1), weight)


def mask_l2(alpha: Float[Array, "h w"], mask: Float[Array, "h w"], weight: Float[Array, "h w"]) -> Float[Array, ""]:
    """Weighted mean over pixels of (alpha - mask)^2."""
    return weighted_mean((alpha - mask) ** 2, weight)


def object_area(alpha: Float[Array, "h w"], mask: Float[Array, "h w"]) -> Float[Array, ""]:
    """|sum alpha - sum mask|, square pixels: the difference of the two areas (a term of the released code)."""
    return jnp.abs(alpha.sum() - mask.sum())


def object_center(alpha: Float[Array, "h w"], mask: Float[Array, "h w"]) -> Float[Array, ""]:
    """Distance between the centroids of alpha and mask, pixels (a term of the released code); 0 where one is empty.

    Gradient: 0 where the centroids coincide.
    """
    offset = _centroid(alpha) - _centroid(mask)
    both = (alpha.sum() > 0) & (mask.sum() > 0)
    return safe_norm(jnp.where(both, offset, 0))


def _centroid(coverage: Float[Array, "h w"]) -> Float[Array, "2"]:
    """Mean position (x, y) in pixels under a coverage; the corner (0, 0) where it is empty."""
    h, w = coverage.shape
    total = coverage.sum()
    x = (coverage.sum(0) * (jnp.arange(w) + 0.5)).sum()
    y = (coverage.sum(1) * (jnp.arange(h) + 0.5)).sum()
    return jnp.stack([x, y]) / jnp.where(total > 0, total, 1)


def ssim(
    a: Float[Array, "h w c"], b: Float[Array, "h w c"], weight: Float[Array, "h w"] | None = None
) -> Float[Array, ""]:
    """Structural similarity of two images in [0, 1]: the mean of the SSIM map over channels and weighted pixels.

    (2 mu_a mu_b + C1)(2 cov_ab + C2) / ((mu_a^2 + mu_b^2 + C1)(var_a + var_b + C2)) in a Gaussian window of 11 x 11
    pixels, sigma 1.5 (Wang et al. 2004). Padded with zeros, since outside a render is black: the map has the full size.
    """
    return ssim_to(a, ssim_reference(b), weight)


def ssim_reference(b: Float[Array, "h w c"]) -> SsimReference:
    """The share of `ssim` that depends on the fixed image b alone."""
    planes = jnp.moveaxis(b, -1, 0)
    mean = window_mean(planes)
    return SsimReference(planes, mean, window_mean(planes**2) - mean**2)


def ssim_to(
    a: Float[Array, "h w c"], reference: SsimReference, weight: Float[Array, "h w"] | None = None
) -> Float[Array, ""]:
    """`ssim` of a to a prepared image. A pixel of zero weight still enters the windows of its neighbours."""
    similarity = ssim_map(a, reference).mean(0)
    return similarity.mean() if weight is None else weighted_mean(similarity, weight)


def ssim_map(a: Float[Array, "h w c"], reference: SsimReference) -> Float[Array, "c h w"]:
    """The SSIM of the window around each pixel, per channel."""
    planes = jnp.moveaxis(a, -1, 0)
    mean, square, product = window_mean(jnp.stack([planes, planes**2, planes * reference.planes]))
    luminance = (2 * mean * reference.mean + _C1) / (mean**2 + reference.mean**2 + _C1)
    covariance = product - mean * reference.mean
    variance = square - mean**2
    return luminance * (2 * covariance + _C2) / (variance + reference.variance + _C2)


@jax.custom_vjp
def window_mean(planes: Float[Array, "*n h w"]) -> Float[Array, "*n h w"]:
    """Gaussian window (11 taps a side, sigma 1.5, zero outside) along both axes, as products of blocks with the band.

    On a CPU this takes half the time of products with the whole band, under a quarter of that of shifted sums, under
    a tenth of a convolution's. Gradient: the window is symmetric, so its transpose is itself.
    """
    h, w = planes.shape[-2:]
    rows, columns = jnp.asarray(_band(h), planes.dtype), jnp.asarray(_band(w), planes.dtype)
    exact = lax.Precision.HIGHEST
    planes = jnp.concatenate(
        [jnp.matmul(rows[to, near], planes[..., near, :], precision=exact) for to, near in _blocks(h)], -2
    )
    return jnp.concatenate(
        [jnp.matmul(planes[..., near], columns[near, to], precision=exact) for to, near in _blocks(w)], -1
    )


window_mean.defvjp(lambda planes: (window_mean(planes), None), lambda _, cotangent: (window_mean(cotangent),))


def _blocks(size: int) -> list[tuple[slice, slice]]:
    """Blocks of pixels along an axis, each with the pixels that its windows reach."""
    starts = range(0, size, _BLOCK)
    return [(slice(i, i + _BLOCK), slice(max(i - _RADIUS, 0), i + _BLOCK + _RADIUS)) for i in starts]


def _band(size: int) -> np.ndarray:
    """The symmetric (size, size) matrix whose product is the window along one axis."""
    taps = np.exp(-0.5 * (np.arange(-_RADIUS, _RADIUS + 1) / _SIGMA) ** 2)
    taps /= taps.sum()
    offset = np.arange(size)[:, None] - np.arange(size)
    return np.where(abs(offset) <= _RADIUS, taps[np.clip(offset + _RADIUS, 0, 2 * _RADIUS)], 0)
