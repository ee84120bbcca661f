"""The rasterizer against the dense oracle in float64, and where it must not break."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.config import Capacity
from hoijax.splats.dense import dense_pixels, rasterize_dense
from hoijax.splats.rasterize import init_capacity, needed, rasterize
from hoijax.types import Gaussians

CAPACITY = Capacity(32768, 4096)


@cache
def compiled(render: Any, size: tuple[int, int], capacity: Capacity) -> Any:
    """(gaussians, is_object, camera, weights) -> renders and the gradient of their weighted sum, compiled once."""

    def loss(gaussians: Any, is_object: Any, camera: Any, weights: Any) -> Any:
        renders = render(gaussians, is_object, camera, size, capacity)
        return weighted_sum(renders, weights), renders

    return jax.jit(jax.value_and_grad(loss, (0, 2), has_aux=True))


def weighted_sum(renders: Any, weights: Any) -> Any:
    leaves = jax.tree.leaves(renders[:3])
    return sum((a * b).sum() for a, b in zip(leaves, jax.tree.leaves(weights), strict=True))


def random_weights(size: tuple[int, int], seed: int = 1) -> Any:
    """One weight for every value of the three frames."""
    rng = np.random.default_rng(seed)
    return tuple((rng.normal(size=(*size, 3)), rng.normal(size=size), rng.normal(size=size)) for _ in range(3))


def run(render: Any, drawing: Any, capacity: Capacity = CAPACITY, loss: bool = False) -> Any:
    """Renders and gradients (Gaussians, camera) of a weighted sum of all that is rendered; with `loss`, the sum first."""
    dtype = drawing.camera.focal.dtype
    weights = jax.tree.map(lambda x: jnp.asarray(x, dtype), random_weights(drawing.size))
    (value, renders), gradient = compiled(render, drawing.size, capacity)(*drawing[:3], weights)
    return (float(value), renders, gradient) if loss else (renders, gradient)


def assert_close(ours: Any, truth: Any, tolerance: float, relative: bool = False) -> None:
    """Largest difference of each leaf, by the leaf's largest value when `relative`."""
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(truth), strict=True):
        scale = max(float(np.abs(b).max()), 1e-9) if relative else 1
        assert np.abs(np.asarray(a, np.float64) - np.asarray(b)).max() <= tolerance * scale


def assert_finite(tree: Any) -> None:
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(tree))


SCENES = {
    "plain": {},
    "faint": {"opacity": (0.003, 0.02)},  # about the threshold of 1/255
    "opaque": {"opacity": (0.95, 0.9999)},  # clamped alphas, transmittance that runs out
    "needles": {"scale": (1e-6, 0.5)},
    "dots": {"scale": (1e-9, 1e-8)},  # covariance next to 0: only the dilation is left
    "vast": {"scale": (1.0, 5.0)},  # every Gaussian in every tile
    "only human": {"objects": 0.0},
    "only object": {"objects": 1.0},
    "one Gaussian, one pixel": {"n": 1, "size": (1, 1), "scale": (0.1, 0.2), "opacity": (0.9, 0.9)},
}


SLOW_SCENES = {"one Gaussian, one pixel"}  # other shapes: both are compiled again


@pytest.mark.parametrize(
    "scene", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW_SCENES)) for name in SCENES]
)
def test_values_and_gradients_are_those_of_the_oracle(random_drawing: Any, scene: str) -> None:
    drawing = random_drawing(**SCENES[scene])
    ours, our_gradient = run(rasterize, drawing.cast(np.float32))
    with jax.enable_x64(True):
        truth, true_gradient = run(rasterize_dense, drawing.cast(np.float64))
    assert int(ours.dropped) == 0
    assert np.asarray(truth.joint.alpha).max() > 0.05
    assert_close(ours[:3], truth[:3], 5e-4)
    assert_close(our_gradient, true_gradient, 5e-4, relative=True)


def kernel(*arguments: Any) -> Any:
    """The rasterizer with the GPU kernel, which a CPU interprets."""
    return rasterize(*arguments, rasterizer="pallas")


@pytest.mark.slow
@pytest.mark.parametrize("scene", ["plain", "faint", "opaque", "needles", "vast", "only object"])
def test_values_and_gradients_of_the_kernel_are_those_of_the_oracle(random_drawing: Any, scene: str) -> None:
    drawing = random_drawing(size=(24, 30), **SCENES[scene])
    ours, our_gradient = run(kernel, drawing.cast(np.float32), Capacity(16384, 2048))
    with jax.enable_x64(True):
        truth, true_gradient = run(rasterize_dense, drawing.cast(np.float64))
    assert int(ours.dropped) == 0
    assert_close(ours[:3], truth[:3], 5e-4)
    assert_close(our_gradient, true_gradient, 5e-4, relative=True)


@pytest.mark.slow
def test_the_kernel_is_finite_whatever_comes(random_drawing: Any) -> None:
    drawing = random_drawing(size=(24, 30))
    drawing = drawing._replace(gaussians=hostile(drawing.gaussians))
    assert_finite(run(kernel, drawing.cast(np.float32), Capacity(16384, 2048)))


@pytest.mark.parametrize("scene", ["plain", "opaque", "needles"])
def test_in_float64_nothing_but_rounding_remains(random_drawing: Any, scene: str) -> None:
    with jax.enable_x64(True):
        drawing = random_drawing(**SCENES[scene]).cast(np.float64)
        ours, our_gradient = run(rasterize, drawing)
        truth, true_gradient = run(rasterize_dense, drawing)
        assert_close(ours[:3], truth[:3], 1e-10)
        assert_close(our_gradient, true_gradient, 1e-9, relative=True)


@pytest.mark.parametrize("render", [rasterize, rasterize_dense])
def test_gradients_are_finite_differences(random_drawing: Any, render: Any) -> None:
    """Along random directions, one for each argument: covariances stay symmetric only in part, as Gaussians may."""
    rng = np.random.default_rng(2)
    step = 1e-8
    with jax.enable_x64(True):
        drawing = random_drawing().cast(np.float64)
        _, gradient = run(render, drawing)
        arguments, restore = jax.tree.flatten((drawing.gaussians, drawing.camera))
        for i, slope in enumerate(jax.tree.leaves(gradient)):
            direction = rng.normal(size=slope.shape) * (0.01 if i < 2 else 1)

            def moved(amount: float, i: int = i, direction: Any = direction) -> float:
                leaves = [x + amount * direction if i == j else x for j, x in enumerate(arguments)]
                gaussians, camera = jax.tree.unflatten(restore, leaves)
                return run(render, drawing._replace(gaussians=gaussians, camera=camera), loss=True)[0]

            difference = (moved(step) - moved(-step)) / (2 * step)
            np.testing.assert_allclose((slope * direction).sum(), difference, rtol=1e-4)


@pytest.mark.slow
def test_full_size(full_size_drawing: Any) -> None:
    """All of the image by the rasterizer; every 13th of its pixels by the oracle."""
    h, w = full_size_drawing.size
    chosen = np.arange(h * w) % 13 == 0
    weights = jax.tree.map(lambda x: x * chosen.reshape(h, w, *(1,) * (x.ndim - 2)), random_weights((h, w)))
    single = full_size_drawing.cast(np.float32)
    render = compiled(rasterize, (h, w), Capacity(131072, 12288))
    (_, ours), our_gradient = render(*single[:3], jax.tree.map(jnp.float32, weights))
    assert int(ours.dropped) == 0
    values = [jnp.concatenate([f.rgb, f.depth[..., None], f.alpha[..., None]], -1) for f in ours[:3]]
    weights = np.stack([np.concatenate([rgb, depth[..., None], alpha[..., None]], -1) for rgb, alpha, depth in weights])

    with jax.enable_x64(True):
        gaussians, is_object, camera, _ = full_size_drawing.cast(np.float64)
        y, x = np.divmod(np.nonzero(chosen)[0], w)
        pixels = jnp.array(np.stack([x, y], -1) + 0.5)

        def loss(gaussians: Any, camera: Any) -> Any:
            truth = dense_pixels(gaussians, is_object, camera, (h, w), pixels)
            return (truth * weights[:, y, x].swapaxes(0, 1)).sum(), truth

        (_, truth), true_gradient = jax.jit(jax.value_and_grad(loss, (0, 1), has_aux=True))(gaussians, camera)
        truth = np.asarray(truth)

    error = np.abs(np.stack(values)[:, y, x].swapaxes(0, 1) - truth) / [1, 1, 1, 20, 1]  # depth by its size of 20 m
    assert truth[..., 4].mean() > 0.05
    # a pair of pixel and Gaussian at the threshold of 1/255 may fall on the other side
    assert (error.max((1, 2)) > 5e-4).sum() <= 2
    assert error.max() < 5e-3
    assert error.mean() < 1e-6
    for a, b in zip(jax.tree.leaves(our_gradient), jax.tree.leaves(true_gradient)):
        assert np.linalg.norm(np.asarray(a) - np.asarray(b)) < 5e-4 * np.linalg.norm(b)


def hostile(gaussians: Gaussians) -> Gaussians:
    """Everything that a Gaussian can have wrong, in turn."""
    means, covs, opacity = gaussians.means.copy(), gaussians.covs.copy(), gaussians.opacity.copy()
    means[0::8, 2] *= -1  # behind the camera
    means[1::8, 2] = 0  # in its plane
    means[2::8] = 0  # in its centre
    means[3::8, 2] = 1e-20
    means[4::8, :2] *= 1e6  # far off the image
    covs[0::3] = 0
    covs[1::3] *= 1e8
    covs[2::9] = np.ones((3, 3))  # rank one
    opacity[0::5], opacity[1::5] = 0, 1
    return gaussians._replace(means=means, covs=covs, opacity=opacity)


def test_everything_is_finite_whatever_comes(random_drawing: Any) -> None:
    drawing = random_drawing()
    drawing = drawing._replace(gaussians=hostile(drawing.gaussians))
    assert_finite(run(rasterize, drawing.cast(np.float32)))
    with jax.enable_x64(True):
        assert_finite(run(rasterize_dense, drawing.cast(np.float64)))


@pytest.mark.parametrize("reason", ["behind", "transparent", "beside", "no Gaussians"])
def test_what_is_not_visible_leaves_no_trace(random_drawing: Any, reason: str) -> None:
    drawing = random_drawing(n=0) if reason == "no Gaussians" else random_drawing(scale=(0.005, 0.02))
    means, opacity = drawing.gaussians.means, drawing.gaussians.opacity
    if reason == "behind":
        means = means * [1, 1, -1]
    elif reason == "beside":
        means = means + [50, 0, 0]
    elif reason == "transparent":
        opacity = np.full_like(opacity, 0.999 / 255)
    drawing = drawing._replace(gaussians=drawing.gaussians._replace(means=means, opacity=opacity))
    renders, gradient = run(rasterize, drawing.cast(np.float32))
    assert (int(renders.entries), int(renders.items), int(renders.dropped)) == (0, 0, 0)
    assert all((np.asarray(x) == 0).all() for x in jax.tree.leaves((renders[:3], gradient)))


def test_padding_leaves_no_trace(random_drawing: Any) -> None:
    """Gaussians of opacity 1e-5 in the midst of the scene get no gradient; what they are does not change a bit."""
    drawing = random_drawing()
    padding = np.arange(len(drawing.gaussians.opacity)) % 3 == 0
    opacity = np.where(padding, 1e-5, drawing.gaussians.opacity)
    first = drawing.gaussians._replace(opacity=opacity)
    second = first._replace(
        means=np.where(padding[:, None], first.means.mean(0), first.means),
        covs=np.where(padding[:, None, None], np.eye(3), first.covs),
        rgb=np.where(padding[:, None], 9, first.rgb),
    )
    results = [run(rasterize, drawing._replace(gaussians=g).cast(np.float32)) for g in (first, second)]
    assert_close(results[0], results[1], 0)
    for x in results[0][1][0]:
        assert (np.asarray(x)[padding] == 0).all()
        assert (np.asarray(x)[~padding] != 0).any()


def test_parts_are_rendered_as_if_alone(random_drawing: Any) -> None:
    drawing = random_drawing()
    both = run(rasterize, drawing.cast(np.float32))[0]
    for part, render in ((~drawing.is_object, both.human), (drawing.is_object, both.object)):
        opacity = np.where(part, drawing.gaussians.opacity, 0)
        alone = drawing._replace(gaussians=drawing.gaussians._replace(opacity=opacity)).cast(np.float32)
        assert_close(render, run(rasterize, alone)[0].joint, 1e-5)
    assert np.abs(both.joint.alpha - both.human.alpha).max() > 0.1


@pytest.mark.parametrize("capacity", [Capacity(500, 4096), pytest.param(Capacity(32768, 1), marks=pytest.mark.slow)])
def test_overflow_is_counted_and_stays_finite(random_drawing: Any, capacity: Capacity) -> None:
    drawing = random_drawing(**SCENES["vast"]).cast(np.float32)
    full, _ = run(rasterize, drawing)
    short, gradient = run(rasterize, drawing, capacity)
    assert (int(short.entries), int(short.items)) == (int(full.entries), int(full.items))
    if capacity.entries == 500:
        assert int(short.dropped) == int(full.entries) - 500
    else:
        assert int(full.items) > 256  # what the capacity of 1 is rounded up to
        assert 0 < int(short.dropped) < int(full.entries)
    assert_finite((short, gradient))


def test_needed_is_enough(random_drawing: Any) -> None:
    drawing = random_drawing().cast(np.float32)
    full, _ = run(rasterize, drawing)
    entries, items = map(int, jax.jit(needed, static_argnums=3)(*drawing))
    assert (entries, items) == (int(full.entries), int(full.items))
    renders = jax.jit(rasterize, static_argnums=(3, 4))(*drawing, Capacity(entries, items))
    assert int(renders.dropped) == 0
    assert_close(renders, full, 1e-6)


def test_capacities_are_few_and_enough() -> None:
    needs = [(x, x // per) for x in range(1, 200_000, 97) for per in (3, 8, 14)]
    sizes = [(need, init_capacity(*need)) for need in needs]
    assert len({capacity for _, capacity in sizes}) < 10
    for (entries, items), capacity in sizes:
        assert 1.3 * entries <= capacity.entries <= max(2.6 * max(entries, 8 * items), 16384)
        assert 1.3 * items <= capacity.items == capacity.entries // 8


def test_batch_is_its_single_images(random_drawing: Any) -> None:
    drawings = [random_drawing(seed=seed).cast(np.float32) for seed in range(3)]
    size = drawings[0].size
    gaussians, is_object = (
        jax.tree.map(lambda *x: jnp.stack(x), *(drawing[i] for drawing in drawings)) for i in range(2)
    )
    camera = drawings[0].camera  # shared: not every argument has a batch axis
    weights = jax.tree.map(jnp.float32, random_weights(size))
    single = compiled(rasterize, size, CAPACITY)

    def total(gaussians: Any) -> Any:
        renders = jax.vmap(lambda g, o: rasterize(g, o, camera, size, CAPACITY))(gaussians, is_object)
        return jax.vmap(weighted_sum, (0, None))(renders, weights).sum()

    @jax.jit
    def batched(gaussians: Any) -> Any:
        of_each = jax.vmap(lambda g, o: single(g, o, camera, weights))(gaussians, is_object)
        return of_each, jax.grad(total)(gaussians)

    singles = [single(*drawing[:2], camera, weights) for drawing in drawings]
    of_each, of_sum = batched(gaussians)
    assert_close(of_each, jax.tree.map(lambda *x: jnp.stack(x), *singles), 1e-6, relative=True)
    assert_close(of_sum, of_each[1][0], 1e-6, relative=True)


def test_the_same_bits_twice(random_drawing: Any) -> None:
    drawing = random_drawing().cast(np.float32)
    assert_close(run(rasterize, drawing), run(rasterize, drawing), 0)
