"""Ordinal depth: two planes whose loss is known, the direction of the push, finite differences."""

from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from hoijax.losses.ordinal import ordinal_depth, ordinal_pixels

H, W = 6, 8
LEFT = jnp.zeros((H, W)).at[:, : W // 2].set(1)
EVERYWHERE = jnp.ones((H, W), bool)
NOWHERE = jnp.zeros((H, W), bool)
ONES, ZEROS = jnp.ones((H, W)), jnp.zeros((H, W))


def planes(human: float, obj: float) -> tuple[Array, Array, Array, Array]:
    """Two walls that fill the picture at these depths: depth and coverage of human and object."""
    return jnp.full((H, W), human), EVERYWHERE, jnp.full((H, W), obj), EVERYWHERE


def plain_ordinal(depths: list, covered: list, masks: list, reduce: str, clip: float = 2.0) -> float:
    """The definition, pixel by pixel and pair by pair."""
    total, pairs = 0.0, 0
    for i, j in ((0, 1), (1, 0)):
        pairs += bool((covered[i] & covered[j]).any())
        for at in np.ndindex(depths[0].shape):
            shown = masks[i][at] > 0.5 and not masks[j][at] > 0.5
            if covered[i][at] and covered[j][at] and shown and depths[j][at] < depths[i][at]:
                total += np.log(1 + np.exp(min(max(depths[i][at] - depths[j][at], 0), clip)))
    overlap = int((np.asarray(covered[0]) & np.asarray(covered[1])).sum())
    return total / max(overlap if reduce == "mean" else pairs, 1)


def test_object_wrongly_in_front() -> None:
    """The masks show the human on the left half; the object's wall is 0.5 m nearer: half of the pixels are wrong."""
    loss = ordinal_depth(*planes(10.5, 10.0), LEFT, ZEROS)
    assert loss == pytest.approx(np.log(1 + np.exp(0.5)) / 2, rel=1e-6)
    total = ordinal_depth(*planes(10.5, 10.0), LEFT, ZEROS, reduce="sum")
    assert total == pytest.approx(H * W / 2 * np.log(1 + np.exp(0.5)) / 2, rel=1e-6)
    assert ordinal_pixels(*planes(10.5, 10.0), LEFT, ZEROS).tolist() == [H * W // 2, 0]
    assert ordinal_pixels(*planes(10.0, 10.5), ZEROS, LEFT).tolist() == [0, H * W // 2]


def test_right_order_costs_nothing() -> None:
    assert ordinal_depth(*planes(10.0, 10.5), LEFT, ZEROS) == 0
    assert ordinal_depth(*planes(10.5, 10.0), ZEROS, LEFT) == 0
    assert ordinal_depth(*planes(10.0, 10.0), LEFT, 1 - LEFT) == 0


def test_descent_pulls_the_hidden_one_forward_and_pushes_the_other_back() -> None:
    human, human_covered, obj, object_covered = planes(10.5, 10.0)

    def loss(human_shift: Array, object_shift: Array) -> Array:
        return ordinal_depth(human + human_shift, human_covered, obj + object_shift, object_covered, LEFT, ZEROS)

    zero = jnp.zeros(())
    human_slope, object_slope = jax.grad(loss, (0, 1))(zero, zero)
    slope = 1 / (1 + np.exp(-0.5)) / 2  # sigmoid of the gap on half of the pixels
    assert human_slope == pytest.approx(slope, rel=1e-6)  # descent moves against it: the human comes nearer
    assert object_slope == pytest.approx(-slope, rel=1e-6)
    rate, human_at, object_at = 0.5, zero, zero
    for _ in range(10):
        human_slope, object_slope = jax.grad(loss, (0, 1))(human_at, object_at)
        human_at, object_at = human_at - rate * human_slope, object_at - rate * object_slope
    assert loss(human_at, object_at) == 0
    assert 10.5 + human_at < 10.0 + object_at


def test_beyond_the_clip_the_loss_is_flat() -> None:
    value, slope = jax.value_and_grad(lambda d: ordinal_depth(d, EVERYWHERE, 10 * ONES, EVERYWHERE, ONES, ZEROS, 2.0))(
        15 * ONES
    )
    assert value == pytest.approx(np.log(1 + np.exp(2)), rel=1e-6)
    assert (slope == 0).all()


@pytest.mark.parametrize("masks", [(ONES, ONES), (ZEROS, ZEROS)])
def test_pixels_that_both_masks_or_none_claim_do_not_count(masks: tuple[Array, Array]) -> None:
    assert ordinal_depth(*planes(10.5, 10.0), *masks) == 0


def test_no_overlap_gives_zero_whatever_the_depth_holds() -> None:
    empty = jnp.full((H, W), jnp.inf)
    value, slope = jax.value_and_grad(ordinal_depth)(empty, NOWHERE, empty, EVERYWHERE, LEFT, 1 - LEFT)
    assert value == 0
    assert (slope == 0).all()


def scene(seed: int) -> tuple[Array, ...]:
    rng = np.random.default_rng(seed)
    depths, covered = 10 + 3 * rng.random((2, H, W)), rng.random((2, H, W)) < 0.8
    masks = rng.random((2, H, W))
    return tuple(jnp.array(x) for x in (depths[0], covered[0], depths[1], covered[1], *masks))


@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_equals_the_definition_with_holes_and_mixed_masks(reduce: Literal["mean", "sum"]) -> None:
    for seed in range(5):
        human, human_covered, obj, object_covered, *masks = scene(seed)
        expected = plain_ordinal([human, obj], [human_covered, object_covered], masks, reduce)
        assert expected > 0
        assert ordinal_depth(*scene(seed), reduce=reduce) == pytest.approx(expected, rel=1e-5)


def test_the_mean_does_not_depend_on_the_resolution() -> None:
    def finer(x: Array) -> Array:
        return jnp.repeat(jnp.repeat(x, 2, 0), 2, 1)

    arrays = scene(3)
    assert ordinal_depth(*map(finer, arrays)) == pytest.approx(float(ordinal_depth(*arrays)), rel=1e-5)
    total = float(ordinal_depth(*arrays, reduce="sum"))
    assert ordinal_depth(*map(finer, arrays), reduce="sum") == pytest.approx(4 * total, rel=1e-5)


def test_gradients_against_finite_differences(check_gradient: Callable[..., None]) -> None:
    with jax.enable_x64(True):
        human, human_covered, obj, object_covered, *masks = scene(7)

        def loss(human: Array, obj: Array) -> Array:
            return ordinal_depth(human, human_covered, obj, object_covered, *masks)

        check_gradient(loss, human, obj, step=1e-7)


def test_same_under_jit_and_vmap() -> None:
    stacked = [jnp.stack(x) for x in zip(scene(1), scene(2))]
    single = [ordinal_depth(*scene(seed)) for seed in (1, 2)]
    np.testing.assert_allclose(jax.jit(jax.vmap(ordinal_depth))(*stacked), single, rtol=1e-6)
