"""The rasterizer: joint, human and object renders of one scene in one pass (algorithm: project, bins, composite)."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from hoijax.config import Capacity
from hoijax.splats.bins import RENDERS, TILE, Grid, Work, list_sizes, needed_of, reach, tile_counts, work
from hoijax.splats.composite import CHANNELS, composite
from hoijax.splats.project import Projected, projected
from hoijax.types import Camera, Frame, Gaussians, Renders

LEAST_ENTRIES, ENTRIES_PER_ITEM = 16384, 8  # scenes need 10 to 15 entries per item


def rasterize(
    gaussians: Gaussians,
    is_object: Bool[Array, " n"],
    camera: Camera,
    size: tuple[int, int],
    capacity: Capacity,
    rasterizer: str = "xla",
) -> Renders:
    """All, the human (not `is_object`) and the object Gaussians on black, front to back (Open3DHOI Eq. 1-2).

    `size`: (height, width), static. A scene that needs more than `capacity` is drawn in part and says so in `dropped`,
    which counts the entries (a Gaussian in a tile's list) that were left out and is 0 when all fits.
    `rasterizer`: what composites, see `compositor`.
    Gradient: as in `composite`, with respect to everything but the labels; 0 for what is not visible.
    """
    if len(is_object) == 0:
        black, zero = Frame(jnp.zeros((*size, 3)), jnp.zeros(size), jnp.zeros(size)), jnp.int32(0)
        return Renders(black, black, black, zero, zero, zero)
    grid = Grid(*size)
    screen = projected(gaussians, camera, size)
    fixed, opacity = jax.lax.stop_gradient((screen, gaussians.opacity))
    found = work(fixed, opacity, is_object, grid, capacity)
    lists = compositor(rasterizer)(table_of(screen, gaussians), found, RENDERS * grid.tiles)
    lists = lists.reshape(grid.tiles, RENDERS, CHANNELS, -1)
    joint = lists[:, 0]
    human, obj = (lists[:, i] + jnp.where(found.single == i, 1, 0)[:, None, None] * joint for i in (1, 2))
    frames = [_frame(x, grid) for x in (joint, human, obj)]
    return Renders(frames[0], frames[1], frames[2], found.entries, found.items, found.dropped)


def compositor(rasterizer: str) -> Callable[[Array, Work, int], Array]:
    """(table, work, number of lists) -> lists: for "xla" `composite`, for "pallas" the GPU kernel that is its twin.

    Pallas is imported only when asked for. Raises ImportError, with a way out, where this jax has none for Triton.
    """
    if rasterizer == "xla":
        return composite
    try:
        from hoijax.splats import pallas_composite
    except ImportError as error:
        raise ImportError(f"rasterizer 'pallas': jax {jax.__version__} has no Triton ({error}); use 'xla'") from error
    return pallas_composite.composite


def needed(
    gaussians: Gaussians, is_object: Bool[Array, " n"], camera: Camera, size: tuple[int, int]
) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """Entries and items that drawing this scene takes. Only counts: a small part of the cost of `rasterize`."""
    grid = Grid(*size)
    found = reach(projected(gaussians, camera, size), gaussians.opacity, grid)
    return needed_of(list_sizes(tile_counts(found, is_object, grid)))


def init_capacity(entries: int, items: int, slack: float = 1.3) -> Capacity:
    """Capacity for what is needed times `slack`: a power of two of entries, an eighth as many items.

    Few sizes, so that the scenes of a data set share compiled code: a compilation costs as much as two whole fits, a
    capacity twice too large a tenth of the rasterizer's time.
    """
    needed = slack * max(entries, ENTRIES_PER_ITEM * items, 1)
    room = max(LEAST_ENTRIES, 2 ** math.ceil(math.log2(needed)))
    return Capacity(room, room // ENTRIES_PER_ITEM)


def table_of(screen: Projected, gaussians: Gaussians) -> Float[Array, "m 10"]:
    """What `composite` reads, one Gaussian a row, and a last row that is invisible."""
    log_opacity = jnp.log(jnp.maximum(gaussians.opacity, 1e-12))
    columns = [screen.mean_px, screen.conic, log_opacity[:, None], gaussians.rgb, screen.depth[:, None]]
    table = jnp.concatenate(columns, 1)
    return jnp.concatenate([table, jnp.array([[0, 0, 1, 0, 1, -1e4, 0, 0, 0, 0]], table.dtype)])


def _frame(tiles: Float[Array, "t 5 p"], grid: Grid) -> Frame:
    """Tiles put in their places, without what reaches past the image."""
    blocks = tiles.reshape(grid.rows, grid.columns, CHANNELS, TILE, TILE).transpose(0, 3, 1, 4, 2)
    image = blocks.reshape(grid.rows * TILE, grid.columns * TILE, CHANNELS)[: grid.height, : grid.width]
    return Frame(rgb=image[..., :3], alpha=image[..., 4], depth=image[..., 3])
