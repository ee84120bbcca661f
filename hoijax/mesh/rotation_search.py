"""Which way round an object is: many rotations scored at once by the overlap of small silhouettes with a mask.

The silhouettes are those of points on the surface, thrown on a small grid and closed: no edges, no capacity, one scatter
for all rotations. Each is first fitted to the mask in size and place, so the rotation alone is compared.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from hoijax.geometry import quaternion_matrix, rotation_matrix

ROUNDS = 3  # of size and place


class MaskGrid(NamedTuple):
    """A mask on a square grid. What falls on `hidden` cells does not count: something before the object hides it."""

    mask: Bool[Array, "n n"]
    hidden: Bool[Array, "n n"]


def uniform_rotations(count: int) -> Float[Array, "count 3 3"]:
    """Rotations spread evenly over all: super-Fibonacci spirals (Alexa 2022, Alg. 1).

    q_i = (r sin a, r cos a, R sin b, R cos b), s = i + 1/2, r = sqrt(s / n), R = sqrt(1 - s / n), a = 2 pi s / sqrt 2,
    b = 2 pi s / psi with psi^4 = psi + 4.
    """
    s = np.arange(count) + 0.5
    inner, outer = np.sqrt(s / count), np.sqrt(1 - s / count)
    a, b = 2 * np.pi * s / np.sqrt(2), 2 * np.pi * s / 1.533751168755204288118041
    quat = np.stack([inner * np.sin(a), inner * np.cos(a), outer * np.sin(b), outer * np.cos(b)], -1)
    return quaternion_matrix(jnp.asarray(quat, jnp.float32))


def nearby_rotations(count: int, most: float) -> Float[Array, "count 3 3"]:
    """Rotations by at most `most` radians, their rotation vectors spread evenly over the ball; none is the first.

    Fibonacci spiral for the direction, |v| = most (i / n)^(1/3) in an order that ties neither to the other.
    """
    k = np.arange(count)
    height = 1 - 2 * (k + 0.5) / count
    angle = np.pi * (1 + 5**0.5) * k
    radius = np.sqrt(1 - height**2)
    direction = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], -1)
    length = most * np.cbrt((k * 0.7548776662466927) % 1)
    return rotation_matrix(jnp.asarray(length[:, None] * direction, jnp.float32))


@partial(jax.jit, static_argnames=("batch",))
def silhouette_overlaps(
    points: Float[Array, "p 3"],
    rotations: Float[Array, "r 3 3"],
    grid: MaskGrid,
    nearness: Float[Array, ""],
    batch: int = 256,
) -> Float[Array, " r"]:
    """IoU, outside of the hidden cells, of the mask with the silhouette of R p in its best size and place.

    `points` on the surface, about the object's middle; the pixel of x = R p is (x, y) / (1 + nearness z), nearness = size of
    one unit of p over the distance. `batch` rotations at a time bound the memory.
    Gradient: none, the grid counts.
    """
    return jax.lax.map(lambda turn: _overlap(points @ turn.T, grid, nearness), rotations, batch_size=batch)


@partial(jax.jit, static_argnames=("side", "batch"))
def silhouette_views(
    points: Float[Array, "p 3"], rotations: Float[Array, "r 3 3"], side: int, batch: int = 256
) -> Bool[Array, "r n n"]:
    """Silhouettes of R p seen from afar on `side` x `side` cells: the longer side of each fills the grid, in its middle.

    Gradient: none, they are counted.
    """
    return jax.lax.map(lambda turn: _view(points @ turn.T, side), rotations, batch_size=batch)


def _view(turned: Float[Array, "p 3"], side: int) -> Bool[Array, "n n"]:
    uv = turned[:, :2]
    low, high = uv.min(0), uv.max(0)
    factor = (side - 1e-3) / jnp.maximum((high - low).max(), 1e-9)
    column, row = jnp.floor(factor * (uv - (low + high) / 2) + side / 2).astype(jnp.int32).T
    drawn = jnp.zeros(side * side, bool).at[row * side + column].set(True, mode="drop")
    return _closed(drawn.reshape(side, side))


def _overlap(turned: Float[Array, "p 3"], grid: MaskGrid, nearness: Float[Array, ""]) -> Float[Array, ""]:
    """For one rotation: box of the visible part fitted to the box of the mask, in rounds; then counted."""
    side = grid.mask.shape[0]
    uv = turned[:, :2] / jnp.maximum(1 + nearness * turned[:, 2:], 0.1)
    goal = _cell_box(grid.mask)
    visible = jnp.ones(len(uv), bool)
    for _ in range(ROUNDS):
        low = jnp.where(visible[:, None], uv, jnp.inf).min(0)
        high = jnp.where(visible[:, None], uv, -jnp.inf).max(0)
        factor = jnp.linalg.norm(goal[1] - goal[0]) / jnp.maximum(jnp.linalg.norm(high - low), 1e-9)
        place = factor * (uv - (low + high) / 2) + goal.mean(0)
        cell = jnp.floor(place).astype(jnp.int32)
        inside = ((cell >= 0) & (cell < side)).all(1)
        column, row = jnp.clip(cell, 0, side - 1).T
        seen = ~(inside & grid.hidden[row, column])
        visible = jnp.where(seen.any(), seen, True)
    drawn = jnp.zeros(side * side, bool).at[jnp.where(inside, row * side + column, side * side)].set(True, mode="drop")
    shape = _closed(drawn.reshape(side, side)) & ~grid.hidden
    target = grid.mask & ~grid.hidden
    return (shape & target).sum() / jnp.maximum((shape | target).sum(), 1)


def _cell_box(mask: Bool[Array, "n n"]) -> Float[Array, "2 2"]:
    """Lower and upper corner (x, y) around the cells of a mask."""
    axis = jnp.arange(mask.shape[0])
    corners = [
        (jnp.where(used, axis, mask.shape[0]).min(), jnp.where(used, axis + 1, 0).max())
        for used in (mask.any(0), mask.any(1))
    ]
    return jnp.asarray(corners, jnp.float32).T


def _closed(image: Bool[Array, "n n"]) -> Bool[Array, "n n"]:
    """Holes of one cell filled: dilated, then eroded, by one cell to all sides."""
    return ~_grown(~_grown(image))


def _grown(image: Bool[Array, "n n"]) -> Bool[Array, "n n"]:
    rows = image | jnp.pad(image, ((1, 0), (0, 0)))[:-1] | jnp.pad(image, ((0, 1), (0, 0)))[1:]
    return rows | jnp.pad(rows, ((0, 0), (1, 0)))[:, :-1] | jnp.pad(rows, ((0, 0), (0, 1)))[:, 1:]


def ranked(scores: Float[Array, " r"], count: int) -> Int[Array, " k"]:
    """Indices of the highest scores, best first."""
    return jax.lax.top_k(scores, min(count, scores.shape[0]))[1]
