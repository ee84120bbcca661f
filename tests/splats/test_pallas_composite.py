"""The GPU kernel, interpreted on the CPU, gives what `composite` gives; and it lowers for CUDA without a GPU."""

import subprocess
import sys
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.config import Capacity
from hoijax.splats import pallas_composite
from hoijax.splats.bins import RENDERS, Grid, Work, work
from hoijax.splats.composite import CHANNELS, PIXELS, composite
from hoijax.splats.project import projected
from hoijax.splats.rasterize import compositor, table_of

ROOMY = Capacity(8192, 1024)
SIZE = (21, 38)

SCENES = {
    "lists of several items": {"scale": (0.05, 1.0)},
    "opaque: no light comes through": {"scale": (0.05, 1.0), "opacity": (0.95, 0.9999)},
    "most lists are empty": {"n": 12},
    "nothing is visible": {"opacity": (0.001, 0.002)},
    "capacity overflowed": {"scale": (0.05, 1.0), "capacity": Capacity(1024, 256)},
}


class Job(NamedTuple):
    """Arguments of `composite`, and a gradient of its lists."""

    table: Any
    work: Work
    gradient: Any


@pytest.fixture(scope="module")
def job(random_drawing: Any) -> Any:
    def make(seed: int = 0, capacity: Capacity = ROOMY, **options: Any) -> Job:
        drawing = random_drawing(seed=seed, size=SIZE, **options).cast(np.float32)
        screen = projected(drawing.gaussians, drawing.camera, SIZE)
        find = jax.jit(work, static_argnums=(3, 4))
        found = find(screen, drawing.gaussians.opacity, drawing.is_object, Grid(*SIZE), capacity)
        gradient = np.random.default_rng(seed).normal(size=(RENDERS * Grid(*SIZE).tiles, CHANNELS, PIXELS))
        return Job(table_of(screen, drawing.gaussians), found, jnp.float32(gradient))

    return make


@cache
def drawn(compose: Any, batched: bool) -> Any:
    """(table, work, gradient of the lists) -> lists and gradient of the table, compiled."""

    def one(table: Any, found: Work, gradient: Any) -> Any:
        lists, pull = jax.vjp(lambda table: compose(table, found, len(gradient)), table)
        return lists, pull(gradient)[0]

    return jax.jit(jax.vmap(one) if batched else one)


def assert_close(ours: Any, truth: Any) -> None:
    for a, b in zip(ours, truth, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * max(np.abs(b).max(), 1e-9))


@pytest.mark.slow
@pytest.mark.parametrize("scene", SCENES)
def test_the_kernel_is_the_plain_composite(job: Any, scene: str) -> None:
    made = job(**SCENES[scene])
    counts = np.bincount(made.work.lists, minlength=len(made.gradient) + 1)[:-1]
    expected = {
        "lists of several items": counts.max() > 2,
        "opaque: no light comes through": counts.max() > 2,
        "most lists are empty": 0 < (counts > 0).sum() < len(counts) / 2,
        "nothing is visible": counts.sum() == 0,
        "capacity overflowed": int(made.work.dropped) > 0,
    }
    assert expected[scene]
    truth = drawn(composite, False)(*made)
    assert (np.abs(truth[1]).max() > 0) == (scene != "nothing is visible")
    assert_close(drawn(pallas_composite.composite, False)(*made), truth)


@pytest.mark.slow
def test_a_batch_is_its_single_images(job: Any) -> None:
    jobs = [job(seed, scale=(0.01, largest)) for seed, largest in enumerate((1.0, 0.02, 0.3))]
    assert len({int(one.work.used) for one in jobs}) == 3
    together = drawn(pallas_composite.composite, True)(*jax.tree.map(lambda *x: jnp.stack(x), *jobs))
    for i, one in enumerate(jobs):
        assert_close([x[i] for x in together], drawn(composite, False)(*one))


@pytest.mark.slow
def test_what_all_images_of_a_batch_share_is_spread(job: Any) -> None:
    """Two tables on one work: the batching rule gets arguments with and without a batch axis."""
    one = job(scale=(0.05, 1.0))
    tables = jnp.stack([one.table, one.table.at[:, 6:9].mul(0.5)])

    def lists(compose: Any) -> Any:
        return jax.jit(jax.vmap(lambda table: compose(table, one.work, len(one.gradient))))(tables)

    assert_close([lists(pallas_composite.composite)], [lists(composite)])


@pytest.mark.parametrize("batched", [False, True])
def test_it_lowers_to_triton_without_a_gpu(job: Any, batched: bool) -> None:
    one = job()
    arguments = jax.tree.map(lambda x: jnp.stack([x, x]), one) if batched else one
    lowered = drawn(pallas_composite.composite, batched).trace(*arguments).lower(lowering_platforms=("cuda",))
    calls = [line for line in lowered.as_text().splitlines() if "custom_call" in line and "triton" in line]
    assert len(calls) == 2  # forward and backward
    lists = len(one.gradient) * (2 if batched else 1)
    assert all(f"grid_x = {lists} " in call for call in calls)


def test_batches_that_triton_cannot_count_are_refused(job: Any) -> None:
    one = job()
    tall = jax.tree.map(lambda x: jax.ShapeDtypeStruct((2**14, *x.shape), x.dtype), one)
    with pytest.raises(ValueError, match="too long for the kernel"):
        jax.eval_shape(drawn(pallas_composite.composite, True), *tall)


def test_pallas_is_not_imported_unless_asked_for() -> None:
    code = "import sys, hoijax.optimize.fit; print('jax.experimental.pallas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert compositor("xla") is composite
    assert compositor("pallas") is pallas_composite.composite
