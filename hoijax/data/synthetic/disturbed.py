"""Scenes whose given person is not the true one: limbs turned, root moved; or a body that no body file reproduces."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from hoijax.body.builtin import builtin_body
from hoijax.body.smplx import joint_rotvecs, pose_body, with_joint_rotvecs
from hoijax.data.sample import HumanTruth, Sample
from hoijax.mesh.normals import vertex_normals
from hoijax.types import Body, HumanPose

LIMBS = (1, 2, 4, 5, 16, 17, 18, 19)  # hips, knees, shoulders, elbows
TURNED = (5.0, 15.0)  # degrees, about any axis
MOVED = 0.05  # metres, in any direction
STREAM = 7919  # apart from the numbers that the scene itself is drawn from
PADDING = (0.01, 0.02)  # metres that another body's surface is further out


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


def with_disturbed_human(sample: Sample, seed: list[int], body: Body | None = None) -> Sample:
    """The sample with a disturbed person; what it had is its `human_truth`. Equal arguments give equal bytes.

    Object and photograph stay where they are before the camera: as meshes are stored without the person's translation,
    theirs are told relative to the new one. `body`: whose mesh the person is, the built-in one by default.
    """
    body = builtin_body() if body is None else body
    pose = disturbed_pose(sample.pose, np.random.default_rng([STREAM, *seed]))
    shift = np.asarray(sample.pose.translation, np.float64) - np.asarray(pose.translation, np.float64)
    posed = pose_body(body, pose._replace(translation=jnp.zeros(3))).verts
    assert sample.truth is not None
    true = sample.human._replace(verts=sample.human.verts + shift)
    return sample._replace(
        pose=pose,
        human=sample.human._replace(verts=np.asarray(posed, np.float64)),
        object=sample.object._replace(verts=sample.object.verts + shift),
        truth=sample.truth._replace(verts=sample.truth.verts + shift),
        human_truth=HumanTruth(sample.pose, true),
    )


def with_true_human(sample: Sample) -> Sample:
    """The sample with its own person as `human_truth`: how much a method harms who was right."""
    return sample._replace(human_truth=HumanTruth(sample.pose, sample.human))


def padded_body(seed: list[int]) -> Body:
    """The built-in body with its surface moved out by a smooth amount within `PADDING`: of the same topology and joints.

    Too far for the built-in body to stand for it (`prepare`), so it is a person whose body model nobody has.
    """
    body = builtin_body()
    template = np.asarray(body.template, np.float64)
    rng = np.random.default_rng([STREAM, *seed])
    waves = np.sin(template @ rng.normal(0, 5, (3, 6)) + rng.uniform(0, 2 * np.pi, 6)).mean(1)
    share = (waves - waves.min()) / np.ptp(waves)
    low, high = PADDING
    out = np.asarray(vertex_normals(body.template, body.faces)) * (low + (high - low) * share)[:, None]
    return body._replace(template=jnp.asarray(template + _in_span(out), jnp.float32))


def _in_span(offsets: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "v 3"]:
    """The offsets without what would move the joints."""
    regressor = np.asarray(builtin_body().regressor, np.float64)
    return offsets - np.linalg.lstsq(regressor, regressor @ offsets, rcond=None)[0]
