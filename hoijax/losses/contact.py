"""Contact: which Gaussians touch (Open3DHOI Eq. 4), and the loss that closes the gap between the two contact sets."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from hoijax.mesh.nearest import nearest


class ContactSet(NamedTuple):
    """A region packed to a fixed capacity: indices of its points, which entries are real, how many did not fit."""

    index: Int[Array, " k"]  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    valid: Bool[Array, " k"]
    left_out: Int[Array, ""]


def contact_score(
    opacity: Float[Array, " n"],
    squared_distance: Float[Array, " n"],
    valid: Bool[Array, " n"],
    opacity_weight: float = 0.2,
    distance_weight: float = 0.8,
) -> Float[Array, " n"]:
    """c = w_a Norm(opacity) + w_d Norm(d^2) in [0, w_a + w_d]: **low means contact** (Open3DHOI Eq. 4).

    d is the distance to the nearest valid point of the other one. Hidden points keep a low opacity, and contact hides.
    Points that are not valid get the highest score.
    """
    score = opacity_weight * normalized(opacity, valid) + distance_weight * normalized(squared_distance, valid)
    return jnp.where(valid, score, opacity_weight + distance_weight)


def contact_region(
    opacity: Float[Array, " n"],
    squared_distance: Float[Array, " n"],
    valid: Bool[Array, " n"],
    distance_threshold: float = 0.05,
    opacity_threshold: float = 0.05,
) -> Bool[Array, " n"]:
    """Valid points with Norm(d^2) and Norm(opacity) both under their thresholds."""
    near = normalized(squared_distance, valid) < distance_threshold
    hidden = normalized(opacity, valid) < opacity_threshold
    return valid & near & hidden


def normalized(value: Float[Array, " n"], valid: Bool[Array, " n"]) -> Float[Array, " n"]:
    """Norm of Eq. 4: (x - min) / (max - min) over the valid entries; 0 where they are all equal or not valid."""
    low = jnp.where(valid, value, jnp.inf).min()
    span = jnp.where(valid, value, -jnp.inf).max() - low
    spread = valid & (span > 0)
    return jnp.where(spread, jnp.where(spread, value - low, 0) / jnp.where(span > 0, span, 1), 0)


def contact_set(region: Bool[Array, " n"], score: Float[Array, " n"], capacity: int) -> ContactSet:
    """Packs a region into at most `capacity` points, the lowest scores first; `left_out` counts those beyond."""
    capacity = min(capacity, region.shape[0])
    lowest, index = lax.top_k(jnp.where(region, -score, -jnp.inf), capacity)
    return ContactSet(index, lowest > -jnp.inf, jnp.maximum(region.sum() - capacity, 0))


def is_empty(human_region: Bool[Array, " v"], object_region: Bool[Array, " o"]) -> Bool[Array, ""]:
    """Whether there is nothing to bring into contact: one of the regions, or both, has no point."""
    return ~(human_region.any() & object_region.any())


def contact(
    human_points: Float[Array, "v 3"],
    human_region: Bool[Array, " v"],
    object_points: Float[Array, "o 3"],
    object_region: Bool[Array, " o"],
) -> Float[Array, ""]:
    """mean_i min_j |h_i - o_j|^2 + mean_j min_i |h_i - o_j|^2 over the contact regions, square metres (Eq. 6).

    Zero, with zero gradient, where a region is empty (see `is_empty`).

    Gradient: which point is nearest is constant.
    """
    return _one_way(human_points, human_region, object_points, object_region) + _one_way(
        object_points, object_region, human_points, human_region
    )


def _one_way(
    points: Float[Array, "n 3"],
    region: Bool[Array, " n"],
    others: Float[Array, "m 3"],
    others_region: Bool[Array, " m"],
) -> Float[Array, ""]:
    """Mean squared distance from the region's points to the nearest of the other region; 0 where one is empty."""
    index = nearest(lax.stop_gradient(points), lax.stop_gradient(others), others_region).index
    counted = region & others_region.any()
    offset = jnp.where(counted[:, None], points - others[index], 0)
    return (offset**2).sum() / jnp.maximum(counted.sum(), 1)
