"""Compositing without the loop, as accelerators do it, gives what the loop over batches gives."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.config import Capacity
from hoijax.splats import composite as paths
from hoijax.splats.bins import RENDERS, Grid, Work, work
from hoijax.splats.project import projected
from hoijax.splats.rasterize import table_of

CAPACITY = Capacity(32768, 4096)


@pytest.fixture(scope="module")
def jobs(random_drawing: Any) -> list[tuple[Any, Work, int, Any]]:
    """Tables, work, number of lists and a gradient of the lists, of three images; lists are longer than an item."""

    find = jax.jit(work, static_argnums=(3, 4))

    def job(seed: int) -> tuple[Any, Work, int, Any]:
        drawing = random_drawing(seed=seed, scale=(0.05, 1.0)).cast(np.float32)
        grid = Grid(*drawing.size)
        screen = projected(drawing.gaussians, drawing.camera, drawing.size)
        found = find(screen, drawing.gaussians.opacity, drawing.is_object, grid, CAPACITY)
        n_lists = RENDERS * grid.tiles
        gradient = np.random.default_rng(seed).normal(size=(n_lists, paths.CHANNELS, paths.PIXELS))
        return table_of(screen, drawing.gaussians), found, n_lists, jnp.float32(gradient)

    made = [job(seed) for seed in range(3)]
    assert min(int(found.used) for _, found, _, _ in made) > 2 * made[0][2]
    assert len({int(found.used) for _, found, _, _ in made}) == 3
    return made


def assert_close(a: Any, b: Any) -> None:
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5 * np.abs(y).max())


def used(out: tuple, found: Work) -> tuple:
    """Without the items that are not in use: what stands there means nothing."""
    return out[0], out[1][: int(found.used)], out[2][: int(found.used)]


def test_items_of_all_images_at_once_are_the_loop_image_by_image(jobs: Any) -> None:
    n_rows, n_lists = len(jobs[0][0]), jobs[0][2]
    tables, found, gradients = jax.tree.map(lambda *x: jnp.stack(x), *((job[0], job[1], job[3]) for job in jobs))
    together = jax.jit(paths._forward_images, static_argnums=0)(n_lists, tables, found)
    back_together = jax.jit(paths._backward_images, static_argnums=0)(n_rows, *together[1:], found, gradients)
    loop, back_loop = (jax.jit(f, static_argnums=0) for f in (paths._forward_loop, paths._backward_loop))
    for i, (table, one, _, gradient) in enumerate(jobs):
        single = loop(n_lists, table, one)
        assert_close(used(jax.tree.map(lambda x, i=i: x[i], together), one), used(single, one))
        assert_close(back_together[i], back_loop(n_rows, *single[1:], one, gradient))
