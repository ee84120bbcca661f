"""Tile lists against brute force: nothing that is seen is missing, everything is in order, counts are right."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.config import Capacity
from hoijax.splats.bins import (
    ALPHA_MIN,
    ITEM,
    RENDERS,
    TILE,
    Grid,
    depth_order,
    list_sizes,
    needed_of,
    reach,
    sorted_pairs,
    tile_counts,
    work,
)
from hoijax.splats.project import projected


@pytest.fixture(scope="module")
def scene(random_drawing: Any) -> tuple[Any, Any, Grid]:
    drawing = random_drawing(n=60, opacity=(0.003, 0.5), scale=(0.003, 0.04)).cast(np.float32)
    return drawing, projected(drawing.gaussians, drawing.camera, drawing.size), Grid(*drawing.size)


def tiles_of(found: Any, grid: Grid) -> np.ndarray:
    """Gaussian x tile: does it reach it?"""
    y, x = np.divmod(np.arange(grid.tiles), grid.columns)
    visible, left, right, top, bottom = (np.asarray(v)[:, None] for v in found)
    return visible & (left <= x) & (x <= right) & (top <= y) & (y <= bottom)


def test_reach_is_what_is_seen(scene: Any) -> None:
    """Every tile with a pixel of alpha >= 1/255 is reached, and so is no row or column of pixels too many."""
    drawing, screen, grid = scene
    y, x = np.mgrid[: grid.height, : grid.width].reshape(2, -1)
    d = np.stack([x, y], -1) + 0.5 - np.asarray(screen.mean_px)[:, None]
    xx, xy, yy = np.asarray(screen.conic).T[:, :, None]
    power = -0.5 * (xx * d[..., 0] ** 2 + 2 * xy * d[..., 0] * d[..., 1] + yy * d[..., 1] ** 2)
    seen = np.asarray(drawing.gaussians.opacity)[:, None] * np.exp(power) >= ALPHA_MIN
    reached = tiles_of(reach(screen, drawing.gaussians.opacity, grid), grid)
    tile = (y // TILE) * grid.columns + x // TILE
    assert (reached[:, tile] | ~seen).all()
    assert not reached.all(1).any()
    bound = np.sqrt(2 * np.log(255 * np.maximum(drawing.gaussians.opacity, 1 / 255))[:, None] * screen.cov_px[:, ::2])
    inside = (np.abs(d) <= bound[:, None] + 0.01).all(-1)
    assert all(inside[i, tile == t].any() for i, t in zip(*np.nonzero(reached)))


def test_counts_are_those_of_brute_force(scene: Any) -> None:
    drawing, screen, grid = scene
    found = reach(screen, drawing.gaussians.opacity, grid)
    reached, kind = tiles_of(found, grid), np.asarray(drawing.is_object)
    counts = tile_counts(found, drawing.is_object, grid)
    np.testing.assert_array_equal(counts, [reached[~kind].sum(0), reached[kind].sum(0)])
    sizes = np.asarray(list_sizes(counts))
    mixed = reached[~kind].any(0) & reached[kind].any(0)
    assert 0 < mixed.sum() < grid.tiles
    assert (sizes[:, 1:][~mixed] == 0).all()
    entries, items = needed_of(list_sizes(counts))
    assert int(entries) == reached.sum() + reached[:, mixed].sum()
    assert int(items) == np.ceil(sizes / ITEM).sum()


def test_lists_hold_each_gaussian_once_from_front_to_back(scene: Any) -> None:
    drawing, screen, grid = scene
    found = jax.jit(work, static_argnums=(3, 4))(
        screen, drawing.gaussians.opacity, drawing.is_object, grid, Capacity(4096, 1024)
    )
    n, kind = len(drawing.is_object), np.asarray(drawing.is_object)
    reached = tiles_of(reach(screen, drawing.gaussians.opacity, grid), grid)
    ids, lists, used = np.asarray(found.ids), np.asarray(found.lists), int(found.used)
    assert used == int(found.items)
    assert (lists[used:] == RENDERS * grid.tiles).all()
    assert (ids[used:] == n).all()
    assert (np.diff(lists) >= 0).all()
    for tile in range(grid.tiles):
        parts = reached[:, tile], reached[:, tile] & ~kind, reached[:, tile] & kind
        mixed = parts[1].any() and parts[2].any()
        assert int(found.single[tile]) == (0 if mixed else 2 if parts[2].any() else 1)
        for render, expected in enumerate(parts):
            drawn = ids[lists == RENDERS * tile + render].reshape(-1)
            drawn = drawn[drawn < n]
            assert (np.diff(np.asarray(screen.depth)[drawn]) >= 0).all()
            assert sorted(drawn) == list(np.nonzero(expected)[0] if render == 0 or mixed else [])
    np.testing.assert_array_equal(found.centers[:used] // TILE, np.stack([lists // 3 % 7, lists // 21], 1)[:used])


@pytest.mark.parametrize("bounds", [(300, 1000), (2**20, 2**14)])
def test_pairs_are_sorted_whether_or_not_they_fit_32_bits(bounds: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    major, minor = (rng.integers(0, bound, 500).astype(np.int32) for bound in bounds)
    major[:200] = major[0]
    ours = sorted_pairs(jnp.array(major), jnp.array(minor), bounds)
    np.testing.assert_array_equal(np.stack(ours, 1), sorted(zip(major, minor)))


def test_depth_order_puts_the_invisible_last() -> None:
    rng = np.random.default_rng(0)
    depth = rng.permutation(1000) * 1e-3 + 20
    visible = rng.uniform(size=1000) < 0.7
    depth[~visible] = rng.choice([-1e30, np.inf, 20.5], (~visible).sum())
    order = np.asarray(depth_order(jnp.float32(depth), jnp.array(visible)))
    count = visible.sum()
    np.testing.assert_array_equal(order[:count], np.argsort(np.where(visible, depth, np.inf))[:count])
    assert sorted(order) == list(range(1000))
