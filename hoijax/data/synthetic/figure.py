"""One person's skeleton and skin on the host, and how vertices move with each joint.

World frame of the scenes: y up, floor at y = 0, the person at first facing +z, metres. The arrays are float64.
"""

from typing import NamedTuple

import igl
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial.transform import Rotation

from hoijax.body.parts import PART_NAMES, body_parts
from hoijax.body.smplx import PARENTS, shape_body
from hoijax.types import Body

JOINTS = (
    *("root", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle"),
    *("spine3", "left_toes", "right_toes", "neck", "left_collar", "right_collar", "head", "left_shoulder"),
    *("right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "jaw", "left_eye", "right_eye"),
    *(f"{side}_{finger}{k}" for side in ("left", "right") for finger in ("index", "middle", "pinky", "ring", "thumb")
      for k in (1, 2, 3)),
)  # fmt: skip


def _descendants() -> Bool[np.ndarray, "55 55"]:
    """[k, j]: joint j hangs on joint k, or is it."""
    below = np.eye(len(PARENTS), dtype=bool)
    for joint in range(len(PARENTS) - 1, 0, -1):
        below[PARENTS[joint]] |= below[joint]
    return below


DESCENDANTS = _descendants()


class Figure(NamedTuple):
    """A person in the rest pose; `patches` are named vertex sets that can be asked to touch something."""

    rest: Float[np.ndarray, "v 3"]
    joints: Float[np.ndarray, "55 3"]
    weights: Float[np.ndarray, "v 55"]
    faces: Int[np.ndarray, "f 3"]
    parts: Int[np.ndarray, " v"]
    patches: dict[str, Int[np.ndarray, " n"]]


class Stance(NamedTuple):
    """Rotations of the joints relative to their parents, and where the root joint stands."""

    local: Float[np.ndarray, "55 3 3"]
    root: Float[np.ndarray, "3"]


class Placed(NamedTuple):
    """A figure in a stance: skin, and orientation and position of each joint."""

    verts: Float[np.ndarray, "v 3"]
    frames: Float[np.ndarray, "55 3 3"]
    positions: Float[np.ndarray, "55 3"]


def init_figure(body: Body, shape: Float[np.ndarray, "10"]) -> Figure:
    """The person of these shape coefficients."""
    mean = jnp.zeros(body.expression_dirs.shape[-1])
    rest, joints = (np.asarray(x, np.float64) for x in shape_body(body, jnp.asarray(shape, jnp.float32), mean))
    faces = np.asarray(body.faces, np.int64)
    weights = np.asarray(body.weights, np.float64)
    parts = body_parts(body)
    return Figure(rest, joints, weights, faces, parts, _patches(rest, joints, weights, faces, parts))


def place(figure: Figure, stance: Stance) -> Placed:
    """Linear blend skinning of the figure in a stance."""
    frames, positions = stance.local.copy(), np.zeros((55, 3))
    positions[0] = stance.root
    for k in range(1, 55):
        parent = PARENTS[k]
        frames[k] = frames[parent] @ stance.local[k]
        positions[k] = positions[parent] + frames[parent] @ (figure.joints[k] - figure.joints[parent])
    offsets = positions - np.einsum("jab,jb->ja", frames, figure.joints)
    blended = np.tensordot(figure.weights, frames, 1)
    verts = np.einsum("vab,vb->va", blended, figure.rest) + figure.weights @ offsets
    return Placed(verts, frames, positions)


def velocities(
    figure: Figure, placed: Placed, vertices: Int[np.ndarray, " n"], free: Int[np.ndarray, " k"]
) -> Float[np.ndarray, "n 3 k 3"]:
    """dx/d(angle) of vertices under small turns of the free joints about their own axes: x' = sum_j w_j a x (x_j - p)."""
    weights = figure.weights[vertices]
    local = figure.rest[vertices][:, None] - figure.joints
    spread = np.einsum("jab,njb->nja", placed.frames, local) + placed.positions  # where each joint alone takes a vertex
    below = DESCENDANTS[free].astype(float)
    arm = np.einsum("kj,nj,nja->nka", below, weights, spread, optimize=True)
    arm -= (weights @ below.T)[..., None] * placed.positions[free]
    axes = placed.frames[free].transpose(0, 2, 1)  # [joint, axis, xyz]
    return np.cross(axes[None], arm[:, :, None]).transpose(0, 3, 1, 2)


def stance_of(turns: dict[str, str], root: Float[np.ndarray, "3"]) -> Stance:
    """A stance from words such as {"left_shoulder": "z-70 x20"}: degrees about fixed axes, one after the other.

    "both_" names a pair by its left member; the right one mirrors it.
    """
    local = np.tile(np.eye(3), (55, 1, 1))
    for name, text in turns.items():
        if name.startswith("both_"):
            local[JOINTS.index(name.replace("both_", "left_"))] = _turned(text, 1)
            local[JOINTS.index(name.replace("both_", "right_"))] = _turned(text, -1)
        else:
            local[JOINTS.index(name)] = _turned(text, 1)
    return Stance(local, np.asarray(root, np.float64))


def _turned(text: str, side: int) -> np.ndarray:
    rotation = Rotation.identity()
    for word in text.split():
        angle = float(word[1:]) * (1 if word[0] == "x" else side)
        rotation = Rotation.from_euler(word[0], angle, degrees=True) * rotation
    return rotation.as_matrix()


def _patches(
    rest: np.ndarray, joints: np.ndarray, weights: np.ndarray, faces: np.ndarray, parts: np.ndarray
) -> dict[str, np.ndarray]:
    """Palms, finger pads, soles, seat and lips, found by part, joint and where the rest surface faces."""
    bone, part = weights.argmax(1), np.array(PART_NAMES)[parts]
    _, up, front = igl.per_vertex_normals(rest, faces).T
    masks = {
        "seat": np.isin(bone, (0, 1, 2))
        & (front < -0.3)
        & (rest[:, 1] < joints[1, 1] + 0.02)
        & (rest[:, 1] > joints[1, 1] - 0.16),
        "lips": (part == "mouth") & (front > 0.3),
        "back": (part == "back") & (front < -0.5),
    }
    for side, first in (("left", 25), ("right", 40)):
        foot = (part == f"{side} foot") & (up < -0.7)
        ankle = joints[7 + (side == "right")]
        masks[f"{side} heel"] = foot & (rest[:, 2] < ankle[2] + 0.02)
        masks[f"{side} toes"] = foot & (rest[:, 2] > ankle[2] + 0.12)
        masks[f"{side} palm"] = (part == f"{side} palm") & (up < -0.5)
        masks[f"{side} thigh"] = (bone == 1 + (side == "right")) & (np.abs(rest[:, 0]) < np.abs(joints[1, 0]))
        for f, finger in enumerate(("index", "middle", "pinky", "ring", "thumb")):
            for k in (1, 2, 3):
                masks[f"{side} {finger}{k}"] = (bone == first + 3 * f + k - 1) & (up < (-0.1 if f == 4 else -0.4))
    return {name: np.flatnonzero(mask) for name, mask in masks.items()}
