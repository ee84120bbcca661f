"""The refiners start at no change, have gradients that can move them, and vanish for a body without joints."""

import jax
import jax.numpy as jnp
import numpy as np

from hoijax.body.refine import init_refiners, positional_encoding, refine
from hoijax.body.smplx import fixed_body, pose_body, zero_pose
from hoijax.types import Body, HumanPose, Refiners


def bent() -> HumanPose:
    return jax.tree.map(lambda x: x + 0.1, zero_pose())


def test_start_at_no_change(body: Body) -> None:
    refiners = init_refiners(jax.random.key(0), body)
    refinement = jax.jit(refine)(refiners, body, bent())
    assert refinement is not None
    np.testing.assert_allclose(refinement.corrections, np.broadcast_to(np.eye(3), (54, 3, 3)), atol=1e-4)
    assert (refinement.weight_logits == 0).all()
    compiled = jax.jit(pose_body)
    plain, refined = compiled(body, bent()), compiled(body, bent(), refinement)
    assert np.abs(plain.verts - refined.verts).max() < 1e-4


def test_every_layer_can_move_after_one_step(body: Body) -> None:
    refiners = init_refiners(jax.random.key(0), body)
    probe = jax.random.normal(jax.random.key(1), body.template.shape)

    @jax.jit
    @jax.grad
    def gradient(refiners: Refiners) -> jnp.ndarray:
        return (pose_body(body, bent(), refine(refiners, body, bent())).verts * probe).sum()

    first = gradient(refiners)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(first))
    assert all((x != 0).any() for x in jax.tree.leaves(first.pose))
    stepped = jax.tree.map(lambda x, g: x - 1e-3 * jnp.sign(g), refiners, first)
    second = gradient(stepped)
    assert all((x != 0).any() for x in jax.tree.leaves(second))


def test_pose_corrections_depend_on_the_pose_but_not_on_the_root(body: Body) -> None:
    refiners = jax.tree.map(lambda x: x + 0.01, init_refiners(jax.random.key(0), body))
    compiled = jax.jit(refine)
    one, turned = (compiled(refiners, body, p) for p in (bent(), bent()._replace(root=jnp.ones(3))))
    other = compiled(refiners, body, bent()._replace(jaw=jnp.ones(3)))
    assert one is not None
    assert turned is not None
    assert other is not None
    assert (one.corrections == turned.corrections).all()
    assert (one.corrections != other.corrections).any()


def test_one_refiner_may_be_absent(body: Body) -> None:
    refiners = init_refiners(jax.random.key(0), body)
    refinement = refine(refiners._replace(skinning={}), body, bent())
    assert refinement is not None
    assert refinement.weight_logits is None
    assert refinement.corrections is not None


def test_nothing_to_refine_in_a_fixed_body() -> None:
    mesh = fixed_body(np.zeros((4, 3), np.float32), np.zeros((1, 3), np.int32))
    refiners = init_refiners(jax.random.key(0), mesh)
    assert refiners == Refiners({}, {})
    assert refine(refiners, mesh, zero_pose()) is None


def test_encoding() -> None:
    points = jnp.array([[0.1, -0.2, 0.3]])
    encoded = np.asarray(positional_encoding(points))[0]
    expected = [*points[0]]
    for k in range(10):
        expected += [*np.sin(2.0**k * points[0]), *np.cos(2.0**k * points[0])]
    np.testing.assert_allclose(encoded, expected, atol=1e-5)
