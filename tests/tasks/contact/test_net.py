"""The contact network: what its answer may and may not depend on, and that it learns."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.tasks.contact.net import (
    ContactInput,
    ContactNet,
    ContactNetConfig,
    GapHead,
    Level,
    groups_of,
    init_state,
    logits,
    train_step,
)

SMALL = ContactNetConfig(
    inputs="points",
    levels=(Level(8, 0.4, 4, (8,)), Level(3, 1.0, 3, (8,))),
    cloud_widths=(16,),
    image_widths=(8,),
    image_feature=8,
    head=(16,),
    dropout=0.0,
)


def batch(count: int, seed: int = 0) -> tuple[ContactInput, np.ndarray]:
    """A ball left or right of a cloud; the first label says left, the second right, the rest nothing."""
    rng = np.random.default_rng(seed)
    human = rng.normal(0, 0.3, (count, 24, 3))
    side = rng.choice([-1.0, 1.0], count)
    thing = rng.normal(0, 0.1, (count, 20, 3)) + side[:, None, None] * np.array([0.6, 0, 0])
    labels = np.zeros((count, 34))
    labels[:, 0], labels[:, 1] = side < 0, side > 0
    image = rng.random((count, 8, 8, 5))
    return ContactInput(*(field.astype(np.float32) for field in (human, thing, image))), labels.astype(np.float32)


def one(given: ContactInput, k: int) -> ContactInput:
    return jax.tree.map(lambda field: field[k], given)


@jax.jit
def told(params: dict, given: ContactInput) -> jax.Array:
    return logits(SMALL, params, given)


def known(given: ContactInput) -> ContactInput:
    return given._replace(groups=jax.jit(jax.vmap(lambda one: groups_of(SMALL, one)))(given))


@pytest.fixture(scope="module")
def params() -> dict:
    return init_state(SMALL, one(batch(1)[0], 0), 1e-3, jax.random.key(0)).params


def test_a_batch_is_each_example_by_itself(params: dict) -> None:
    given, _ = batch(3)
    together = told(params, given)
    single = jax.jit(ContactNet(SMALL).apply)(params, one(given, 1))
    np.testing.assert_allclose(together[1], single, atol=1e-5)


def test_the_relation_of_the_clouds_counts(params: dict) -> None:
    given, _ = batch(1)
    there = given._replace(object=given.object + np.float32([0, 0.5, 0]))
    assert float(jnp.abs(told(params, given) - told(params, there)).max()) > 1e-3


@pytest.mark.parametrize("inputs", ["image", "points", "both"])
def test_a_network_sees_only_its_inputs(inputs: str) -> None:
    config = dataclasses.replace(SMALL, inputs=inputs)
    told = jax.jit(lambda params, given: logits(config, params, given))
    given, _ = batch(1)
    params = init_state(config, one(given, 0), 1e-3, jax.random.key(0)).params
    other, _ = batch(1, seed=5)

    def moves(changed: ContactInput) -> bool:
        return bool(jnp.abs(told(params, given) - told(params, changed)).max() > 1e-6)

    assert moves(given._replace(image=other.image)) == (inputs != "points")
    assert moves(given._replace(object=other.object)) == (inputs != "image")


def test_groups_found_beforehand_change_nothing(params: dict) -> None:
    given, _ = batch(2)
    bare, prepared = (told(params, value) for value in (given, known(given)))
    np.testing.assert_allclose(bare, prepared, atol=1e-5)
    other = known(batch(2, seed=3)[0]).groups
    assert float(jnp.abs(bare - told(params, given._replace(groups=other))).max()) > 1e-4


def test_gradients_are_finite_where_points_coincide(params: dict) -> None:
    given, labels = batch(2)
    human, thing = np.array(given.human), np.array(given.object)
    human[0], thing[0] = human[0, :1], human[0, :1]  # one point, everywhere the same
    given = given._replace(human=human, object=thing)

    def loss(params: dict) -> jax.Array:
        return jnp.mean((told(params, given) - labels) ** 2)

    gradient = jax.jit(jax.grad(loss))(params)
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(gradient))
    assert any(bool((leaf != 0).any()) for leaf in jax.tree.leaves(gradient))


def test_it_learns_on_which_side_the_object_is() -> None:
    given, labels = batch(64)
    given = known(given)
    state = init_state(SMALL, one(given, 0), 1e-2, jax.random.key(1))
    step = train_step(SMALL, 1e-2)
    for _ in range(30):
        state, loss = step(state, given, jnp.asarray(labels))
    unseen, truth = batch(32, seed=7)
    unseen = known(unseen)
    assert float(loss) < 0.1
    assert ((told(state.params, unseen) > 0) == (truth > 0.5)).mean() > 0.99


def test_a_gap_counts_for_its_own_part_alone_and_alike_for_all() -> None:
    head = GapHead((0.01, 0.1), (8,))
    gaps = jnp.linspace(-0.01, 0.3, 34).at[5].set(jnp.inf)
    params = head.init(jax.random.key(0), gaps)
    told = head.apply(params, gaps)
    assert np.isfinite(told).all()
    other = head.apply(params, gaps.at[7].set(0.0))
    np.testing.assert_array_equal(np.flatnonzero(np.asarray(told != other)), [7])
    np.testing.assert_allclose(head.apply(params, gaps[::-1]), told[::-1], atol=1e-6)


def test_a_network_that_looks_at_gaps_wants_them() -> None:
    config = dataclasses.replace(SMALL, inputs="gaps")
    given = one(batch(1)[0], 0)
    with pytest.raises(ValueError, match="gaps"):
        init_state(config, given, 1e-3, jax.random.key(0))
    near = given._replace(gaps=np.zeros(34, np.float32))
    params = init_state(config, near, 1e-3, jax.random.key(0)).params
    tell = jax.jit(lambda gaps: ContactNet(config).apply(params, near._replace(gaps=gaps)))
    assert not np.allclose(tell(near.gaps), tell(near.gaps + 1))
