"""Which Gaussians each tile draws, in which order: integers without gradient.

The image is cut into tiles of 8x8 pixels. A tile that human and object Gaussians both reach has three *lists*: joint,
human, object. A tile with one kind has one list, which serves the joint render and that kind's. A list holds *entries*
(indices of Gaussians) from front to back, and is cut into *items* of 16 consecutive entries: the unit of work.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from hoijax.config import Capacity
from hoijax.splats.project import NEAR, Projected

TILE = 8  # pixels
ITEM = 16  # entries
BATCH = 256  # items that are worked on together on CPU
RENDERS = 3  # lists per tile: joint, human, object
ALPHA_MIN = 1 / 255  # a pair of pixel and Gaussian with less is not drawn


class Grid(NamedTuple):
    """Tiles of an image of `height` x `width` pixels (static). The last row and column may reach past the image."""

    height: int
    width: int

    @property
    def rows(self) -> int:
        """Tiles from top to bottom."""
        return -(-self.height // TILE)

    @property
    def columns(self) -> int:
        """Tiles from left to right."""
        return -(-self.width // TILE)

    @property
    def tiles(self) -> int:
        """Number of tiles, row by row."""
        return self.rows * self.columns


class Reach(NamedTuple):
    """Tiles [top, bottom] x [left, right] that a Gaussian reaches, both ends included, where `visible`."""

    visible: Bool[Array, " n"]
    left: Int[Array, " n"]
    right: Int[Array, " n"]
    top: Int[Array, " n"]
    bottom: Int[Array, " n"]


class Work(NamedTuple):
    """Items in the order of their lists, each list from front to back. List id = 3 tile + (0 joint, 1 human, 2 object).

    Empty places of `ids` hold n, unused items the list id 3 * tiles. `centers`: pixel position of each item's tile.
    `single`: which part's render (1, 2) the joint list of a tile serves as well; 0 for none. `used`: how many items
    there are. `entries` and `items`: what the scene needs; `dropped`: how many entries found no place.
    """

    ids: Int[Array, "i c"]
    lists: Int[Array, " i"]
    centers: Float[Array, "i 2"]
    single: Int[Array, " t"]
    used: Int[Array, ""]
    entries: Int[Array, ""]
    items: Int[Array, ""]
    dropped: Int[Array, ""]


def reach(projected: Projected, opacity: Float[Array, " n"], grid: Grid) -> Reach:
    """Tiles under the exact box of {alpha >= 1/255}: mean +- sqrt(2 ln(255 opacity) diag(cov)), and 0.001 px."""
    power = 2 * jnp.log(jnp.maximum(opacity / ALPHA_MIN, 1e-6))
    spread = jnp.sqrt(jnp.maximum(power, 0)[:, None] * projected.cov_px[:, ::2]) + 1e-3
    first = jnp.ceil(projected.mean_px - spread - 0.5)  # pixels whose centres lie inside the box
    last = jnp.floor(projected.mean_px + spread - 0.5)
    size = jnp.array([grid.width, grid.height], first.dtype)
    on_screen = ((last >= jnp.maximum(first, 0)) & (first < size)).all(1)
    left, top = (jnp.clip(first, 0, size - 1).astype(jnp.int32) // TILE).T
    right, bottom = (jnp.clip(last, 0, size - 1).astype(jnp.int32) // TILE).T
    return Reach(on_screen & (power > 0) & (projected.depth > NEAR), left, right, top, bottom)


def tile_counts(reach: Reach, is_object: Bool[Array, " n"], grid: Grid) -> Int[Array, "2 t"]:
    """How many human and how many object Gaussians reach each tile: corner differences, then sums along both axes."""
    visible, left, right, top, bottom = reach
    kind = is_object.astype(jnp.int32)
    one = visible.astype(jnp.int32)
    corners = jnp.zeros((2, grid.rows + 1, grid.columns + 1), jnp.int32)
    corners = corners.at[kind, top, left].add(one).at[kind, bottom + 1, right + 1].add(one)
    corners = corners.at[kind, top, right + 1].add(-one).at[kind, bottom + 1, left].add(-one)
    return corners.cumsum(1).cumsum(2)[:, :-1, :-1].reshape(2, -1)


def list_sizes(counts: Int[Array, "2 t"]) -> Int[Array, "t 3"]:
    """Entries of each tile's lists: the joint list holds all; the human's and the object's exist in mixed tiles."""
    mixed = (counts > 0).all(0)
    return jnp.stack([counts.sum(0), *jnp.where(mixed, counts, 0)], 1)


def needed_of(sizes: Int[Array, "t 3"]) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """Entries and items that the lists come to."""
    return sizes.sum(), (-(-sizes // ITEM)).sum()


def sorted_pairs(
    major: Int[Array, " n"], minor: Int[Array, " n"], bounds: tuple[int, int]
) -> tuple[Int[Array, " n"], Int[Array, " n"]]:
    """Pairs of integers in [0, bounds) in lexicographic order. One packed operand sorts four times faster than two."""
    major_bits, minor_bits = ((bound - 1).bit_length() for bound in bounds)
    if major_bits + minor_bits > 32:
        major, minor = jax.lax.sort((major, minor), num_keys=2, is_stable=False)
        return major, minor
    packed = jax.lax.sort(major.astype(jnp.uint32) << minor_bits | minor.astype(jnp.uint32), is_stable=False)
    return (packed >> minor_bits).astype(jnp.int32), (packed & jnp.uint32(2**minor_bits - 1)).astype(jnp.int32)


def depth_order(depth: Float[Array, " n"], visible: Bool[Array, " n"]) -> Int[Array, " n"]:
    """Front to back, the invisible last. Depth is compared in 2^18 steps of the visible range or more (n <= 16,384)."""
    n = depth.shape[0]
    steps = 2 ** min(32 - max(n - 1, 1).bit_length(), 24)
    near = jnp.min(depth, where=visible, initial=jnp.inf)
    far = jnp.max(depth, where=visible, initial=-jnp.inf)
    fraction = (depth - near) / jnp.maximum(far - near, 1e-12)
    rank = jnp.where(visible, jnp.clip(fraction * (steps - 2), 0, steps - 2).astype(jnp.int32), steps - 1)
    return sorted_pairs(rank, jnp.arange(n, dtype=jnp.int32), (steps, n))[1]


class Entries(NamedTuple):
    """Pairs of a Gaussian and a tile, Gaussian by Gaussian from front to back. `total`: how many pairs there are."""

    ids: Int[Array, " e"]
    tiles: Int[Array, " e"]
    is_object: Int[Array, " e"]
    real: Bool[Array, " e"]
    total: Int[Array, ""]


def entries_of(
    reach: Reach, order: Int[Array, " n"], is_object: Bool[Array, " n"], grid: Grid, capacity: int
) -> Entries:
    """The first `capacity` pairs of a Gaussian, in `order`, and a tile that it reaches."""
    visible, left, right, top, bottom = reach
    width = right - left + 1
    count = jnp.where(visible, width * (bottom - top + 1), 0)
    corner = top * grid.columns + left
    count, width, corner, kind = jnp.stack([count, width, corner, is_object.astype(jnp.int32)], 1)[order].T
    end = jnp.cumsum(count)
    table = jnp.stack([order, end - count, width, corner, kind], 1)
    ids, start, width, corner, kind = jnp.repeat(table, count, axis=0, total_repeat_length=capacity).T
    slot = jnp.arange(capacity, dtype=jnp.int32)
    place = slot - start
    row = ((place + 0.5) / width).astype(jnp.int32)  # whole division, by way of floats because that vectorises
    tiles = corner + row * grid.columns + (place - row * width)
    real = slot < end[-1]
    return Entries(ids, jnp.where(real, tiles, grid.tiles), kind, real, end[-1])


def sorted_lists(entries: Entries, mixed: Bool[Array, " t"]) -> tuple[Int[Array, " e"], Int[Array, " l"]]:
    """Gaussians of all lists, list by list, and where each list starts (one more at the end).

    The pairs as they come are the joint lists; behind them go copies for the parts' own lists of mixed tiles.
    """
    capacity, tiles = entries.ids.shape[0], mixed.shape[0]
    lists, slot = RENDERS * entries.tiles, jnp.arange(capacity, dtype=jnp.int32)
    copied = entries.real & mixed[jnp.minimum(entries.tiles, tiles - 1)]
    target = jnp.where(copied, entries.total + jnp.cumsum(copied.astype(jnp.int32)) - 1, capacity)
    copies = lists + 1 + entries.is_object
    pairs = jnp.stack([lists, slot], 1).at[target].set(jnp.stack([copies, slot], 1), mode="drop")
    lists, slot = sorted_pairs(pairs[:, 0], pairs[:, 1], (RENDERS * tiles + 1, capacity))
    return entries.ids[slot], jnp.searchsorted(lists, jnp.arange(RENDERS * tiles + 1)).astype(jnp.int32)


def items_of(
    ids: Int[Array, " e"], starts: Int[Array, " l"], empty: int, capacity: int
) -> tuple[Int[Array, "i c"], Int[Array, " i"], Int[Array, ""]]:
    """Lists cut into the first `capacity` items: their Gaussians, their list, and how many they are."""
    lists = starts.shape[0] - 1
    count = -(-jnp.diff(starts) // ITEM)
    end = jnp.cumsum(count)
    table = jnp.stack([jnp.arange(lists, dtype=jnp.int32), end - count, starts[:-1], starts[1:]], 1)
    item = jnp.arange(capacity, dtype=jnp.int32)
    owner, first_item, first, last = jnp.repeat(table, count, axis=0, total_repeat_length=capacity).T
    used = item < end[-1]
    place = (first + (item - first_item) * ITEM)[:, None] + jnp.arange(ITEM, dtype=jnp.int32)
    real = used[:, None] & (place < last[:, None])
    chosen = jnp.where(real, ids[jnp.minimum(place, ids.shape[0] - 1)], empty)
    return chosen, jnp.where(used, owner, lists), jnp.minimum(end[-1], capacity)


def work(
    projected: Projected, opacity: Float[Array, " n"], is_object: Bool[Array, " n"], grid: Grid, capacity: Capacity
) -> Work:
    """Lists of all tiles, cut into items. When capacity is short, the farthest Gaussians and the last tiles go without.

    Room for items is made in whole batches: `capacity.items` rounded up to a multiple of 256.
    """
    n = opacity.shape[0]
    reached = reach(projected, opacity, grid)
    counts = tile_counts(reached, is_object, grid)
    entries, items = needed_of(list_sizes(counts))
    has_human, has_object = counts > 0

    order = depth_order(projected.depth, reached.visible)
    pairs = entries_of(reached, order, is_object, grid, capacity.entries)
    ids, starts = sorted_lists(pairs, has_human & has_object)
    ids, lists, used = items_of(ids, starts, n, -(-capacity.items // BATCH) * BATCH)

    tile = lists // RENDERS
    centers = TILE * jnp.stack([tile % grid.columns, tile // grid.columns], 1) + TILE / 2
    single = jnp.where(has_human & has_object, 0, jnp.where(has_object, 2, 1))
    dropped = entries - (ids < n).sum()
    return Work(ids, lists, centers.astype(opacity.dtype), single, used, entries, items, dropped)
