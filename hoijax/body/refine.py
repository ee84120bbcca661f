"""The two small networks that refine a skinned body: rotation corrections and a skinning offset.

Hu et al., GauHuman, CVPR 2024. Both start at no change. A `fixed_body` has neither: its refiners are empty.
"""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, PRNGKeyArray

from hoijax.body.smplx import Refinement, joint_rotvecs
from hoijax.geometry import rotation_matrix
from hoijax.types import Body, HumanPose, Refiners

FREQUENCIES = 10  # of the positional encoding: 2^0 .. 2^9 radians per metre
START = 1e-5  # half-width of the uniform start of the pose refiner's last layer, radians per unit


class Mlp(nn.Module):
    """Fully connected layers with ReLU between them: `depth` hidden layers of `width`, then a linear one."""

    depth: int
    width: int
    out: int
    last_init: Callable

    @nn.compact
    def __call__(self, x: Float[Array, "*n c"]) -> Float[Array, "*n out"]:
        """Values of the network; `out` numbers for each input vector."""
        for _ in range(self.depth):
            x = nn.relu(nn.Dense(self.width)(x))
        return nn.Dense(self.out, kernel_init=self.last_init)(x)


def pose_refiner(joints: int) -> Mlp:
    """Network from the non-root pose vector to an axis-angle correction of each of the joints, radians."""
    return Mlp(depth=3, width=128, out=3 * joints, last_init=_uniform_start)


def skinning_refiner(joints: int) -> Mlp:
    """Network from an encoded template vertex to a logit for each of the joints."""
    return Mlp(depth=3, width=128, out=joints, last_init=nn.initializers.zeros_init())


def init_refiners(key: PRNGKeyArray, body: Body) -> Refiners:
    """Flax variables of both networks, at no change; empty dicts for a body of one joint."""
    joints = len(body.regressor)
    if joints == 1:
        return Refiners(pose={}, skinning={})
    pose_key, skinning_key = jax.random.split(key)
    return Refiners(
        pose=pose_refiner(joints - 1).init(pose_key, jnp.zeros(3 * (joints - 1))),
        skinning=skinning_refiner(joints).init(skinning_key, positional_encoding(jnp.zeros((1, 3)))),
    )


def refine(refiners: Refiners, body: Body, pose: HumanPose) -> Refinement | None:
    """What the networks change in this pose, for `pose_body`; an empty dict of variables changes nothing."""
    joints = len(body.regressor)
    corrections = logits = None
    if refiners.pose:
        rotvecs = joint_rotvecs(pose)[1:joints]
        change = jnp.asarray(pose_refiner(joints - 1).apply(refiners.pose, rotvecs.reshape(-1)))
        corrections = rotation_matrix(change.reshape(rotvecs.shape))
    if refiners.skinning:
        encoded = positional_encoding(body.template)
        logits = jnp.asarray(skinning_refiner(joints).apply(refiners.skinning, encoded))
    return Refinement(corrections, logits) if refiners.pose or refiners.skinning else None


def positional_encoding(points: Float[Array, "n 3"]) -> Float[Array, "n 63"]:
    """(x, sin 2^k x, cos 2^k x) for k = 0..9 (NeRF, equation 4, without its factor pi)."""
    angles = points[:, None] * 2.0 ** jnp.arange(FREQUENCIES)[:, None]
    waves = jnp.stack([jnp.sin(angles), jnp.cos(angles)], 2)
    return jnp.concatenate([points, waves.reshape(len(points), -1)], 1)


def _uniform_start(key: PRNGKeyArray, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> Array:
    return jax.random.uniform(key, shape, dtype, -START, START)
