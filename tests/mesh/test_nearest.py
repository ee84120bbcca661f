import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial import cKDTree

from hoijax.mesh import nearest as module

NO_POINT = module.NO_POINT
nearest = jax.jit(module.nearest, static_argnames="chunk")
nearest_dense = jax.jit(module.nearest_dense)
chamfer = jax.jit(module.chamfer)


def cloud(seed: int, count: int, distance: float = 30.0) -> jnp.ndarray:
    points = np.random.default_rng(seed).normal(size=(count, 3)) * 0.3
    return jnp.asarray(points + [0, 0, distance], jnp.float32)


@pytest.mark.parametrize(("count", "chunk"), [(1, 4096), (32, 4096), (33, 1), (500, 64), (500, 4096)])
def test_finds_what_the_tree_finds_far_from_the_camera(count, chunk):
    queries, points = cloud(0, 200), cloud(1, count)
    distance, index = cKDTree(np.asarray(points, np.float64)).query(np.asarray(queries, np.float64))
    found = nearest(queries, points, chunk=chunk)
    assert_array_equal(found.index, index)
    assert_allclose(np.sqrt(found.squared), distance, atol=1e-6)


def test_equals_the_dense_twin_in_values_and_gradients():
    queries, points = cloud(2, 150), cloud(3, 170)
    valid = jnp.asarray(np.random.default_rng(4).random(170) < 0.5)
    fast, dense = (
        jax.value_and_grad(lambda q, p, f=f: jnp.sin(40 * f(q, p, valid).squared).sum(), (0, 1))(queries, points)
        for f in (nearest, nearest_dense)
    )
    assert_allclose(fast[0], dense[0], rtol=1e-5)
    for ours, theirs in zip(fast[1], dense[1]):
        assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_invalid_points_are_never_chosen_even_when_not_finite():
    queries, points = cloud(5, 50), cloud(6, 60)
    valid = jnp.arange(60) >= 20
    spoiled = jnp.where(valid[:, None], points, jnp.nan)
    found = nearest(queries, spoiled, valid)
    assert bool(found.found)
    assert_array_equal(found.index, nearest(queries, points[20:]).index + 20)
    assert np.isfinite(jax.grad(lambda p: nearest(queries, p, valid).squared.sum())(spoiled)).all()


def test_without_valid_points_says_so():
    found = nearest(cloud(7, 5), cloud(8, 6), jnp.zeros(6, bool))
    assert not bool(found.found)
    assert_array_equal(found.squared, np.float32(NO_POINT))
    assert_array_equal(found.index, 0)
    slope = jax.grad(lambda q: nearest(q, cloud(8, 6), jnp.zeros(6, bool)).squared.sum())(cloud(7, 5))
    assert_array_equal(slope, 0)


def test_no_points_at_all_is_an_error():
    with pytest.raises(ValueError, match=r"shape \(0, 3\)"):
        nearest(cloud(0, 5), jnp.zeros((0, 3)))


def test_lowest_index_wins_a_tie():
    points = jnp.tile(cloud(9, 40), (3, 1))
    assert_array_equal(nearest(points[:40], points).index, jnp.arange(40))


def test_vmap_and_jit_equal_single():
    queries, points = jnp.stack([cloud(0, 90), cloud(1, 90)]), jnp.stack([cloud(2, 70), cloud(3, 70)])
    batched = jax.jit(jax.vmap(nearest))(queries, points)
    for k in range(2):
        assert_array_equal(batched.index[k], nearest(queries[k], points[k]).index)


def test_memory_stays_small_at_full_size():
    shapes = (jax.ShapeDtypeStruct((10475, 3), jnp.float32), jax.ShapeDtypeStruct((4096, 3), jnp.float32))
    compiled = jax.jit(nearest).lower(*shapes).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 32e6


def test_chamfer_means_both_ways():
    a, b = cloud(10, 80), cloud(11, 120)
    ab = cKDTree(np.asarray(b, np.float64)).query(np.asarray(a, np.float64))[0]
    ba = cKDTree(np.asarray(a, np.float64)).query(np.asarray(b, np.float64))[0]
    expected = (ab.mean(), ba.mean(), (ab**2).mean(), (ba**2).mean(), True)
    assert_allclose(chamfer(a, b), expected, rtol=1e-5)


def test_chamfer_with_padding_equals_chamfer_without():
    a, b = cloud(12, 80), cloud(13, 120)
    padded = chamfer(
        jnp.pad(a, ((0, 9), (0, 0))), jnp.pad(b, ((0, 5), (0, 0))), jnp.arange(89) < 80, jnp.arange(125) < 120
    )
    assert_allclose(padded, chamfer(a, b), rtol=1e-6)


def test_chamfer_of_an_empty_set_is_flagged_zero():
    empty = chamfer(cloud(0, 5), cloud(1, 5), None, jnp.zeros(5, bool))
    assert_array_equal(jnp.stack(empty[:4]), 0)
    assert not bool(empty.found)


def test_chamfer_gradient_is_finite_where_points_coincide():
    a = cloud(14, 30)
    assert_array_equal(jax.jit(jax.grad(lambda x: chamfer(x, a).a_to_b))(a), 0)
