"""Nearest neighbours between point sets, and the chamfer distances built on them.

Every pair is compared by coordinate differences, never by |q|^2 + |p|^2 - 2 q.p: at 30 m from the camera float32 would
lose millimetres to that. The search runs over groups of points: one fused kernel gives each query's smallest squared
distance in a group, the best group wins, and its members are compared again to find the index.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from hoijax.geometry import safe_sqrt

NO_POINT = 1e12  # squared distance to an empty set, square metres: finite, so that a mask times it is 0
_GROUP = 32  # points a kernel compares at once
_FAR = 1e18  # coordinate of a point that must lose every comparison; 3 * _FAR**2 is finite in float32


class Nearest(NamedTuple):
    """For each query, the squared distance to its nearest point (square metres) and that point's index.

    `found` is False when no point is valid; then `squared` is NO_POINT everywhere and `index` is 0.
    """

    squared: Float[Array, " q"]
    index: Int[Array, " q"]  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    found: Bool[Array, ""]


class Chamfer(NamedTuple):
    """Mean nearest distances both ways, metres and square metres. All zero, `found` False, when a set is empty."""

    a_to_b: Float[Array, ""]
    b_to_a: Float[Array, ""]
    squared_a_to_b: Float[Array, ""]
    squared_b_to_a: Float[Array, ""]
    found: Bool[Array, ""]


def nearest(
    queries: Float[Array, "q 3"],
    points: Float[Array, "p 3"],
    valid: Bool[Array, " p"] | None = None,
    chunk: int = 4096,
) -> Nearest:
    """Exact nearest valid point of every query; of equally near points, the one with the lowest index.

    Memory beyond the arguments: about q * chunk / 32 floats. Raises ValueError when there are no points at all.
    Gradient: the index is constant; `squared` is differentiable in both sets.
    """
    if points.shape[0] == 0:
        raise ValueError("nearest: points has shape (0, 3), expected at least one point (mark absent ones in `valid`)")
    if valid is None:
        valid = jnp.ones(points.shape[0], bool)
    searched = jnp.where(valid[:, None], points, _FAR)
    index = _nearest_index(jax.lax.stop_gradient(queries), jax.lax.stop_gradient(searched), chunk)
    found = valid.any()
    index = jnp.where(found, index, 0)
    squared = ((queries - jnp.where(valid[:, None], points, 0)[index]) ** 2).sum(-1)
    return Nearest(jnp.where(found, squared, NO_POINT), index, found)


def nearest_dense(
    queries: Float[Array, "q 3"], points: Float[Array, "p 3"], valid: Bool[Array, " p"] | None = None
) -> Nearest:
    """The plain twin of `nearest`: all q * p squared distances at once. For tests and small sets."""
    if valid is None:
        valid = jnp.ones(points.shape[0], bool)
    squared = ((queries[:, None] - jnp.where(valid[:, None], points, 0)) ** 2).sum(-1)
    squared = jnp.where(valid, squared, NO_POINT)
    return Nearest(squared.min(1), squared.argmin(1), valid.any())


def chamfer(
    a: Float[Array, "a 3"],
    b: Float[Array, "b 3"],
    valid_a: Bool[Array, " a"] | None = None,
    valid_b: Bool[Array, " b"] | None = None,
    chunk: int = 4096,
) -> Chamfer:
    """Means over the valid points of one set of the distance to the nearest valid point of the other, both ways.

    Gradient: that of `nearest`; the unsquared distance of two coinciding points has gradient 0.
    """
    forward = nearest(a, b, valid_b, chunk)
    backward = nearest(b, a, valid_a, chunk)
    found = forward.found & backward.found
    ways = ((forward.squared, valid_a), (backward.squared, valid_b))
    means = [_mean(safe_sqrt(squared), valid, found) for squared, valid in ways]
    squared_means = [_mean(squared, valid, found) for squared, valid in ways]
    return Chamfer(means[0], means[1], squared_means[0], squared_means[1], found)


def _mean(values: Float[Array, " n"], valid: Bool[Array, " n"] | None, found: Bool[Array, ""]) -> Float[Array, ""]:
    """Mean of the values where `valid`; zero unless `found`."""
    kept = found if valid is None else valid & found
    count = values.size if valid is None else jnp.maximum(valid.sum(), 1)
    return jnp.where(kept, values, 0).sum() / count


def _nearest_index(queries: Float[Array, "q 3"], points: Float[Array, "p 3"], chunk: int) -> Int[Array, " q"]:
    """Index of the nearest point: best group of _GROUP points first, then the best of its members."""
    blocks = _blocks(points, chunk)
    groups_per_block = blocks.shape[1]
    x, y, z = queries.T

    def group_minimum(carry: None, group: Float[Array, "g 3"]) -> tuple[None, Float[Array, " q"]]:
        squared = [(x - p[0]) ** 2 + (y - p[1]) ** 2 + (z - p[2]) ** 2 for p in group]
        return carry, jnp.stack(squared).min(0)

    def search_block(
        best: tuple[Float[Array, " q"], Int[Array, " q"]], block: tuple[Int[Array, ""], Float[Array, "n g 3"]]
    ) -> tuple[tuple[Float[Array, " q"], Int[Array, " q"]], None]:
        # The minima are written out before they are used: fused into both uses they would be computed twice.
        number, groups = block
        _, minima = jax.lax.scan(group_minimum, None, groups)
        smallest = minima.min(0)
        numbers = jnp.arange(groups_per_block, dtype=jnp.int32)[:, None]
        first = jnp.where(minima == smallest, numbers, groups_per_block).min(0)
        better = smallest < best[0]
        group = jnp.where(better, number * groups_per_block + first, best[1])
        return (jnp.where(better, smallest, best[0]), group), None

    start = (jnp.full(x.shape, jnp.inf, x.dtype), jnp.zeros(x.shape, jnp.int32))
    numbers = jnp.arange(blocks.shape[0], dtype=jnp.int32)
    (_, group), _ = jax.lax.scan(search_block, start, (numbers, blocks))
    members = blocks.reshape(-1, *blocks.shape[2:])[group]
    member = ((queries[:, None] - members) ** 2).sum(-1).argmin(1).astype(jnp.int32)
    return jnp.minimum(group * blocks.shape[2] + member, points.shape[0] - 1)


def _blocks(points: Float[Array, "p 3"], chunk: int) -> Float[Array, "b n g 3"]:
    """The points in blocks of groups of _GROUP, padded with points that are never nearest."""
    groups = -(-points.shape[0] // _GROUP)
    groups_per_block = max(1, min(groups, chunk // _GROUP))
    count = -(-groups // groups_per_block)
    total = count * groups_per_block * _GROUP
    padded = jnp.pad(points, ((0, total - points.shape[0]), (0, 0)), constant_values=_FAR)
    return padded.reshape(count, groups_per_block, _GROUP, 3)
