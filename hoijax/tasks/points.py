"""Sampling and grouping of a point cloud (Qi et al., PointNet++, NeurIPS 2017, section 3.2); `vmap` for many."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int


class Grouping(NamedTuple):
    """Which of a cloud's points are centres, and which belong to each of them."""

    centers: Int[Array | np.ndarray, "*b c"]
    members: Int[Array | np.ndarray, "*b c k"]


def farthest_points(points: Float[Array, "n 3"], count: int, first: int = 0) -> Int[Array, " c"]:
    """Indices of `count` points: after `first`, each is the point farthest from all that are chosen already.

    Of equally far ones that of the lowest index. With count > n points repeat. No gradient.
    """

    def choose(
        carry: tuple[Int[Array, " c"], Float[Array, " n"]], k: Int[Array, ""]
    ) -> tuple[tuple[Int[Array, " c"], Float[Array, " n"]], None]:
        chosen, nearest = carry
        nearest = jnp.minimum(nearest, jnp.sum((points - points[chosen[k - 1]]) ** 2, -1))
        return (chosen.at[k].set(jnp.argmax(nearest)), nearest), None

    start = jnp.zeros(count, jnp.int32).at[0].set(first), jnp.full(len(points), jnp.inf, points.dtype)
    (chosen, _), _ = jax.lax.scan(choose, start, jnp.arange(1, count))
    return chosen


def ball_query(
    points: Float[Array, "n 3"], centers: Float[Array, "c 3"], radius: float, count: int
) -> Int[Array, "c k"]:
    """For each centre the indices of the first `count` points within `radius`, in the order of the cloud.

    A ball that holds fewer repeats its first one. One that holds none gives the point nearest to the centre, so that
    the group is never of points elsewhere. No gradient.
    """
    squared = jnp.sum((centers[:, None] - points[None]) ** 2, -1)
    inside = squared <= radius**2
    order = jnp.where(inside, jnp.arange(len(points)), len(points))
    found = -jax.lax.top_k(-order, min(count, len(points)))[0]
    found = jnp.pad(found, ((0, 0), (0, count - found.shape[1])), constant_values=len(points))
    first = jnp.where(inside.any(1), found[:, 0], jnp.argmin(squared, 1))
    return jnp.where(found < len(points), found, first[:, None]).astype(jnp.int32)


def grouped(
    points: Float[Array, "n 3"],
    features: Float[Array, "n d"],
    centers: Float[Array, "c 3"],
    groups: Int[Array, "c k"],
    radius: float,
) -> Float[Array, "c k 3+d"]:
    """Each group's points relative to their centre, in units of the radius, beside their features."""
    relative = (points[groups] - centers[:, None]) / radius
    return jnp.concatenate([relative, features[groups]], -1)
