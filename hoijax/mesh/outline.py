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
    centres owns segments 2 * (i * (w - 1) + j) and the one after.
    """

    point: Float[Array, "c 2"]
    edge: Int[Array, " c"]
    ends: Int[Array, "s 2"]


def outline(
    corners: Float[Array, "f 3 2"], drawn: Bool[Array, " f"], size: tuple[int, int], chunk: int
) -> tuple[Bool[Array, "h w"], Outline]:
    """Hard coverage of the pixel centres by the triangles that are `drawn` (corners in pixels), and its outline."""
    rows = row_table(corners, drawn, size[0])
    columns = row_table(corners[..., ::-1], drawn, size[1])
    covered = _coverage(rows, size, chunk)
    x, y, row_edge = _crossings(rows, covered, chunk)
    v, u, column_edge = _crossings(columns, covered.T, chunk)
    point = jnp.stack([jnp.concatenate([x, u]), jnp.concatenate([y, v])], -1)
    return covered, Outline(point, jnp.concatenate([row_edge, column_edge]), _segments(covered))


def nearest_segment(
    shape: Outline, size: tuple[int, int], reach: int, chunk: int = 256
) -> tuple[Float[Array, "h w"], Int[Array, "h w"]]:
    """Squared distance (px^2) of each pixel centre to the nearest segment, and that segment.

    Complete up to `reach` pixels: each segment offers itself to the 2 reach x 2 reach pixels about its square. Where
    nothing is offered the distance is infinite and the segment -1.
    """
    height, width = size
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
        i = (square // (width - 1))[:, None, None] + window[:, None]
        j = (square % (width - 1))[:, None, None] + window
        a, b = (shape.point[shape.ends[segment, k]][:, None, None] for k in range(2))
        pixel = (jnp.stack(jnp.broadcast_arrays(j, i), -1) + 0.5).astype(a.dtype)
        inside = (number < until[-1])[:, None, None] & (i >= 0) & (i < height) & (j >= 0) & (j < width)
        cell = jnp.where(inside, i * width + j, height * width)
        squared = ((pixel - a - along(pixel, a, b)[..., None] * (b - a)) ** 2).sum(-1)
        return done + chunk, scatter_nearest(
            *buffers, cell, squared, jnp.broadcast_to(segment[:, None, None], cell.shape)
        )

    start = (jnp.full(height * width, jnp.inf, shape.point.dtype), jnp.full(height * width, -1, jnp.int32))
    _, (squared, segment) = jax.lax.while_loop(lambda carry: carry[0] < until[-1], offer, (jnp.int32(0), start))
    return squared.reshape(size), segment.reshape(size)


def along(point: Float[Array, "*#n 2"], a: Float[Array, "*#n 2"], b: Float[Array, "*#n 2"]) -> Float[Array, "*#n"]:
    """Share of the way from a to b, in [0, 1], of that segment's nearest point to `point`."""
    step = b - a
    squared = (step**2).sum(-1)
    return jnp.clip(((point - a) * step).sum(-1) / jnp.where(squared > 0, squared, 1), 0, 1)


def _coverage(rows: RowTable, size: tuple[int, int], chunk: int) -> Bool[Array, "h w"]:
    """Coverage of pixel centres: along a row, a span adds one where it starts and takes it back where it ends."""
    height, width = size

    def count(steps: Int[Array, " n"], now: Spans) -> Int[Array, " n"]:
        first = now.row * (width + 1)
        for place, step in ((now.start, 1), (now.end, -1)):
            cell = jnp.where(now.valid, first + first_center(place, width), height * (width + 1))
            steps = steps.at[cell].add(step, mode="drop")
        return steps

    steps = fold_spans(rows, chunk, count, jnp.zeros(height * (width + 1), jnp.int32))
    return jnp.cumsum(steps.reshape(height, width + 1)[:, :width], axis=1) > 0


def _crossings(
    table: RowTable, covered: Bool[Array, "i j"], chunk: int
) -> tuple[Float[Array, " c"], Float[Array, " c"], Int[Array, " c"]]:
    """Between neighbouring centres of a line where coverage changes: the outermost span end, its line and its edge."""
    lines, length = covered.shape
    cells = lines * (length - 1)
    leaves = (covered[:, :-1] & ~covered[:, 1:]).reshape(-1)
    enters = (covered[:, 1:] & ~covered[:, :-1]).reshape(-1)

    def keep_outermost(best: tuple[Array, Array], now: Spans) -> tuple[Array, Array]:
        starts, ends = (now.start, now.start_edge, enters, 1), (now.end, now.end_edge, leaves, -1)
        for place, edge, wanted, sign in (starts, ends):
            after = first_center(place, length)
            between = now.valid & (after > 0) & (after < length)
            cell = jnp.where(between, now.row * (length - 1) + after - 1, cells)
            cell = jnp.where(wanted.at[cell].get(mode="fill", fill_value=False), cell, cells)
            best = scatter_nearest(*best, cell, sign * place, 3 * now.face + edge)
        return best

    nothing = (jnp.full(cells, jnp.inf, table.corners.dtype), jnp.full(cells, -1, jnp.int32))
    place, edge = fold_spans(table, chunk, keep_outermost, nothing)
    # Rounding may put a crossing on the other side of a centre than it is for coverage: then half-way, and no edge.
    middle = jnp.tile(jnp.arange(1, length, dtype=place.dtype), lines)
    place = jnp.where(edge < 0, middle, jnp.where(leaves, -place, place))
    return place, jnp.repeat(jnp.arange(lines, dtype=place.dtype) + 0.5, length - 1), edge


def _segments(covered: Bool[Array, "h w"]) -> Int[Array, "s 2"]:
    """Marching squares: the two crossings that each segment joins, -1 where there is none; two slots a square."""
    height, width = covered.shape
    i, j = jnp.meshgrid(jnp.arange(height - 1), jnp.arange(width - 1), indexing="ij")
    columns = height * (width - 1)
    top, bottom = i * (width - 1) + j, (i + 1) * (width - 1) + j
    left, right = columns + j * (height - 1) + i, columns + (j + 1) * (height - 1) + i
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
