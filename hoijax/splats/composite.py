"""Front-to-back compositing of work items, with its derivative written out.

Along a list, with a_i the alpha of entry i at a pixel: T_i = prod_{j<i} (1 - a_j), w_i = a_i T_i (0 once T_i (1 - a_i)
falls under 1e-4), out = sum_i w_i f_i with features f = (r, g, b, depth, 1). T comes from sums of log(1 - a): inside an
item by a product with a triangular matrix, from item to item of a list by a running start. Arrays are laid out
[item, entry, pixel], so that every contraction is a batched matrix product.

On CPU a loop goes over batches of the items in use; elsewhere all items are worked on at once. Under `vmap` images go
one after another on CPU; elsewhere the items of all images become one long list.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Float, Int

from hoijax.splats.bins import ALPHA_MIN, BATCH, ITEM, TILE, Work

ALPHA_MAX = 0.99
TRANSMITTANCE_MIN = 1e-4
PIXELS = TILE * TILE
CHANNELS = 5  # red, green, blue, depth, alpha
COLUMNS = 10  # of the table that `composite` reads

_matmul = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def composite(table: Float[Array, "m 10"], work: Work, n_lists: int) -> Float[Array, "l 5 p"]:
    """Every list composited on the pixels of its tile: sums of w times red, green, blue, depth and 1.

    Rows of `table`: mean x, y (pixels), conic xx, xy, yy, log opacity, red, green, blue, depth; the last row is what
    the empty places of `work.ids` draw and must be invisible.
    Gradient: 0 where alpha is clamped at 0.99; which pairs are drawn is taken as fixed.
    """
    return _forward(n_lists)(table, work)[0]


def _composite_forward(table: Array, work: Work, n_lists: int) -> tuple[Array, Any]:
    out, rows, starts = _forward(n_lists)(table, work)
    return out, (rows, starts, work, jnp.zeros((table.shape[0], 0)))


def _composite_backward(n_lists: int, residuals: Any, gradient: Array) -> tuple[Array, None]:
    rows, starts, work, like_table = residuals
    return _backward(like_table.shape[0])(rows, starts, work, gradient), None


composite.defvjp(_composite_forward, _composite_backward)


def _forward(n_lists: int) -> Callable:
    """(table, work) -> composited lists; rows of the table by item; log transmittance in front of each item."""
    return _by_platform(*(partial(f, n_lists) for f in (_forward_loop, _forward_at_once, _forward_images)))


def _backward(n_rows: int) -> Callable:
    """(rows, starts, work, gradient of the lists) -> gradient of the table."""
    return _by_platform(*(partial(f, n_rows) for f in (_backward_loop, _backward_at_once, _backward_images)))


def _by_platform(loop: Callable, at_once: Callable, images_at_once: Callable) -> Callable:
    """One image: `loop` on CPU, else `at_once`. Under vmap: image by image on CPU, else `images_at_once`."""

    @custom_vmap
    def one(*args: Any) -> Any:
        return jax.lax.platform_dependent(*args, cpu=loop, default=at_once)

    @one.def_vmap
    def many(size: int, batched: Any, *args: Any) -> Any:
        args = jax.tree.map(lambda x, b: x if b else jnp.broadcast_to(x, (size, *x.shape)), args, tuple(batched))

        def one_by_one(*args: Any) -> Any:
            return jax.lax.map(lambda image: one(*image), args)

        out = jax.lax.platform_dependent(*args, cpu=one_by_one, default=images_at_once)
        return out, jax.tree.map(lambda _: True, out)

    return one


def _forward_loop(n_lists: int, table: Array, work: Work) -> tuple[Array, Array, Array]:
    rows = table[work.ids]
    # transposed for all items ahead of the loop: inside it, the product would read its operand against the grain
    batches = _in_batches((rows, _features(rows).mT, work.lists, work.centers))

    def step(i: Array, state: tuple) -> tuple:
        out, starts, (carry, carry_list) = state
        rows, features, lists, centers = jax.tree.map(lambda x: x[i], batches)
        start_of = partial(_sum_of_others, _lower(BATCH, table.dtype), lists, carry, carry_list)
        image, start, total = _drawn(rows, features, centers, start_of)
        out = out.at[lists].add(image.reshape(BATCH, -1))
        return out, starts.at[i].set(start), (start[-1] + total[-1], lists[-1])

    zeros = partial(jnp.zeros, dtype=table.dtype)
    starts = zeros((work.lists.shape[0] // BATCH, BATCH, PIXELS))
    state = zeros((n_lists + 1, CHANNELS * PIXELS)), starts, (zeros(PIXELS), jnp.int32(-1))
    out, starts, _ = jax.lax.fori_loop(0, -(-work.used // BATCH), step, state)
    return out[:-1].reshape(n_lists, CHANNELS, PIXELS), rows, starts.reshape(-1, PIXELS)


def _backward_loop(n_rows: int, rows: Array, starts: Array, work: Work, gradient: Array) -> Array:
    batches = _in_batches((rows, starts, work.lists, work.centers, work.ids))
    gradient = _with_unused(gradient).reshape(-1, CHANNELS * PIXELS)
    n_batches = -(-work.used // BATCH)

    def step(j: Array, state: tuple) -> tuple:
        out, carry, carry_list = state
        rows, start, lists, centers, ids = jax.tree.map(lambda x: x[n_batches - 1 - j], batches)
        behind_of = partial(_sum_of_others, _lower(BATCH, rows.dtype).T, lists, carry, carry_list)
        item_gradient = gradient[lists].reshape(BATCH, CHANNELS, PIXELS)
        d_rows, behind, total = _drawn_gradient(rows, centers, start, item_gradient, behind_of)
        return out.at[ids.reshape(-1)].add(d_rows.reshape(-1, COLUMNS)), behind[0] + total[0], lists[0]

    zeros = partial(jnp.zeros, dtype=rows.dtype)
    return jax.lax.fori_loop(0, n_batches, step, (zeros((n_rows, COLUMNS)), zeros(PIXELS), jnp.int32(-1)))[0]


def _forward_at_once(n_lists: int, table: Array, work: Work) -> tuple[Array, Array, Array]:
    rows = table[work.ids]
    image, start, _ = _drawn(rows, _features(rows).mT, work.centers, partial(_sum_of_earlier, work.lists))
    out = jax.ops.segment_sum(image, work.lists, n_lists + 1, indices_are_sorted=True)
    return out[:-1], rows, start


def _backward_at_once(n_rows: int, rows: Array, starts: Array, work: Work, gradient: Array) -> Array:
    def behind_of(total: Array) -> Array:
        return _sum_of_earlier(work.lists[::-1], total[::-1])[::-1]

    item_gradient = _with_unused(gradient)[work.lists]
    d_rows, _, _ = _drawn_gradient(rows, work.centers, starts, item_gradient, behind_of)
    return jnp.zeros((n_rows, COLUMNS), rows.dtype).at[work.ids.reshape(-1)].add(d_rows.reshape(-1, COLUMNS))


def _forward_images(n_lists: int, table: Array, work: Work) -> tuple[Array, Array, Array]:
    images, n_rows, _ = table.shape
    joined = _joined(work, n_rows, n_lists)
    out = _forward_at_once(images * n_lists, table.reshape(images * n_rows, COLUMNS), joined)
    return jax.tree.map(lambda x: x.reshape(images, -1, *x.shape[1:]), out)


def _backward_images(n_rows: int, rows: Array, starts: Array, work: Work, gradient: Array) -> Array:
    images, n_lists = gradient.shape[:2]
    joined = _joined(work, n_rows, n_lists)
    rows, starts, gradient = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), (rows, starts, gradient))
    return _backward_at_once(images * n_rows, rows, starts, joined, gradient).reshape(images, n_rows, COLUMNS)


def _joined(work: Work, n_rows: int, n_lists: int) -> Work:
    """Items of a batch of images as those of one image, whose table and lists are those of the images in turn."""
    image = jnp.arange(work.ids.shape[0], dtype=jnp.int32)[:, None]
    unused = image.shape[0] * n_lists
    lists = jnp.where(work.lists < n_lists, work.lists + image * n_lists, unused)
    ids = work.ids + (image * n_rows)[..., None]
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), work)._replace(
        ids=ids.reshape(-1, ITEM), lists=lists.reshape(-1)
    )


def _in_batches(x: Any) -> Any:
    return jax.tree.map(lambda x: x.reshape(-1, BATCH, *x.shape[1:]), x)


def _with_unused(gradient: Array) -> Array:
    """One more row, for the list id that unused items carry."""
    return jnp.concatenate([gradient, jnp.zeros_like(gradient[:1])])


def _lower(n: int, dtype: Any) -> np.ndarray:
    """Strictly lower triangle of ones: times x it sums what stands before."""
    return np.tri(n, n, -1, dtype)


def _sum_of_others(
    triangle: np.ndarray, lists: Array, carry: Array, carry_list: Array, total: Float[Array, "b p"]
) -> Float[Array, "b p"]:
    """For each item the sum of `total` over the earlier (`triangle` transposed: later) items of its list.

    `carry`: the sum that the neighbouring batch ended with, in list `carry_list`.
    """
    same = jnp.where(lists[:, None] == lists, triangle, 0)
    return _matmul(same, total) + jnp.where(lists == carry_list, 1, 0).astype(total.dtype)[:, None] * carry


def _sum_of_earlier(lists: Int[Array, " i"], total: Float[Array, "i p"]) -> Float[Array, "i p"]:
    """For each item the sum of `total` over the earlier items of its list, as a segmented scan."""
    first = (lists != jnp.roll(lists, 1)).at[0].set(True)[:, None]
    shifted = jnp.where(first, 0, jnp.roll(total, 1, 0))

    def add(left: tuple[Array, Array], right: tuple[Array, Array]) -> tuple[Array, Array]:
        return jnp.where(right[1], right[0], left[0] + right[0]), left[1] | right[1]

    return jax.lax.associative_scan(add, (shifted, first))[0]


def _offsets(dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """x and y of a tile's pixel centres from the tile's centre."""
    steps = np.arange(TILE) + 0.5 - TILE / 2
    y, x = np.meshgrid(steps, steps, indexing="ij")
    return x.reshape(-1).astype(dtype), y.reshape(-1).astype(dtype)


def _mean(rows: Array, centers: Array) -> tuple[Float[Array, "b c"], Float[Array, "b c"]]:
    """x and y of the means from the centre of their item's tile."""
    return rows[..., 0] - centers[:, :1], rows[..., 1] - centers[:, 1:]


def _features(rows: Array) -> Float[Array, "b c 5"]:
    return jnp.concatenate([rows[..., 6:], jnp.ones_like(rows[..., :1])], -1)


def _alpha(rows: Float[Array, "b c 10"], centers: Float[Array, "b 2"]) -> Float[Array, "b c p"]:
    """min(0.99, opacity exp(-d^T conic d / 2)), 0 where under 1/255."""
    mean_x, mean_y = _mean(rows, centers)
    x, y = _offsets(rows.dtype)
    dx, dy = x - mean_x[..., None], y - mean_y[..., None]
    xx, xy, yy, log_opacity = (rows[..., i, None] for i in range(2, 6))
    power = -0.5 * (xx * dx * dx + yy * dy * dy) - xy * dx * dy
    alpha = jnp.exp(jnp.minimum(power, 0) + log_opacity)
    return jnp.where(alpha >= ALPHA_MIN, jnp.minimum(alpha, ALPHA_MAX), 0)


def _weights(alpha: Array, start_of: Callable[[Array], Array]) -> tuple[Array, Array, Array]:
    """Weights alpha T; log transmittance in front of each item and through it. `start_of`: the former from the latter."""
    log_clear = jnp.log(1 - alpha)
    # batched though the triangle is always the same: as a plain product XLA would transpose the large operand
    lower = jnp.broadcast_to(_lower(ITEM, alpha.dtype), (alpha.shape[0], ITEM, ITEM))
    within = _matmul(lower, log_clear)
    total = within[:, -1] + log_clear[:, -1]
    start = start_of(total)
    transmittance = jnp.exp(within + start[:, None])
    weight = jnp.where(transmittance * (1 - alpha) >= TRANSMITTANCE_MIN, alpha * transmittance, 0)
    return weight, start, total


def _drawn(
    rows: Float[Array, "b c 10"],
    features: Float[Array, "b 5 c"],
    centers: Float[Array, "b 2"],
    start_of: Callable[[Array], Array],
) -> tuple[Float[Array, "b 5 p"], Float[Array, "b p"], Float[Array, "b p"]]:
    """What each item adds to its list; log transmittance in front of it, and through it."""
    weight, start, total = _weights(_alpha(rows, centers), start_of)
    return _matmul(features, weight), start, total


def _drawn_gradient(
    rows: Float[Array, "b c 10"],
    centers: Float[Array, "b 2"],
    start: Float[Array, "b p"],
    gradient: Float[Array, "b 5 p"],
    behind_of: Callable[[Array], Array],
) -> tuple[Float[Array, "b c 10"], Float[Array, "b p"], Float[Array, "b p"]]:
    """Gradient of the items' rows; and the sum of q behind each item and over it.

    With q_i = w_i <gradient, f_i>: d / d log alpha_i = q_i - (sum of q behind i) alpha_i / (1 - alpha_i).
    """
    alpha = _alpha(rows, centers)
    weight, _, _ = _weights(alpha, lambda _: start)
    q = weight * _matmul(_features(rows), gradient)
    upper = jnp.broadcast_to(_lower(ITEM, q.dtype).T, (q.shape[0], ITEM, ITEM))
    within = _matmul(upper, q)
    total = within[:, 0] + q[:, 0]
    behind = behind_of(total)
    d_log_alpha = jnp.where(alpha < ALPHA_MAX, q - (within + behind[:, None]) * alpha / (1 - alpha), 0)
    d_features = _matmul(weight, gradient[:, :4].mT)
    return jnp.concatenate([_shape_gradient(rows, centers, d_log_alpha), d_features], -1), behind, total


def _shape_gradient(rows: Array, centers: Array, d_log_alpha: Float[Array, "b c p"]) -> Float[Array, "b c 6"]:
    """Gradient of mean, conic and log opacity from the moments of d_log_alpha over the tile's pixels."""
    x, y = _offsets(rows.dtype)
    moments = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], 1)
    sums = _matmul(d_log_alpha.reshape(-1, PIXELS), moments).reshape(*rows.shape[:2], 6)
    m, mx, my, mxx, mxy, myy = jnp.moveaxis(sums, -1, 0)
    u, v = _mean(rows, centers)
    dx, dy = mx - u * m, my - v * m  # moments about the mean
    dxx, dxy, dyy = mxx - 2 * u * mx + u * u * m, mxy - u * my - v * mx + u * v * m, myy - 2 * v * my + v * v * m
    xx, xy, yy = rows[..., 2], rows[..., 3], rows[..., 4]
    return jnp.stack([xx * dx + xy * dy, xy * dx + yy * dy, -0.5 * dxx, -dxy, -0.5 * dyy, m], -1)
