"""Errors of the human's body, with where it stands and faces taken out (Open3DHOI Table 5)."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from hoijax.body.smplx import Refinement, pose_body
from hoijax.geometry import safe_norm
from hoijax.types import Body, HumanPose

MAIN_JOINTS = 22  # root and body: SMPL-X's joints without face and hands, which come after them


class BodyErrors(NamedTuple):
    """Mean per-joint and per-vertex position error, millimetres."""

    mpjpe_mm: Float[Array, ""]
    mpvpe_mm: Float[Array, ""]


def mean_position_error_mm(predicted: Float[Array, "n 3"], true: Float[Array, "n 3"]) -> Float[Array, ""]:
    """1000 / n x sum |x_i - y_i|: the mean distance of corresponding points in mm, points in metres. No alignment."""
    return 1000 * safe_norm(predicted - true).mean()


def without_root(pose: HumanPose) -> HumanPose:
    """The pose with root rotation and translation zero: what is left is the body's shape and the pose of its limbs."""
    return pose._replace(root=jnp.zeros_like(pose.root), translation=jnp.zeros_like(pose.translation))


def body_errors(
    body: Body,
    predicted: HumanPose,
    true: HumanPose,
    refinement: Refinement | None = None,
    joints: int = MAIN_JOINTS,
) -> BodyErrors:
    """MPJPE over the first `joints` joints and MPVPE over all vertices, both bodies posed without root (see above).

    The root joint keeps the place that the shape gives it: a difference of shape counts. `refinement` is the predicted
    body's. Works under `jit` and `vmap`. Raises ValueError for a body without those joints, as a fixed mesh is.
    """
    if len(body.regressor) < joints:
        raise ValueError(f"body_errors: the body has {len(body.regressor)} joints, expected {joints} or more")
    found = pose_body(body, without_root(predicted), refinement)
    truth = pose_body(body, without_root(true))
    return BodyErrors(
        mpjpe_mm=mean_position_error_mm(found.joints[:joints], truth.joints[:joints]),
        mpvpe_mm=mean_position_error_mm(found.verts, truth.verts),
    )
