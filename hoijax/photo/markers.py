"""The 33 landmarks on a body model: what the network learned to point at, said in joints and parts of the body."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from hoijax.body.parts import PART_NAMES, body_parts
from hoijax.body.smplx import PARENTS
from hoijax.photo.landmarks import LANDMARKS
from hoijax.types import Body

EXTREME = 6  # vertices that make the end of a part: one alone would hang on the mesh's density

# Landmarks that are centres of rotation are joints of SMPL-X (left, right). Of the hand the network knows knuckles.
JOINT_OF = {
    "eye": (23, 24),
    "shoulder": (16, 17),
    "elbow": (18, 19),
    "wrist": (20, 21),
    "pinky": (31, 46),
    "index": (25, 40),
    "thumb": (38, 53),
    "hip": (1, 2),
    "knee": (4, 5),
    "ankle": (7, 8),
}


def marker_body(body: Body) -> Body:
    """A body of 33 + j vertices that poses like `body`: the landmarks, then its joints as vertices of their own.

    A landmark on the skin is a mean of vertices: its rest place, directions and skinning weights are their means. So
    posing it costs a hundredth of posing the skin. It has no faces.
    """
    pick = jnp.asarray(np.concatenate([landmark_weights(body), np.asarray(body.regressor)]), body.template.dtype)
    v, j = len(pick), len(body.regressor)
    bone = np.zeros((v, j), np.float32)
    bone[-j:] = np.eye(j)
    for k, joint in landmark_joints().items():
        bone[k, joint] = 1
    on_skin = np.logical_not(bone.any(1, keepdims=True))
    skinned = jnp.where(on_skin, pick @ body.weights, bone)
    return Body(
        template=pick @ body.template,
        shape_dirs=jnp.einsum("mv,vcs->mcs", pick, body.shape_dirs),
        expression_dirs=jnp.einsum("mv,vcs->mcs", pick, body.expression_dirs),
        pose_dirs=jnp.einsum("mv,pvc->pmc", pick * on_skin, body.pose_dirs),
        regressor=jnp.concatenate([jnp.zeros((j, v - j), pick.dtype), jnp.eye(j, dtype=pick.dtype)], 1),
        weights=skinned,
        faces=jnp.zeros((0, 3), jnp.int32),
    )


def landmark_joints() -> dict[int, int]:
    """Which landmarks are joints, and which joints."""
    return {
        LANDMARKS.index(f"{side} {name}"): pair[k]
        for name, pair in JOINT_OF.items()
        for k, side in enumerate(("left", "right"))
    }


def landmark_weights(body: Body) -> Float[np.ndarray, "33 v"]:
    """Each landmark as a mean of rest vertices. Raises ValueError for a body that is not skinned."""
    if len(body.regressor) != len(PARENTS):
        raise ValueError(f"the body has {len(body.regressor)} joints, expected the {len(PARENTS)} of SMPL-X")
    weights = np.zeros((len(LANDMARKS), len(body.template)))
    for k, joint in landmark_joints().items():
        weights[k] = np.asarray(body.regressor[joint])
    for name, vertices in _skin_marks(body).items():
        weights[LANDMARKS.index(name), vertices] = 1 / len(vertices)
    return weights


def _skin_marks(body: Body) -> dict[str, Int[np.ndarray, " n"]]:
    """Vertices of the landmarks that are no joints; the rest pose has y up and faces +z, its left is +x."""
    rest, parts = np.asarray(body.template), body_parts(body)

    def furthest(part: str, direction: tuple[float, float, float], count: int = EXTREME) -> Int[np.ndarray, " n"]:
        own = np.flatnonzero(parts == PART_NAMES.index(part))
        return own[np.argsort(-(rest[own] @ np.array(direction)), kind="stable")[:count]]

    marks = {"nose": furthest("nose", (0.0, 0.0, 1.0))}
    for side, out in (("left", 1.0), ("right", -1.0)):
        marks |= {
            f"{side} eye inner": furthest(f"{side} eye", (-out, 0.0, 0.0)),
            f"{side} eye outer": furthest(f"{side} eye", (out, 0.0, 0.0)),
            # the ear's opening is where it meets the cheek: its foremost vertices, not the shell
            f"{side} ear": furthest(f"{side} ear", (0.0, 0.0, 1.0)),
            f"mouth {side}": furthest("mouth", (out, 0.0, 0.0)),
            f"{side} heel": furthest(f"{side} foot", (0.0, -0.5, -1.0)),
            f"{side} toes": furthest(f"{side} foot", (0.0, 0.0, 1.0)),
        }
    return marks
