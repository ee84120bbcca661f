"""The human's limbs and place refined by its outline, before anything else is fitted to it.

Damped by a prior that holds every joint near the given pose, as one silhouette leaves turns towards the camera open:

    E = sum_p w_p (S_p(theta) - M_p)^2 * 2 sqrt(pi) sigma / s^2 + sum_j |turn_j|^2 / (2 a^2) + |move|^2 / (2 b^2)

S: soft silhouette of the posed body at `sigma` pixels; M: the same of the human's mask; w is 0 where the object may hide the
outline and outside of the photograph. The factor makes the first sum the squared displacement of the outline, integrated
along it and measured in s^2 pixels. Minimised by Adam from coarse to fine `sigma`.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float

from hoijax.body.smplx import joint_rotvecs, pose_body, with_joint_rotvecs
from hoijax.geometry import rotation_matrix, rotation_vector
from hoijax.mesh.silhouette import REACH, soft_silhouette
from hoijax.optimize.step import Given
from hoijax.types import HumanPose, Scene

JOINTS = (0, 1, 2, 4, 5, 13, 14, 16, 17, 18, 19)  # root, hips, knees, collars, shoulders, elbows
TURN = tuple(np.radians([3.0, 12, 12, 12, 12, 4, 4, 12, 12, 12, 12]).tolist())  # a: what they may be wrong by
MOVE = (0.05, 0.05, 0.02)  # b: metres, x, y and depth
SIGMAS_PX = (5.0, 2.5, 1.2)  # blur of each level at a long side of 256 px
NOISE_PX = 8.0  # s: of the outline, as if its pixels were independent, at a long side of 256 px
RATE = 0.08  # Adam's, in units of the prior
EPS = 0.3  # Adam's: gradients below this, in units of the prior, do not count as full steps, or who is right would be moved


class Offset(NamedTuple):
    """What is added to a pose, in units of the prior: rotation vectors of `JOINTS`, and the place."""

    turn: Float[Array, "k 3"]
    move: Float[Array, "3"]


def moved_pose(pose: HumanPose, offset: Offset) -> HumanPose:
    """The pose with R_j exp(a_j turn_j) at each of `JOINTS`, and moved by b * move."""
    joints, turn = np.array(JOINTS), offset.turn * jnp.array(TURN)[:, None]
    rotvecs = joint_rotvecs(pose)
    new = rotation_vector(rotation_matrix(rotvecs[joints]) @ rotation_matrix(turn))
    changed = with_joint_rotvecs(pose, rotvecs.at[joints].set(new))
    return changed._replace(translation=pose.translation + offset.move * jnp.array(MOVE))


def squared_distances(marked: Bool[Array, "h w"]) -> Float[Array, "h w"]:
    """Squared distance (pixels) of every pixel to the nearest marked one, 1e6 where there is none near. One axis by one."""

    def along(values: Float[Array, "h w"]) -> Float[Array, "h w"]:
        index = jnp.arange(len(values), dtype=values.dtype)
        return ((index[:, None] - index)[..., None] ** 2 + values).min(1)

    return along(along(jnp.where(marked, 0.0, 1e6)).T).T


def soft_target(scene: Scene, sigma_px: float) -> tuple[Float[Array, "h w"], Float[Array, "h w"]]:
    """M and w: what `soft_silhouette` would show of the human's mask, and which pixels can tell.

    The object hides the human, and nothing is known outside of the photograph: both have no distance to say. A pixel nearer
    to them than to the outline has weight 0, as its outline may be hidden.
    """
    known = scene.valid & (scene.object_mask < 0.5)
    there = known & (scene.human_mask > 0.5)
    own = scene.human_mask > 0.5
    other = jnp.where(own, squared_distances(known & ~there), squared_distances(there))
    distance = jnp.minimum(jnp.sqrt(other) - 0.5, REACH * sigma_px)  # pixel centres stand half a pixel from the outline
    hidden = jnp.sqrt(squared_distances(~known))
    target = jax.scipy.special.ndtr(jnp.where(own, distance, -distance) / sigma_px)
    return target, (known & (distance <= hidden)).astype(target.dtype)


def outline_energy(
    offset: Offset, given: Given, target: Float[Array, "h w"], known: Float[Array, "h w"], sigma_px: float
) -> Float[Array, ""]:
    """E of the module's equation; its sigma and s scale with the image."""
    scene, body = given.scene, given.assets.body
    h, w = known.shape
    verts = pose_body(body, moved_pose(scene.human, offset)).verts
    drawn = soft_silhouette(verts, body.faces, scene.camera, (h, w), sigma_px)
    scale = max(h, w) / 256
    image = (known * (drawn - target) ** 2).sum() * (2 * np.sqrt(np.pi) * sigma_px) / (NOISE_PX * scale) ** 2 / scale
    return image + 0.5 * ((offset.turn**2).sum() + (offset.move**2).sum())


@partial(jax.jit, static_argnames="steps")
def refined_human(given: Given, *, steps: int) -> HumanPose:
    """The human's pose that agrees best with its mask; `steps` of Adam at each of three blurs.

    A body of one joint can only be moved.
    """
    scene = given.scene
    size = max(scene.valid.shape)
    free = len(given.assets.body.regressor) > 1
    offset = Offset(jnp.zeros((len(JOINTS), 3)), jnp.zeros(3))
    for sigma in SIGMAS_PX:
        sigma_px = sigma * size / 256
        target, known = soft_target(scene, sigma_px)
        optimizer = optax.adam(optax.cosine_decay_schedule(RATE * sigma / SIGMAS_PX[0], steps, 0.05), b2=0.95, eps=EPS)
        energy = partial(outline_energy, given=given, target=target, known=known, sigma_px=sigma_px)

        def step(carry: Any, _: None, energy: Any = energy, optimizer: Any = optimizer) -> tuple[Any, None]:
            offset, moments = carry
            gradient = jax.grad(energy)(offset)
            change, moments = optimizer.update(gradient, moments)
            return (optax.apply_updates(offset, change), moments), None

        (offset, _), _ = jax.lax.scan(step, (offset, optimizer.init(offset)), None, length=steps)
        if not free:
            offset = offset._replace(turn=jnp.zeros_like(offset.turn))
    return moved_pose(scene.human, offset)


def refinement_note(before: HumanPose, after: HumanPose) -> str:
    """The sentence for a result, which keeps the sample's frame and so tells the new place beside its cam_trans."""
    joints = np.array(JOINTS)
    old, new = (np.asarray(rotation_matrix(joint_rotvecs(pose)[joints])) for pose in (before, after))
    cosine = (np.einsum("jab,jab->j", old, new) - 1) / 2
    degrees = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    x, y, z = 100 * (np.asarray(after.translation) - np.asarray(before.translation))
    return (
        f"human: refined by its outline, joints turned by {degrees.mean():.1f} degrees on average and {degrees.max():.1f} "
        f"at most, moved by ({x:.1f}, {y:.1f}, {z:.1f}) cm (transl)"
    )
