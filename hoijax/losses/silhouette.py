"""PHOSA's silhouette losses in a crop around the object (Zhang et al., ECCV 2020).

A target is 1 on the object, 0 on the background and -1 where nothing is known; with it, keep = target >= 0 and
ref = target > 0.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def silhouette_error(soft: Float[Array, "c c"], target: Float[Array, "c c"]) -> Float[Array, ""]:
    """sum (keep S - ref)^2 over the pixels of the crop."""
    return ((kept(soft, target) - (target > 0)) ** 2).sum()


def crop_silhouette(soft: Float[Array, "c c"], target: Float[Array, "c c"]) -> Float[Array, ""]:
    """sum (keep S - ref)^2 / sum keep: the mean over the pixels of which something is known; 0 where there are none."""
    return silhouette_error(soft, target) / jnp.maximum((target >= 0).sum(), 1)


def edge_error(
    soft: Float[Array, "c c"], target: Float[Array, "c c"], root_distance: Float[Array, "c c"], radius: int
) -> Float[Array, ""]:
    """sum E(keep S) sqrt(D): the silhouette's edge pays for its distance D (pixels) to the edge of ref."""
    return (edge(kept(soft, target), radius) * root_distance).sum()


def offscreen(
    px: Float[Array, "v 2"], depth: Float[Array, " v"], counts: Array, side: int, far: Float[Array, ""]
) -> Float[Array, ""]:
    """sum relu(|x| - 1) + relu(|y| - 1) + relu(-z) + relu(z - far), (x, y) in [-1, 1] inside a crop of `side` pixels.

    Over the vertices that `counts` flags; metres for z.
    """
    beyond = jax.nn.relu(jnp.abs(2 * px / side - 1) - 1).sum(-1)
    return jnp.where(counts, beyond + jax.nn.relu(-depth) + jax.nn.relu(depth - far), 0).sum()


def kept(soft: Float[Array, "c c"], target: Float[Array, "c c"]) -> Float[Array, "c c"]:
    """keep S."""
    return jnp.where(target >= 0, soft, 0)


def edge(coverage: Float[Array, "c c"], radius: int) -> Float[Array, "c c"]:
    """E(S): the maximum over a window of 2 radius + 1 pixels, less S. A band outside of a sharp outline."""
    widest = coverage
    for axis in (0, 1):
        pads = [(radius, radius) if axis == k else (0, 0) for k in (0, 1)]
        padded = jnp.pad(widest, pads)
        size = coverage.shape[axis]
        windows = [jax.lax.slice_in_dim(padded, i, i + size, axis=axis) for i in range(2 * radius + 1)]
        widest = jnp.stack(windows).max(0)
    return widest - coverage
