"""Scenes whose given person is not the true one: limbs turned, root moved."""

import jax.numpy as jnp
import numpy as np
from scipy.spatial.transform import Rotation

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import joint_rotvecs, pose_body, with_joint_rotvecs
from hoijax.data.sample import HumanTruth, Sample, SampleError
from hoijax.types import HumanPose

LIMBS = (1, 2, 4, 5, 16, 17, 18, 19)  # hips, knees, shoulders, elbows
TURNED = (5.0, 15.0)  # degrees, about any axis
MOVED = 0.05  # metres, in any direction
STREAM = 7919  # apart from the numbers that the scene itself is drawn from


def disturbed_pose(pose: HumanPose, rng: np.random.Generator) -> HumanPose:
    """Each of the `LIMBS` turned within `TURNED`, the root moved by `MOVED`; directions are uniform on the sphere."""
    rotvecs = np.asarray(joint_rotvecs(pose), np.float64)
    axes = rng.normal(size=(len(LIMBS) + 1, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    angles = np.radians(rng.uniform(*TURNED, len(LIMBS)))
    for joint, axis, angle in zip(LIMBS, axes, angles):
        rotvecs[joint] = (Rotation.from_rotvec(rotvecs[joint]) * Rotation.from_rotvec(angle * axis)).as_rotvec()
    moved = with_joint_rotvecs(pose, jnp.asarray(rotvecs, jnp.float32))
    return moved._replace(translation=moved.translation + jnp.asarray(MOVED * axes[-1], jnp.float32))


def with_disturbed_human(sample: Sample, seed: list[int]) -> Sample:
    """A sample of the built-in body with its person disturbed, who is kept as `human_truth`; equal seeds, equal bytes.

    Object and photograph stay where they are before the camera: as meshes are stored without the person's translation,
    theirs are told relative to the new one. Raises SampleError for a mesh that is not of the built-in body.
    """
    body = builtin_body()
    if len(sample.human.verts) != len(body.template):
        sizes = f"{len(sample.human.verts)} vertices, expected the {len(body.template)} of the built-in body"
        raise SampleError(sample.folder, f"its person has {sizes}")
    pose = disturbed_pose(sample.pose, np.random.default_rng([STREAM, *seed]))
    shift = np.asarray(sample.pose.translation, np.float64) - np.asarray(pose.translation, np.float64)
    posed = pose_body(body, pose._replace(translation=jnp.zeros(3))).verts
    true = sample.human._replace(verts=sample.human.verts + shift)
    return sample._replace(
        pose=pose,
        human=sample.human._replace(verts=np.asarray(posed, np.float64)),
        object=sample.object._replace(verts=sample.object.verts + shift),
        truth=None if sample.truth is None else sample.truth._replace(verts=sample.truth.verts + shift),
        human_truth=HumanTruth(sample.pose, true),
    )


def with_true_human(sample: Sample) -> Sample:
    """The sample with its own person as `human_truth`: how much a method harms who was right."""
    return sample._replace(human_truth=HumanTruth(sample.pose, sample.human))
