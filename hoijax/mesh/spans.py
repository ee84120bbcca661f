"""Scanline spans: which pixel centres a projected triangle covers, exactly and without cracks.

A triangle covers the centres of row i between the two points where its edges cross y = i + 0.5. Both faces of an edge
compute that crossing by the same operations on the same ordered endpoints, so they agree to the last bit; with
half-open intervals every pixel centre of a closed patch is covered exactly once. The work follows the rows that
triangles touch, not their boxes. All of this is piecewise constant: there is no gradient.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

State = TypeVar("State")


class RowTable(NamedTuple):
    """The list of all (face, row) pairs, by face and then by row, in compressed form.

    `corners` in pixels; `first_row` of each face; `rows_until`: pairs of all faces up to and with this one.
    """

    corners: Float[Array, "f 3 2"]
    first_row: Int[Array, " f"]
    rows_until: Int[Array, " f"]


class Spans(NamedTuple):
    """Intervals [start, end) of x on rows of faces, pixels. Edge k of a face runs from its corner k to the next one.

    Where `valid` is False the row misses the face and nothing else has a meaning.
    """

    face: Int[Array, " n"]
    row: Int[Array, " n"]
    start: Float[Array, " n"]
    end: Float[Array, " n"]
    start_edge: Int[Array, " n"]
    end_edge: Int[Array, " n"]
    valid: Bool[Array, " n"]


def row_table(corners: Float[Array, "f 3 2"], drawn: Bool[Array, " f"], height: int) -> RowTable:
    """The (face, row) pairs of the triangles that are `drawn` and finite, clipped to the rows of an image."""
    drawn = drawn & jnp.isfinite(corners).all((1, 2))
    y = jnp.where(drawn[:, None], corners[..., 1], 0)
    first = first_center(y.min(1), height)
    after = first_center(y.max(1), height)
    return RowTable(corners, first, jnp.cumsum(after - first))


def spans(table: RowTable, pairs: Int[Array, " n"]) -> Spans:
    """The spans of the (face, row) pairs with these positions in the list; invalid past its end."""
    last = table.rows_until.shape[0] - 1
    face = jnp.searchsorted(table.rows_until, pairs, side="right").astype(jnp.int32)
    inside = face <= last
    face = jnp.minimum(face, last)
    pairs_before = jnp.where(face > 0, table.rows_until[face - 1], 0)
    row = table.first_row[face] + pairs - pairs_before
    crossed, x = _crossings(table.corners[face], row)
    left, right = jnp.where(crossed, x, jnp.inf), jnp.where(crossed, x, -jnp.inf)
    start_edge, end_edge = left.argmin(1).astype(jnp.int32), right.argmax(1).astype(jnp.int32)
    return Spans(face, row, left.min(1), right.max(1), start_edge, end_edge, inside & (crossed.sum(1) == 2))


def fold_spans(table: RowTable, chunk: int, update: Callable[[State, Spans], State], state: State) -> State:
    """Fold `update` over all spans of a table, `chunk` at a time."""
    pairs = jnp.arange(chunk, dtype=jnp.int32)

    def step(carry: tuple[Int[Array, ""], State]) -> tuple[Int[Array, ""], State]:
        done, state = carry
        return done + chunk, update(state, spans(table, done + pairs))

    return jax.lax.while_loop(lambda carry: carry[0] < table.rows_until[-1], step, (jnp.int32(0), state))[1]


def first_center(x: Float[Array, "*n"], width: int) -> Int[Array, "*n"]:
    """Index of the first pixel whose centre is not left of x, clipped to 0 .. width."""
    return jnp.clip(jnp.ceil(x - 0.5), 0, width).astype(jnp.int32)


def _crossings(corners: Float[Array, "n 3 2"], row: Int[Array, " n"]) -> tuple[Bool[Array, "n 3"], Float[Array, "n 3"]]:
    """Whether each edge crosses the row's centre line, and at which x. Endpoints are ordered by y first."""
    y = (row + 0.5).astype(corners.dtype)[:, None]
    following = jnp.roll(corners, -1, 1)
    swapped = corners[..., 1:] > following[..., 1:]
    top = jnp.where(swapped, following, corners)
    bottom = jnp.where(swapped, corners, following)
    crossed = (top[..., 1] <= y) & (y < bottom[..., 1])
    rise = jnp.where(crossed, bottom[..., 1] - top[..., 1], 1)
    return crossed, top[..., 0] + (y - top[..., 1]) * ((bottom[..., 0] - top[..., 0]) / rise)
