"""Compositing as a GPU kernel: `composite` of hoijax.splats.composite, one program for each list (Pallas, Triton).

A program keeps the 64 pixels of its tile in registers and walks its list: forward from front to back until no pixel lets
enough light through, backward from the last entry that was drawn to the first. An entry's gradient is a sum over the
pixels of one program, written to a row of its own; what the rows of one Gaussian come to is added up outside, so no two
programs write to one place. Sums and products are plain float32: nothing here is a matrix product.

Lists of a batch of images are one longer row of programs. On a CPU the kernel is interpreted (jax 0.6.2 or newer), which
only tests want.
"""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap
from jax.experimental import pallas
from jax.experimental.pallas import triton
from jaxtyping import Array, Float, Int

from hoijax.splats.bins import ALPHA_MIN, ITEM, TILE, Work
from hoijax.splats.composite import ALPHA_MAX, CHANNELS, COLUMNS, PIXELS, TRANSMITTANCE_MIN

ROW = 16  # columns of a gradient row: those of the table, padded to a power of two as Triton wants
# Of 32 threads. Backward sums over the pixels ten times per entry: inside of one warp that takes no barrier.
FORWARD_WARPS, BACKWARD_WARPS = 2, 1
LARGEST = 2**31  # numbers in one array: Triton counts with 32 bits


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def composite(table: Float[Array, "m 10"], work: Work, n_lists: int) -> Float[Array, "l 5 p"]:
    """As `hoijax.splats.composite.composite`, with the same gradient."""
    return _composite_forward(table, work, n_lists)[0]


def _composite_forward(table: Array, work: Work, n_lists: int) -> tuple[Array, Any]:
    spans = list_spans(work.lists, n_lists)
    out, clear, drawn = _forward(table, work.ids, work.centers, spans)
    return out, (table, work, spans, clear, drawn)


def _composite_backward(n_lists: int, residuals: Any, gradient: Array) -> tuple[Array, None]:
    table, work, spans, clear, drawn = residuals
    rows = _backward(table, work.ids, work.centers, spans, clear, drawn, gradient)
    # programs write the items of their lists only; what stands in the others is not even finite
    rows = jnp.where(jnp.arange(len(work.ids))[:, None, None] < work.used, rows[..., :COLUMNS], 0)
    return jnp.zeros_like(table).at[work.ids.reshape(-1)].add(rows.reshape(-1, COLUMNS)), None


composite.defvjp(_composite_forward, _composite_backward)


def list_spans(lists: Int[Array, " i"], n_lists: int) -> Int[Array, "l 2"]:
    """First item of each list and how many it has; `lists`: the list of each item, ascending, n_lists where unused."""
    edges = jnp.searchsorted(lists, jnp.arange(n_lists + 1)).astype(jnp.int32)
    return jnp.stack([edges[:-1], jnp.diff(edges)], 1)


@custom_vmap
def _forward(table: Array, ids: Array, centers: Array, spans: Array) -> tuple[Array, Array, Array]:
    """Composited lists; the transmittance that the drawn entries leave; how many entries (by place) each pixel drew."""
    lists, dtype = len(spans), table.dtype
    by_list = [((CHANNELS, PIXELS), dtype), ((PIXELS,), dtype), ((PIXELS,), jnp.int32)]
    out, clear, drawn = _launch(_forward_program, FORWARD_WARPS, lists, [table, ids, centers], [spans], [], by_list)
    return out, clear, drawn


@_forward.def_vmap
def _forward_images(size: int, batched: Any, *args: Array) -> tuple[Any, Any]:
    table, ids, centers, spans = _all_batched(size, batched, args)
    out = _forward(*_joined(table, ids, centers, spans))
    return tuple(x.reshape(size, -1, *x.shape[1:]) for x in out), (True, True, True)


@custom_vmap
def _backward(
    table: Array, ids: Array, centers: Array, spans: Array, clear: Array, drawn: Array, gradient: Array
) -> Float[Array, "i c r"]:
    """Gradient of the table's row behind each entry, in the first 10 columns."""
    rows = [((*ids.shape, ROW), table.dtype)]
    by_list = [spans, clear, drawn, gradient]
    return _launch(_backward_program, BACKWARD_WARPS, len(spans), [table, ids, centers], by_list, rows, [])[0]


@_backward.def_vmap
def _backward_images(size: int, batched: Any, *args: Array) -> tuple[Any, Any]:
    table, ids, centers, spans, *lists = _all_batched(size, batched, args)
    joined = _joined(table, ids, centers, spans)
    rows = _backward(*joined, *(x.reshape(-1, *x.shape[2:]) for x in lists))
    return rows.reshape(*ids.shape, ROW), True


def _all_batched(size: int, batched: Any, args: tuple[Array, ...]) -> list[Array]:
    return [x if b else jnp.broadcast_to(x, (size, *x.shape)) for x, b in zip(args, batched)]


def _joined(table: Array, ids: Array, centers: Array, spans: Array) -> tuple[Array, ...]:
    """Tables, items and lists of a batch of images in turn, as those of one image."""
    image = jnp.arange(len(table), dtype=jnp.int32)[:, None]
    ids = ids + (image * table.shape[1])[..., None]
    spans = spans.at[..., 0].add(image * ids.shape[1])
    return tuple(x.reshape(-1, *x.shape[2:]) for x in (table, ids, centers, spans))


def _launch(
    program: Any,
    warps: int,
    lists: int,
    whole: list[Array],
    by_list: list[Array],
    out_whole: list[Any],
    out_by_list: list[Any],
) -> tuple[Array, ...]:
    """Runs `program` once for each list: it sees all of `whole`, and of `by_list` what belongs to its list.

    `out_whole` and `out_by_list`: shape and type of what it writes. Raises ValueError where an array is too long.
    """
    for shape, _ in out_whole:
        if math.prod(shape) >= LARGEST:
            raise ValueError(f"an array of {shape} numbers is too long for the kernel (2^31); draw smaller batches")

    def all_of(shape: tuple[int, ...]) -> Any:
        return pallas.BlockSpec(shape, lambda _: (0,) * len(shape))

    def own_of(shape: tuple[int, ...]) -> Any:
        return pallas.BlockSpec((1, *shape), lambda i: (i, *(0,) * len(shape)))

    call = partial(
        pallas.pallas_call,
        program,
        grid=(lists,),
        in_specs=[all_of(x.shape) for x in whole] + [own_of(x.shape[1:]) for x in by_list],
        out_specs=[all_of(shape) for shape, _ in out_whole] + [own_of(shape) for shape, _ in out_by_list],
        out_shape=[jax.ShapeDtypeStruct(*x) for x in out_whole]
        + [jax.ShapeDtypeStruct((lists, *shape), dtype) for shape, dtype in out_by_list],
    )
    choice = {"cpu": call(interpret=True), "default": call(compiler_params=_triton_options(warps))}
    return tuple(jax.lax.platform_dependent(*whole, *by_list, **choice))


def _triton_options(warps: int) -> Any:
    """Asks for Triton, which is not the default of every jax; jax 0.6 has the older name."""
    options = getattr(triton, "CompilerParams", None) or getattr(triton, "TritonCompilerParams")  # noqa: B009
    return options(num_warps=warps, num_stages=1)


def _forward_program(table: Any, ids: Any, centers: Any, span: Any, out: Any, clear_out: Any, drawn_out: Any) -> None:
    first, count = span[0, 0], span[0, 1]
    x, y = _pixels(centers, first, table.dtype)
    nothing = jnp.zeros_like(x)

    def more(state: tuple) -> Array:
        item, (through, *_) = state
        return (item < count) & (jnp.max(through) >= TRANSMITTANCE_MIN)

    def draw_item(state: tuple) -> tuple:
        item, (through, clear, drawn, *sums) = state
        for place in range(ITEM):
            shape, features = _row(table, ids[first + item, place])
            alpha, *_ = _alpha(shape, x, y)
            weight = alpha * through
            through = through * (1 - alpha)
            seen = through >= TRANSMITTANCE_MIN
            weight = jnp.where(seen, weight, 0)
            clear, drawn = jnp.where(seen, through, clear), jnp.where(seen, item * ITEM + place + 1, drawn)
            sums = [total + weight * f for total, f in zip(sums, features)] + [sums[-1] + weight]
        return item + 1, (through, clear, drawn, *sums)

    start = (nothing + 1, nothing + 1, nothing.astype(jnp.int32), *(nothing,) * CHANNELS)
    _, (_, clear, drawn, *sums) = jax.lax.while_loop(more, draw_item, (jnp.int32(0), start))
    clear_out[0, :], drawn_out[0, :] = clear, drawn
    for channel, total in enumerate(sums):
        out[0, channel, :] = total


def _backward_program(
    table: Any, ids: Any, centers: Any, span: Any, clear: Any, drawn: Any, gradient: Any, rows: Any
) -> None:
    first, count = span[0, 0], span[0, 1]
    x, y = _pixels(centers, first, table.dtype)
    drawn = drawn[0, :]
    reached = (jnp.max(drawn) + ITEM - 1) // ITEM
    gradient = [gradient[0, channel, :] for channel in range(CHANNELS)]
    column = jnp.arange(ROW)

    def no_gradient(item: Array, _: Any) -> None:
        rows[first + item, :, :] = jnp.zeros((ITEM, ROW), table.dtype)

    def item_gradient(j: Array, state: tuple) -> tuple:
        through, behind = state
        item = reached - 1 - j
        for place in reversed(range(ITEM)):
            shape, features = _row(table, ids[first + item, place])
            alpha, dx, dy = _alpha(shape, x, y)
            alpha = jnp.where(item * ITEM + place < drawn, alpha, 0)
            through = through / (1 - alpha)
            weight = alpha * through
            q = weight * (sum(g * f for g, f in zip(gradient, features)) + gradient[-1])
            d_log_alpha = jnp.where(alpha < ALPHA_MAX, q - behind * alpha / (1 - alpha), 0)
            behind = behind + q
            sums = [*_shape_gradient(shape, dx, dy, d_log_alpha), *(jnp.sum(weight * g) for g in gradient[:-1])]
            rows[first + item, place, :] = sum(jnp.where(column == i, total, 0) for i, total in enumerate(sums))
        return through, behind

    jax.lax.fori_loop(reached, count, no_gradient, None)
    jax.lax.fori_loop(0, reached, item_gradient, (clear[0, :], jnp.zeros_like(x)))


def _pixels(centers: Any, first: Array, dtype: Any) -> tuple[Array, Array]:
    """x and y of the tile's pixel centres, where a list that is empty has no tile and does not care."""
    first = jnp.minimum(first, centers.shape[0] - 1)
    pixel = jnp.arange(PIXELS)
    x, y = ((part.astype(dtype) + (0.5 - TILE / 2)) for part in (pixel % TILE, pixel // TILE))
    return centers[first, 0] + x, centers[first, 1] + y


def _row(table: Any, row: Array) -> tuple[list[Array], list[Array]]:
    """Mean, conic and log opacity; red, green, blue and depth."""
    values = [table[row, column] for column in range(COLUMNS)]
    return values[:6], values[6:]


def _alpha(shape: list[Array], x: Array, y: Array) -> tuple[Array, Array, Array]:
    """min(0.99, opacity exp(-d^T conic d / 2)), 0 where under 1/255; and d."""
    u, v, xx, xy, yy, log_opacity = shape
    dx, dy = x - u, y - v
    power = -0.5 * (xx * dx * dx + yy * dy * dy) - xy * dx * dy
    alpha = jnp.exp(jnp.minimum(power, 0) + log_opacity)
    return jnp.where(alpha >= ALPHA_MIN, jnp.minimum(alpha, ALPHA_MAX), 0), dx, dy


def _shape_gradient(shape: list[Array], dx: Array, dy: Array, d_log_alpha: Array) -> list[Array]:
    """Gradient of mean, conic and log opacity from the moments of d_log_alpha about the mean."""
    _, _, xx, xy, yy, _ = shape
    by_x, by_y = d_log_alpha * dx, d_log_alpha * dy
    m, mx, my = jnp.sum(d_log_alpha), jnp.sum(by_x), jnp.sum(by_y)
    mxx, mxy, myy = jnp.sum(by_x * dx), jnp.sum(by_x * dy), jnp.sum(by_y * dy)
    return [xx * mx + xy * my, xy * mx + yy * my, -0.5 * mxx, -mxy, -0.5 * myy, m]
