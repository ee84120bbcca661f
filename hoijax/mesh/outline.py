"""The visible outline of a projected mesh as a polyline with exact points, and the nearest piece of it to each pixel.

Scanlines through the pixel centres, along rows and along columns, give exact hard coverage. Between two neighbouring
centres of which one is covered they give the exact point where the outline crosses the line: the outermost span end
there. Interior contours end no union of spans, so they never appear; no edge adjacency is needed, and open, closed
and non-manifold meshes are alike. In each square of four centres the crossings are joined (marching squares) to a
polyline that separates covered from uncovered centres and lies on the true outline wherever it crosses their lines.
All of this is piecewise constant: there is no gradient.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from hoijax.mesh.scatter import scatter_nearest
from hoijax.mesh.spans import RowTable, Spans, first_center, fold_spans, row_table


class Outline(NamedTuple):
    """Crossings of the outline with lines of pixel centres, and the segments that join them.

    `point`: (x, y) of each crossing in pixels; `edge`: 3 * face + edge of the face's edge that crosses there, -1 where
    none does. `ends`: the two crossings of each segment, -1 where a segment does not exist; square (i, j) of pixel
    centres in an image of n x n owns segments 2 * (i * (n - 1) + j) and the one after.
    """

    point: Float[Array, "c 2"]
    edge: Int[Array, " c"]
    ends: Int[Array, "s 2"]


def outline(
    corners: Float[Array, "f 3 2"], drawn: Bool[Array, " f"], side: int, chunk: int
) -> tuple[Bool[Array, "n n"], Outline]:
    """Hard coverage of a square of side x side pixels by the triangles that are `drawn`, and its outline.

    `corners` in pixels. Rows and columns are treated alike: columns are the rows of the transposed image.
    """
    both_ways = jnp.stack([corners, corners[..., ::-1]])
    tables = jax.vmap(row_table, (0, None, None))(both_ways, drawn, side)
    covered = coverage(jax.tree.map(lambda values: values[0], tables), side, chunk)
    both_covered = jnp.stack([covered, covered.T])
    place, edge = jax.lax.map(lambda way: _crossings(way[0], way[1], chunk), (tables, both_covered))
    line = jnp.repeat(jnp.arange(side, dtype=place.dtype) + 0.5, side - 1)
    point = jnp.stack([jnp.concatenate([place[0], line]), jnp.concatenate([line, place[1]])], -1)
    return covered, Outline(point, edge.reshape(-1), _segments(covered))


def nearest_segment(
    shape: Outline, side: int, reach: int, chunk: int = 256
) -> tuple[Float[Array, "n n"], Int[Array, "n n"]]:
    """Squared distance (px^2) of each pixel centre to the nearest segment, and that segment.

    Complete up to `reach` pixels: each segment offers itself to the 2 reach x 2 reach pixels about its square. Where
    nothing is offered the distance is infinite and the segment -1.
    """
    exists = shape.ends[:, 0] >= 0
    until = jnp.cumsum(exists)
    window = jnp.arange(1 - reach, reach + 1)
    lanes = jnp.arange(chunk, dtype=jnp.int32)
    Carry = tuple[Int[Array, ""], tuple[Array, Array]]

    def offer(carry: Carry) -> Carry:
        done, buffers = carry
        number = done + lanes
        segment = jnp.minimum(jnp.searchsorted(until, number, side="right"), exists.size - 1).astype(jnp.int32)
        square = segment // 2
        i = (square // (side - 1))[:, None, None] + window[:, None]
        j = (square % (side - 1))[:, None, None] + window
        a, b = (shape.point[shape.ends[segment, k]][:, None, None] for k in range(2))
        pixel = (jnp.stack(jnp.broadcast_arrays(j, i), -1) + 0.5).astype(a.dtype)
        inside = (number < until[-1])[:, None, None] & (i >= 0) & (i < side) & (j >= 0) & (j < side)
        cell = jnp.where(inside, i * side + j, side * side)
        squared = ((pixel - a - along(pixel, a, b)[..., None] * (b - a)) ** 2).sum(-1)
        return done + chunk, scatter_nearest(
            *buffers, cell, squared, jnp.broadcast_to(segment[:, None, None], cell.shape)
        )

    start = (jnp.full(side * side, jnp.inf, shape.point.dtype), jnp.full(side * side, -1, jnp.int32))
    _, (squared, segment) = jax.lax.while_loop(lambda carry: carry[0] < until[-1], offer, (jnp.int32(0), start))
    return squared.reshape(side, side), segment.reshape(side, side)


def along(point: Float[Array, "*#n 2"], a: Float[Array, "*#n 2"], b: Float[Array, "*#n 2"]) -> Float[Array, "*#n"]:
    """Share of the way from a to b, in [0, 1], of that segment's nearest point to `point`."""
    step = b - a
    squared = (step**2).sum(-1)
    return jnp.clip(((point - a) * step).sum(-1) / jnp.where(squared > 0, squared, 1), 0, 1)


def coverage(rows: RowTable, side: int, chunk: int) -> Bool[Array, "n n"]:
    """Coverage of pixel centres: along a row, a span adds one where it starts and takes it back where it ends."""

    def count(steps: Int[Array, " n"], now: Spans) -> Int[Array, " n"]:
        column = first_center(jnp.concatenate([now.start, now.end]), side)
        cell = jnp.tile(now.row * (side + 1), 2) + column
        cell = jnp.where(jnp.tile(now.valid, 2), cell, side * (side + 1))
        return steps.at[cell].add(jnp.repeat(jnp.array([1, -1], steps.dtype), now.row.size), mode="drop")

    steps = fold_spans(rows, chunk, count, jnp.zeros(side * (side + 1), jnp.int32))
    return jnp.cumsum(steps.reshape(side, side + 1)[:, :side], axis=1) > 0


def _crossings(table: RowTable, covered: Bool[Array, "n n"], chunk: int) -> tuple[Float[Array, " c"], Int[Array, " c"]]:
    """Between neighbouring centres of a row where coverage changes: the outermost span end there, and its edge."""
    side = covered.shape[0]
    cells = side * (side - 1)
    leaves = (covered[:, :-1] & ~covered[:, 1:]).reshape(-1)
    enters = (covered[:, 1:] & ~covered[:, :-1]).reshape(-1)

    def keep_outermost(best: tuple[Array, Array], now: Spans) -> tuple[Array, Array]:
        place = jnp.concatenate([now.start, now.end])
        is_end = jnp.repeat(jnp.array([False, True]), now.row.size)
        after = first_center(place, side)
        between = jnp.tile(now.valid, 2) & (after > 0) & (after < side)
        cell = jnp.where(between, jnp.tile(now.row * (side - 1), 2) + after - 1, 0)
        between &= jnp.where(is_end, leaves[cell], enters[cell])
        edge = 3 * jnp.tile(now.face, 2) + jnp.concatenate([now.start_edge, now.end_edge])
        return scatter_nearest(*best, jnp.where(between, cell, cells), jnp.where(is_end, -place, place), edge)

    nothing = (jnp.full(cells, jnp.inf, table.corners.dtype), jnp.full(cells, -1, jnp.int32))
    place, edge = fold_spans(table, chunk, keep_outermost, nothing)
    # Rounding may put a crossing on the other side of a centre than it is for coverage: then half-way, and no edge.
    middle = jnp.tile(jnp.arange(1, side, dtype=place.dtype), side)
    return jnp.where(edge < 0, middle, jnp.where(leaves, -place, place)), edge


def _segments(covered: Bool[Array, "n n"]) -> Int[Array, "s 2"]:
    """Marching squares: the two crossings that each segment joins, -1 where there is none; two slots a square."""
    cells = covered.shape[0] - 1
    i, j = jnp.meshgrid(jnp.arange(cells), jnp.arange(cells), indexing="ij")
    columns = cells * (cells + 1)
    top, bottom = i * cells + j, (i + 1) * cells + j
    left, right = columns + j * cells + i, columns + (j + 1) * cells + i
    on_row = covered[:, 1:] != covered[:, :-1]
    on_column = covered[1:] != covered[:-1]
    has_top, has_bottom, has_left, has_right = on_row[:-1], on_row[1:], on_column[:, :-1], on_column[:, 1:]
    some = has_top | has_bottom | has_left
    saddle = has_top & has_bottom & has_left & has_right
    start = jnp.where(has_top, top, jnp.where(has_left, left, bottom))
    end = jnp.where(has_right, right, jnp.where(has_bottom & (start != bottom), bottom, left))
    first = jnp.where(some[..., None], jnp.stack([start, end], -1), -1)
    second = jnp.where(saddle[..., None], jnp.stack([left, bottom], -1), -1)
    return jnp.stack([first, second], 2).reshape(-1, 2).astype(jnp.int32)
