"""The SMPL-X body model: shape, pose, skin. One pose per call, a batch is `jax.vmap` over it.

Loper et al., SMPL, 2015, section 3; Pavlakos et al., SMPL-X, 2019, section 3.1. The rest pose is a T-pose with y
up, facing +z; `HumanPose.root` turns it into the camera frame about the root joint.
"""

from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from hoijax.body.layout import read_hand_means, read_smplx
from hoijax.geometry import rotation_matrix, rotation_vector
from hoijax.types import Body, HumanPose, Posed

# Parent of each SMPL-X joint: root, 21 body, jaw, 2 eyes, 15 left hand, 15 right hand. A body of j joints has the
# parents PARENTS[:j].
PARENTS = np.array(
    [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 15, 15, 15]
    + [20, 25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35, 20, 37, 38]
    + [21, 40, 41, 21, 43, 44, 21, 46, 47, 21, 49, 50, 21, 52, 53]
)


class Refinement(NamedTuple):
    """What the refiners change for one pose: R_j <- R_j dR_j of the k = j - 1 non-root joints, and skinning logits.

    None means unchanged.
    """

    corrections: Float[Array, "k 3 3"] | None = None
    weight_logits: Float[Array, "v j"] | None = None


def load_body(path: str | Path) -> Body:
    """The body of an SMPL-X `.npz` file, in any of its published layouts.

    Pose blend shapes that are all zero are left out (`pose_dirs` has no rows), which saves their product.

    Raises: FileNotFoundError; ValueError naming the file, what was found and what was expected. A `.pkl` is refused.
    """
    arrays = read_smplx(Path(path), PARENTS)
    return Body(*(jnp.asarray(array) for array in arrays))


def load_hand_means(path: str | Path) -> Float[Array, "2 15 3"]:
    """Mean pose of the left and right hand in an SMPL-X `.npz`, axis-angle. Raises: as `load_body`."""
    return jnp.asarray(read_hand_means(Path(path)))


def with_hand_means(pose: HumanPose, means: Float[Array, "2 15 3"]) -> HumanPose:
    """The full pose of one whose hands were stored relative to the mean hand, as estimators built on smplx often do."""
    return pose._replace(left_hand=pose.left_hand + means[0], right_hand=pose.right_hand + means[1])


def fixed_body(verts: Float[np.ndarray | Array, "v 3"], faces: Int[np.ndarray | Array, "f 3"]) -> Body:
    """A posed mesh as a body of one joint at the origin, with nothing to bend: for a topology that has no model."""
    verts = jnp.asarray(verts)
    v, dtype = len(verts), verts.dtype
    return Body(
        template=verts,
        shape_dirs=jnp.zeros((v, 3, 10), dtype),
        expression_dirs=jnp.zeros((v, 3, 10), dtype),
        pose_dirs=jnp.zeros((0, v, 3), dtype),
        regressor=jnp.zeros((1, v), dtype),
        weights=jnp.ones((v, 1), dtype),
        faces=jnp.asarray(faces, jnp.int32),
    )


def zero_pose() -> HumanPose:
    """The rest pose of the mean shape at the origin."""
    return HumanPose(
        root=jnp.zeros(3),
        body=jnp.zeros((21, 3)),
        jaw=jnp.zeros(3),
        eyes=jnp.zeros((2, 3)),
        left_hand=jnp.zeros((15, 3)),
        right_hand=jnp.zeros((15, 3)),
        shape=jnp.zeros(10),
        expression=jnp.zeros(10),
        translation=jnp.zeros(3),
    )


def joint_rotvecs(pose: HumanPose) -> Float[Array, "55 3"]:
    """The axis-angle vectors of a pose in joint order."""
    single = (pose.root[None], pose.body, pose.jaw[None], pose.eyes, pose.left_hand, pose.right_hand)
    return jnp.concatenate(single)


def with_joint_rotvecs(pose: HumanPose, rotvecs: Float[Array, "55 3"]) -> HumanPose:
    """The pose with these joint rotations: the inverse of `joint_rotvecs`."""
    root, body, jaw, eyes, left_hand, right_hand = jnp.split(rotvecs, (1, 22, 23, 25, 40))
    return pose._replace(root=root[0], body=body, jaw=jaw[0], eyes=eyes, left_hand=left_hand, right_hand=right_hand)


def shape_body(
    body: Body, shape: Float[Array, " s"], expression: Float[Array, " e"]
) -> tuple[Float[Array, "v 3"], Float[Array, "j 3"]]:
    """Rest vertices T + B_S beta + B_E psi of one person, and the joints regressed from them."""
    verts = body.template + body.shape_dirs @ shape + body.expression_dirs @ expression
    return verts, body.regressor @ verts


def joint_rotations(
    pose: HumanPose, count: int, corrections: Float[Array, "k 3 3"] | None = None
) -> Float[Array, "j 3 3"]:
    """Rotations of the first `count` joints relative to their parents, R_j dR_j where there are corrections."""
    rotations = rotation_matrix(joint_rotvecs(pose)[:count])
    if corrections is None:
        return rotations
    return jnp.concatenate([rotations[:1], rotations[1:] @ corrections])


def pose_offsets(body: Body, rotations: Float[Array, "j 3 3"]) -> Float[Array, "v 3"]:
    """Pose blend shapes B_P vec(R_1 - I, ..., R_j - I) over the non-root joints; zero for a body that has none."""
    if len(body.pose_dirs) == 0:
        return jnp.zeros_like(body.template)
    feature = (rotations[1:] - jnp.eye(3, dtype=rotations.dtype)).reshape(-1)
    flat = body.pose_dirs.reshape(len(feature), -1)  # one matrix: its product and gradient take no transposed copy
    return (feature @ flat).reshape(body.template.shape)


def kinematic_chain(
    rotations: Float[Array, "j 3 3"], joints: Float[Array, "j 3"]
) -> tuple[Float[Array, "j 3 3"], Float[Array, "j 3"]]:
    """World rotations and positions of the joints, G_j = G_parent(j) [R_j | J_j - J_parent(j)].

    Composed by doubling: a joint that has gathered its last n transforms takes those of its n-th ancestor, so four
    rounds serve chains of up to 16 joints.
    """
    ancestors = PARENTS[: len(joints)]
    rotation = rotations
    position = joints - jnp.where(ancestors[:, None] >= 0, joints[ancestors], 0)
    while (ancestors >= 0).any():
        inner = (ancestors >= 0)[:, None]
        up = jnp.where(inner[..., None], rotation[ancestors], jnp.eye(3, dtype=rotation.dtype))
        position = jnp.where(inner, position[ancestors], 0) + jnp.einsum("jab,jb->ja", up, position)
        rotation = up @ rotation
        ancestors = np.where(ancestors >= 0, ancestors[ancestors], -1)
    return rotation, position


def skinning_weights(body: Body, logits: Float[Array, "v j"] | None = None) -> Float[Array, "v j"]:
    """Blend weights softmax(log(w + 1e-9) + logits) (GauHuman); those of the body without logits."""
    if logits is None:
        return body.weights
    return jax.nn.softmax(jnp.log(body.weights + 1e-9) + logits)


def skin(
    rest: Float[Array, "v 3"],
    weights: Float[Array, "v j"],
    rotations: Float[Array, "j 3 3"],
    offsets: Float[Array, "j 3"],
) -> tuple[Float[Array, "v 3"], Float[Array, "v 3 3"]]:
    """Linear blend skinning x' = F x + sum_j w_j o_j with the frame F = sum_j w_j R_j. Returns x' and F."""
    frames = jnp.tensordot(weights, rotations, 1)
    return jnp.einsum("vab,vb->va", frames, rest) + weights @ offsets, frames


def pose_body(body: Body, pose: HumanPose, refinement: Refinement | None = None) -> Posed:
    """Shape, pose and skin a body; metres, in the frame that `pose.root` and `pose.translation` lead to.

    A refinement's rotation corrections act as if they were part of the pose: on the chain and on the pose blend shapes.
    """
    corrections, logits = refinement or Refinement()
    with jax.default_matmul_precision("highest"):
        rest, joints = shape_body(body, pose.shape, pose.expression)
        local = joint_rotations(pose, len(joints), corrections)
        rotations, positions = kinematic_chain(local, joints)
        offsets = positions - jnp.einsum("jab,jb->ja", rotations, joints)
        weights = skinning_weights(body, logits)
        verts, frames = skin(rest + pose_offsets(body, local), weights, rotations, offsets)
    return Posed(verts + pose.translation, frames, positions + pose.translation)


def refined_pose(pose: HumanPose, refinement: Refinement | None) -> HumanPose:
    """The pose whose joint rotations are the refined ones, R_j dR_j: what a results file stores."""
    if refinement is None or refinement.corrections is None:
        return pose
    rotations = joint_rotations(pose, len(PARENTS), refinement.corrections)
    return with_joint_rotvecs(pose, rotation_vector(rotations))
