"""Shape, pose and skin: against PyTorch smplx, a plain loop over the tree, finite differences, and what must hold."""

from pathlib import Path
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.body.smplx import (
    PARENTS,
    Refinement,
    fixed_body,
    joint_rotvecs,
    kinematic_chain,
    load_body,
    pose_body,
    refined_pose,
    with_joint_rotvecs,
    zero_pose,
)
from hoijax.geometry import rotation_matrix
from hoijax.types import Body, HumanPose

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "smplx.npz"


compiled = jax.jit(pose_body)


def random_pose(seed: int, size: float = 0.4) -> HumanPose:
    leaves, tree = jax.tree.flatten(zero_pose())
    keys = jax.random.split(jax.random.key(seed), len(leaves))
    return jax.tree.unflatten(tree, [size * jax.random.normal(k, x.shape) for k, x in zip(keys, leaves)])


def small_body(verts: int = 40, seed: int = 0) -> Body:
    """A body of 55 joints and few vertices, with pose blend shapes."""
    rng = np.random.default_rng(seed)
    weights, regressor = rng.random((verts, 55)) ** 8, rng.random((55, verts)) ** 8
    arrays = (
        rng.normal(size=(verts, 3)),
        0.1 * rng.normal(size=(verts, 3, 10)),
        0.1 * rng.normal(size=(verts, 3, 10)),
        0.02 * rng.normal(size=(486, verts, 3)),
        regressor / regressor.sum(1, keepdims=True),
        weights / weights.sum(1, keepdims=True),
    )
    return Body(*(jnp.array(a) for a in arrays), jnp.array(rng.integers(0, verts, (60, 3)), jnp.int32))


def test_equals_pytorch_smplx(make_smplx: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "SMPLX_NEUTRAL.npz"
    np.savez(path, **make_smplx.synthetic_model(PARENTS))
    golden = np.load(GOLDEN)
    poses = [HumanPose(**{k: jnp.array(v) for k, v in pose.items()}) for pose in make_smplx.random_poses()]
    posed = jax.vmap(pose_body, in_axes=(None, 0))(load_body(path), jax.tree.map(lambda *x: jnp.stack(x), *poses))
    # the made-up body spans a metre, and its pose blend shapes move vertices by centimetres: no part is without effect
    np.testing.assert_allclose(posed.verts[:, make_smplx.KEPT], golden["verts"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(posed.joints, golden["joints"], rtol=0, atol=1e-5)


def test_chain_equals_a_walk_from_the_root() -> None:
    rng = np.random.default_rng(0)
    joints = rng.normal(size=(55, 3))
    local = np.asarray(rotation_matrix(jnp.array(rng.normal(size=(55, 3)))))
    rotations, positions = [local[0]], [joints[0]]
    for j in range(1, 55):
        parent = PARENTS[j]
        rotations.append(rotations[parent] @ local[j])
        positions.append(positions[parent] + rotations[parent] @ (joints[j] - joints[parent]))
    found = kinematic_chain(jnp.array(local), jnp.array(joints))
    np.testing.assert_allclose(found[0], rotations, atol=2e-6)
    np.testing.assert_allclose(found[1], positions, atol=1e-5)


def test_rest_pose_is_the_template(body: Body) -> None:
    posed = compiled(body, zero_pose())
    np.testing.assert_allclose(posed.verts, body.template, atol=1e-6)
    np.testing.assert_allclose(posed.frames, np.broadcast_to(np.eye(3), posed.frames.shape), atol=1e-6)
    np.testing.assert_allclose(posed.joints, body.regressor @ body.template, atol=1e-6)


def test_root_and_translation_move_rigidly_about_the_root_joint(body: Body) -> None:
    root, translation = jnp.array([3.0, -0.2, 0.4]), jnp.array([0.1, -0.3, 20.0])
    bent = random_pose(1)._replace(root=jnp.zeros(3), translation=jnp.zeros(3))
    still = compiled(body, bent)
    moved = compiled(body, bent._replace(root=root, translation=translation))
    rotation = rotation_matrix(root)
    expected = (still.verts - still.joints[0]) @ rotation.T + still.joints[0] + translation
    np.testing.assert_allclose(moved.verts, expected, atol=1e-5)
    np.testing.assert_allclose(moved.frames, rotation @ still.frames, atol=1e-5)


@pytest.mark.parametrize(("joint", "child"), [(16, 18), (4, 7), (25, 26), (12, 15)])
def test_a_joint_moves_its_descendants_alone(body: Body, joint: int, child: int) -> None:
    rotvecs = joint_rotvecs(zero_pose()).at[joint].set(jnp.array([0.3, 0.5, 0.2]))
    posed = compiled(body, with_joint_rotvecs(zero_pose(), rotvecs))
    rest = body.regressor @ body.template
    below = np.zeros(55, bool)
    for j in range(1, 55):
        below[j] = PARENTS[j] == joint or below[PARENTS[j]]
    moved = np.linalg.norm(posed.joints - rest, axis=1) > 1e-4
    assert moved[child]
    assert not moved[~below].any()
    untouched = np.asarray(body.weights)[:, below | (np.arange(55) == joint)].sum(1) == 0
    np.testing.assert_allclose(posed.verts[untouched], body.template[untouched], atol=1e-6)


def test_rigid_bones_keep_their_lengths(body: Body) -> None:
    pose = random_pose(2)
    rest = compiled(body, zero_pose()._replace(shape=pose.shape, expression=pose.expression)).joints
    posed = compiled(body, pose).joints
    length = [np.linalg.norm(x[1:] - x[PARENTS[1:]], axis=1) for x in (rest, posed)]
    np.testing.assert_allclose(length[0], length[1], atol=1e-5)


def test_a_fixed_body_is_the_mesh_itself() -> None:
    rng = np.random.default_rng(0)
    verts, faces = rng.normal(size=(12, 3)).astype(np.float32), rng.integers(0, 12, (7, 3))
    mesh = fixed_body(verts, faces)
    posed = compiled(mesh, zero_pose())
    assert (posed.verts == verts).all()
    assert (posed.frames == jnp.eye(3)).all()
    moved = compiled(mesh, random_pose(3)._replace(root=jnp.zeros(3)))
    np.testing.assert_allclose(moved.verts, verts + random_pose(3).translation, atol=1e-6)


def test_vmap_equals_single_poses(body: Body) -> None:
    poses = [random_pose(k) for k in range(3)]
    batch = jax.vmap(pose_body, in_axes=(None, 0))(body, jax.tree.map(lambda *x: jnp.stack(x), *poses))
    for k, pose in enumerate(poses):
        np.testing.assert_allclose(batch.verts[k], compiled(body, pose).verts, atol=2e-6)


@jax.jit
def loss(body: Body, pose: HumanPose, probe: jnp.ndarray) -> jnp.ndarray:
    posed = pose_body(body, pose)
    return (posed.verts * probe).sum() + (posed.frames * probe[:, None]).sum() + (posed.joints**2).sum()


gradient_of_loss = jax.jit(jax.grad(loss, argnums=1))


@pytest.mark.parametrize("size", [0.0, 0.4])
def test_gradients_equal_finite_differences(size: float) -> None:
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda x: x.astype(jnp.float64) if x.dtype != jnp.int32 else x, small_body())
        pose = jax.tree.map(lambda x: x.astype(jnp.float64), random_pose(4, size))
        probe = jax.random.normal(jax.random.key(0), wide.template.shape, jnp.float64)
        gradient = gradient_of_loss(wide, pose, probe)
        for name in pose._fields:
            direction = jax.random.normal(jax.random.key(1), getattr(pose, name).shape, jnp.float64)
            up, down = (pose._replace(**{name: getattr(pose, name) + s * 1e-5 * direction}) for s in (1, -1))
            expected = (loss(wide, up, probe) - loss(wide, down, probe)) / 2e-5
            found = (getattr(gradient, name) * direction).sum()
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7, err_msg=name)


def test_gradients_are_finite_and_present_at_the_zero_pose(body: Body) -> None:
    probe = jax.random.normal(jax.random.key(0), body.template.shape)
    gradient = gradient_of_loss(body, zero_pose(), probe)
    for name, value in gradient._asdict().items():
        assert np.isfinite(value).all(), name
        assert (value != 0).any(), name


def test_corrections_act_as_part_of_the_pose() -> None:
    body, pose = small_body(), random_pose(5, 0.3)
    corrections = rotation_matrix(0.2 * jax.random.normal(jax.random.key(2), (54, 3)))
    refinement = Refinement(corrections)
    refined = compiled(body, pose, refinement)
    np.testing.assert_allclose(refined.verts, compiled(body, refined_pose(pose, refinement)).verts, atol=2e-5)
    assert np.abs(refined.verts - compiled(body, pose).verts).max() > 0.05
    assert (refined_pose(pose, None).body == pose.body).all()


def test_weight_logits_shift_the_blend() -> None:
    body, pose = small_body(), random_pose(6)
    logits = jnp.zeros((40, 55))
    same = compiled(body, pose, Refinement(weight_logits=logits))
    np.testing.assert_allclose(same.verts, compiled(body, pose).verts, atol=1e-5)
    alone = compiled(body, pose, Refinement(weight_logits=logits.at[:, 20].set(60.0)))  # all weight on one joint
    rotations = alone.frames
    np.testing.assert_allclose(rotations, np.broadcast_to(rotations[0], rotations.shape), atol=1e-5)
    np.testing.assert_allclose(rotations[0] @ rotations[0].T, np.eye(3), atol=1e-5)
