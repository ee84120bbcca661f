"""Contact: Eq. 4 by hand, the loss against a plain double loop, and what happens when nothing touches."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.losses import contact as module
from hoijax.losses.contact import contact_region, contact_score, contact_set, is_empty, normalized

contact = jax.jit(module.contact)
value_and_grad = jax.jit(jax.value_and_grad(module.contact, (0, 2)))

OPACITY = jnp.array([0.1, 0.5, 0.1, 0.9, 0.0])
SQUARED = jnp.array([0.0, 4.0, 1.0, 0.01, 99.0])
VALID = jnp.array([True, True, True, True, False])


def sets(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Human and object points 30 m away, and a region of each."""
    rng = np.random.default_rng(seed)
    depth = np.array([0, 0, 30])
    human, obj = rng.normal(size=(70, 3)) + depth, rng.normal(size=(45, 3)) + depth
    return human, rng.random(70) < 0.5, obj, rng.random(45) < 0.5


def plain_contact(human: np.ndarray, human_region: np.ndarray, obj: np.ndarray, object_region: np.ndarray) -> float:
    squared = ((human[human_region][:, None] - obj[object_region]) ** 2).sum(-1)
    return squared.min(1).mean() + squared.min(0).mean()


def test_score_by_hand() -> None:
    # opacities span 0.1 to 0.9, squared distances 0 to 4; the padding entry counts for neither
    expected = [0.0, 0.2 * 0.5 + 0.8, 0.8 * 0.25, 0.2 + 0.8 * 0.0025, 1.0]
    np.testing.assert_allclose(contact_score(OPACITY, SQUARED, VALID, 0.2, 0.8), expected, atol=1e-6)


def test_region_needs_both_near_and_hidden() -> None:
    region = contact_region(OPACITY, SQUARED, VALID, distance_threshold=0.3, opacity_threshold=0.05)
    assert region.tolist() == [True, False, True, False, False]
    assert contact_region(OPACITY, SQUARED, VALID, 0.2, 0.05).tolist() == [True, False, False, False, False]


def test_norm_of_equal_no_and_infinite_span() -> None:
    assert (normalized(jnp.full(4, 0.1), jnp.ones(4, bool)) == 0).all()
    assert (normalized(jnp.arange(4.0), jnp.zeros(4, bool)) == 0).all()
    hidden = normalized(jnp.array([1.0, 3.0, jnp.nan]), jnp.array([True, True, False]))
    assert hidden.tolist() == [0, 1, 0]


def test_set_keeps_the_lowest_scores_and_counts_the_rest() -> None:
    region, score = jnp.array([True, False, True, True, True]), jnp.array([0.4, 0.0, 0.1, 0.3, 0.2])
    packed = contact_set(region, score, 3)
    assert packed.index.tolist() == [2, 4, 3]
    assert packed.valid.all()
    assert packed.left_out == 1
    roomy = contact_set(region, score, 100)
    assert sorted(roomy.index[roomy.valid].tolist()) == [0, 2, 3, 4]
    assert roomy.left_out == 0
    empty = contact_set(jnp.zeros(5, bool), score, 3)
    assert not empty.valid.any()
    assert empty.left_out == 0


def test_loss_equals_the_double_loop() -> None:
    human, human_region, obj, object_region = sets()
    found = contact(*(jnp.array(x) for x in (human, human_region, obj, object_region)))
    assert found == pytest.approx(plain_contact(human, human_region, obj, object_region), rel=1e-4)


def test_packed_loss_equals_the_full_one() -> None:
    human, human_region, obj, object_region = (jnp.array(x) for x in sets(1))
    a = contact_set(human_region, jnp.zeros(70), 100)
    b = contact_set(object_region, jnp.zeros(45), 100)
    assert a.left_out == b.left_out == 0
    packed = contact(human[a.index], a.valid, obj[b.index], b.valid)
    assert packed == pytest.approx(float(contact(human, human_region, obj, object_region)), rel=1e-6)


def test_gradients_against_finite_differences(check_gradient: Callable[..., None]) -> None:
    with jax.enable_x64(True):
        human, human_region, obj, object_region = (jnp.array(x) for x in sets(2))
        check_gradient(lambda h, o: contact(h, human_region, o, object_region), human, obj)


def test_gradient_is_zero_outside_of_the_regions_and_closes_the_gap() -> None:
    human, human_region, obj, object_region = (jnp.array(x) for x in sets(3))
    before, gradient = value_and_grad(human, human_region, obj, object_region)
    assert (gradient[0][~human_region] == 0).all()
    assert (gradient[1][~object_region] == 0).all()
    after = contact(human - 0.1 * gradient[0], human_region, obj - 0.1 * gradient[1], object_region)
    assert after < before


@pytest.mark.parametrize("empty", ["human", "object", "both"])
def test_empty_region_is_a_zero_loss_that_says_so(empty: str) -> None:
    human, human_region, obj, object_region = (jnp.array(x) for x in sets())
    human_region &= empty == "object"
    object_region &= empty == "human"
    assert is_empty(human_region, object_region)
    value, gradients = value_and_grad(human, human_region, obj, object_region)
    assert value == 0
    assert all((gradient == 0).all() for gradient in gradients)


def test_regions_with_points_are_not_empty() -> None:
    assert not is_empty(jnp.array([False, True]), jnp.array([True]))


def test_same_under_jit_and_vmap() -> None:
    stacked = [jnp.array(np.stack(x)) for x in zip(sets(4), sets(5))]
    together = jax.jit(jax.vmap(contact))(*stacked)
    single = [contact(*(x[k] for x in stacked)) for k in range(2)]
    np.testing.assert_allclose(together, single, rtol=1e-6)
