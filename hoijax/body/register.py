"""Lays a skinned body onto a mesh that is already posed, so that what is known of the body can be read off the mesh."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int
from scipy.spatial import cKDTree

from hoijax.body.smplx import joint_rotvecs, pose_body, with_joint_rotvecs, zero_pose
from hoijax.types import Body, HumanPose

ROUNDS = 20  # searches for nearest vertices
STEPS = 8  # Adam steps between two searches
RATE = 0.02  # of Adam: radians, metres, unit coefficients
ROTATION_PRIOR = 1e-5  # square metres per square radian that a joint is turned away from the given pose
SHAPE_PRIOR = 1e-6  # square metres per squared shape coefficient


class Alignment(NamedTuple):
    """What registration may change: joint rotations (added to the pose's vectors), shape, size and place."""

    rotvecs: Float[Array, "55 3"]
    shape: Float[Array, " s"]
    log_scale: Float[Array, ""]
    translation: Float[Array, "3"]


def registered_verts(
    body: Body, pose: HumanPose, mesh: Float[np.ndarray, "n 3"], pairs: Int[np.ndarray, "k 2"]
) -> Float[np.ndarray, "v 3"]:
    """Vertices of `body` laid onto a mesh in about this pose, metres: iterated closest points over an `Alignment`.

    Minimises the mean squared distance to nearest vertices, both ways, and that of `pairs` (body vertex, mesh vertex).
    Of `pose` the joint rotations count alone: shape coefficients need not be this body's, and the place is found.
    """
    center = (mesh.min(0) + mesh.max(0)) / 2
    target = np.asarray(mesh - center, np.float32)
    start = Alignment(jnp.zeros((55, 3)), jnp.zeros(body.shape_dirs.shape[-1]), jnp.zeros(()), jnp.zeros(3))
    verts = np.asarray(_aligned(start, body, pose))
    scale = np.linalg.norm(np.ptp(target, 0)) / np.linalg.norm(np.ptp(verts, 0))
    middle = (verts.min(0) + verts.max(0)) / 2
    alignment = start._replace(log_scale=jnp.log(scale), translation=jnp.asarray(-scale * middle))
    state = optax.adam(RATE).init(alignment)
    tree = cKDTree(target)
    for _ in range(ROUNDS):
        verts = np.asarray(_aligned(alignment, body, pose))
        nearest = tree.query(verts)[1], cKDTree(verts).query(target)[1], pairs
        alignment, state = _adam_steps(alignment, state, body, pose, target, nearest)
    return np.asarray(_aligned(alignment, body, pose), np.float64) + center


@jax.jit
def _aligned(alignment: Alignment, body: Body, pose: HumanPose) -> Float[Array, "v 3"]:
    turned = with_joint_rotvecs(zero_pose(), joint_rotvecs(pose) + alignment.rotvecs)
    verts = pose_body(body, turned._replace(shape=alignment.shape)).verts
    return jnp.exp(alignment.log_scale) * verts + alignment.translation


Nearest = tuple[Int[Array, " v"], Int[Array, " n"], Int[Array, "k 2"]]


def _distance(
    alignment: Alignment, body: Body, pose: HumanPose, target: Float[Array, "n 3"], nearest: Nearest
) -> Float[Array, ""]:
    """Mean squared distances (square metres) of body -> mesh, mesh -> body and the pairs, plus the priors."""
    to_mesh, to_body, pairs = nearest
    verts = _aligned(alignment, body, pose)
    gaps = (verts - target[to_mesh], verts[to_body] - target, verts[pairs[:, 0]] - target[pairs[:, 1]])
    squared = sum((gap**2).sum() / max(len(gap), 1) for gap in gaps)
    prior = ROTATION_PRIOR * (alignment.rotvecs**2).sum() + SHAPE_PRIOR * (alignment.shape**2).sum()
    return squared + prior


@jax.jit
def _adam_steps(
    alignment: Alignment,
    state: optax.OptState,
    body: Body,
    pose: HumanPose,
    target: Float[Array, "n 3"],
    nearest: Nearest,
) -> tuple[Alignment, optax.OptState]:
    def step(carry: tuple, _: None) -> tuple[tuple, None]:
        alignment, state = carry
        gradient = jax.grad(_distance)(alignment, body, pose, target, nearest)
        update, state = optax.adam(RATE).update(gradient, state)
        return (optax.apply_updates(alignment, update), state), None

    return jax.lax.scan(step, (alignment, state), None, STEPS)[0]
