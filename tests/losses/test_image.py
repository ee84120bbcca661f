"""Image losses: against scikit-image, plain sums, finite differences, and pictures whose loss is known."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array
from skimage.metrics import structural_similarity

from hoijax.losses import image as module
from hoijax.losses.image import (
    l1,
    mask_l2,
    object_area,
    object_center,
)

ssim, ssim_reference, ssim_to = (jax.jit(f) for f in (module.ssim, module.ssim_reference, module.ssim_to))
ssim_map, window_mean = jax.jit(module.ssim_map), jax.jit(module.window_mean)

H, W = 41, 58  # no multiple of the window's blocks


def picture(seed: int, h: int = H, w: int = W) -> np.ndarray:
    """Waves and a little noise in [0, 1]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:h, :w] / 10
    waves = [0.5 + 0.4 * np.sin(a * x + b * y) for a, b in rng.uniform(-2, 2, (3, 2))]
    return np.clip(np.stack(waves, -1) + 0.05 * rng.normal(size=(h, w, 3)), 0, 1)


def weights(seed: int = 5, h: int = H, w: int = W) -> np.ndarray:
    return np.where(np.random.default_rng(seed).random((h, w)) < 0.3, 0, 0.7)


def test_l1_and_mask_l2_are_weighted_means() -> None:
    a, b, w = picture(0), picture(1), weights()
    assert l1(jnp.array(a), jnp.array(b), jnp.array(w)) == pytest.approx(
        np.average(abs(a - b).mean(-1), weights=w), rel=1e-5
    )
    assert mask_l2(jnp.array(a[..., 0]), jnp.array(b[..., 0]), jnp.array(w)) == pytest.approx(
        np.average((a - b)[..., 0] ** 2, weights=w), rel=1e-5
    )


def test_no_weight_means_no_loss_and_no_gradient() -> None:
    a, b, nothing = jnp.array(picture(0)), jnp.array(picture(1)), jnp.zeros((H, W))
    for loss in (l1, lambda a, b, w: mask_l2(a[..., 0], b[..., 0], w), module.ssim):
        value, gradient = jax.jit(jax.value_and_grad(loss))(a, b, nothing)
        assert value == 0
        assert (gradient == 0).all()


@pytest.mark.parametrize(("h", "w"), [(H, W), (64, 96), (11, 13)])
def test_ssim_equals_scikit_image_inside(h: int, w: int) -> None:
    a, b = picture(2, h, w), picture(3, h, w)
    _, expected = structural_similarity(
        a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1, channel_axis=-1, full=True
    )
    with jax.enable_x64(True):
        found = jnp.moveaxis(ssim_map(jnp.array(a), ssim_reference(jnp.array(b))), 0, -1)
        np.testing.assert_allclose(found[5:-5, 5:-5], expected[5:-5, 5:-5], rtol=0, atol=1e-12)


def test_ssim_in_float32() -> None:
    a, b = picture(2), picture(3)
    with jax.enable_x64(True):
        exact = ssim(jnp.array(a), jnp.array(b))
    assert ssim(jnp.array(a, jnp.float32), jnp.array(b, jnp.float32)) == pytest.approx(float(exact), abs=2e-6)


def test_ssim_of_black_surroundings_is_that_of_a_black_frame() -> None:
    """Zero padding: a picture drawn on black scores the same per pixel when the black goes on around it."""
    a, b = jnp.array(picture(2)), jnp.array(picture(3))
    frame = ((20, 20), (20, 20), (0, 0))
    inner = ssim_map(a, ssim_reference(b))
    outer = ssim_map(jnp.pad(a, frame), ssim_reference(jnp.pad(b, frame)))
    np.testing.assert_allclose(outer[:, 20:-20, 20:-20], inner, rtol=0, atol=1e-4)  # float32: mean of squares - square


def test_ssim_is_one_for_equal_images_symmetric_and_weighted() -> None:
    a, b, w = jnp.array(picture(2)), jnp.array(picture(3)), jnp.array(weights())
    assert ssim(a, a) == pytest.approx(1, abs=1e-6)
    assert ssim(a, b) == pytest.approx(float(ssim(b, a)), abs=1e-6)
    per_pixel = ssim_map(a, ssim_reference(b)).mean(0)
    assert ssim(a, b, w) == pytest.approx(np.average(per_pixel, weights=w), rel=1e-5)
    assert ssim_to(a, ssim_reference(b)) == pytest.approx(float(ssim(a, b)), abs=1e-6)
    assert ssim(a, b) < 0.9


def test_window_mean_keeps_a_constant_inside_and_its_transpose_is_itself() -> None:
    with jax.enable_x64(True):
        x, y = (jnp.array(picture(seed)[..., 0]) for seed in (0, 1))
        assert (window_mean(x) * y).sum() == pytest.approx(float((x * window_mean(y)).sum()), rel=1e-12)
        constant = window_mean(jnp.ones((30, 40)))
        np.testing.assert_allclose(constant[5:-5, 5:-5], 1, atol=1e-12)
        impulse = window_mean(jnp.zeros((70, 70)).at[33, 31].set(1))
        taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
        np.testing.assert_allclose(impulse[28:39, 26:37], np.outer(taps, taps) / taps.sum() ** 2, atol=1e-15)
        assert (impulse > 0).sum() == 121


def test_gradients_against_finite_differences(check_gradient: Callable[..., None]) -> None:
    with jax.enable_x64(True):
        a, b, w = jnp.array(picture(6)), jnp.array(picture(7)), jnp.array(weights())
        check_gradient(lambda a: ssim(a, b, w), a)
        check_gradient(lambda a: ssim_to(a, ssim_reference(b)), a)
        check_gradient(lambda a: l1(a, b, w), a, step=1e-8)  # |x| bends where the images cross
        check_gradient(lambda a: mask_l2(a, b[..., 0], w), a[..., 0])
        check_gradient(lambda a: object_area(a, b[..., 0]), a[..., 0])
        check_gradient(lambda a: object_center(a, b[..., 0]), a[..., 0])


def test_ssim_is_the_same_under_jit_and_vmap() -> None:
    a, b = (jnp.stack([jnp.array(picture(seed)) for seed in seeds]) for seeds in ((0, 1, 2), (3, 4, 5)))
    together = jax.jit(jax.vmap(jax.value_and_grad(module.ssim)))(a, b)
    one = jax.jit(jax.value_and_grad(module.ssim))
    single = [one(*pair) for pair in zip(a, b)]
    np.testing.assert_allclose(together[0], jnp.stack([value for value, _ in single]), rtol=0, atol=1e-6)
    np.testing.assert_allclose(together[1], jnp.stack([gradient for _, gradient in single]), rtol=0, atol=1e-7)


def box(top: int, left: int, size: int) -> Array:
    return jnp.zeros((H, W)).at[top : top + size, left : left + size].set(1)


def test_area_and_center_of_boxes() -> None:
    assert object_area(box(3, 4, 10), box(20, 30, 6)) == 100 - 36
    assert object_center(box(3, 4, 10), box(6, 8, 10)) == pytest.approx(5)  # moved by (4, 3)
    assert object_center(box(3, 4, 10), box(3, 4, 10)) == 0


@pytest.mark.parametrize("pair", [(0, 10), (10, 0), (0, 0), (10, 10)])
def test_center_has_a_finite_gradient_everywhere(pair: tuple[int, int]) -> None:
    alpha, mask = (box(5, 5, size) for size in pair)
    value, gradient = jax.value_and_grad(object_center)(alpha, mask)
    assert value == 0
    assert (gradient == 0).all()
