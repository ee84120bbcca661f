"""How far answered bodies are from the annotated ones, in millimetres (Open3DHOI, section 6.2, Table 5)."""

from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hoijax.geometry import rotation_vector
from hoijax.metrics.body import BodyErrors, body_errors
from hoijax.report.statistics import Estimate, estimate
from hoijax.tasks.pose_chat.answers import Answer
from hoijax.types import Body, HumanPose

Unasked = Literal["annotation", "mean"]
CHUNK = 8  # bodies posed at once; the last chunk is filled up, so that one program serves any number


class Score(NamedTuple):
    """Errors of one answer; NaN for one without a pose."""

    mpjpe_mm: float
    mpvpe_mm: float


class RowScore(NamedTuple):
    """One row of the table: `asked` samples, of which `posed` got a pose; the errors are over those."""

    asked: int
    posed: int
    mpjpe_mm: Estimate
    mpvpe_mm: Estimate


def answered_pose(truth: HumanPose, body: Float[Array, "21 3 3"], unasked: Unasked) -> HumanPose:
    """The annotated person with the answered body joints.

    What an answer does not tell, shape, expression, jaw, eyes and fingers, is the annotation's, so that the error is of
    the body's pose alone; or, with "mean", the mean shape with flat hands, as the answering model draws it.
    """
    rotvecs = rotation_vector(body)
    if unasked == "annotation":
        return truth._replace(body=rotvecs)
    return jax.tree.map(jnp.zeros_like, truth)._replace(body=rotvecs)


@partial(jax.jit, static_argnames="unasked")
def batch_errors(
    body: Body, answered: Float[Array, "n 21 3 3"], truths: HumanPose, unasked: Unasked = "annotation"
) -> BodyErrors:
    """MPJPE and MPVPE of each of n answers, root rotation and translation zero in both (see `body_errors`).

    `truths`: a HumanPose whose fields have a leading axis of n.
    """

    def one(rotations: Float[Array, "21 3 3"], truth: HumanPose) -> BodyErrors:
        return body_errors(body, answered_pose(truth, rotations, unasked), truth)

    return jax.vmap(one)(answered, truths)


def scores(
    body: Body, answers: Sequence[Answer], truths: Sequence[HumanPose], unasked: Unasked = "annotation"
) -> list[Score]:
    """The errors of each answer, in order."""
    found = [Score(np.nan, np.nan)] * len(answers)
    posed = [index for index, answer in enumerate(answers) if answer.body is not None]
    for start in range(0, len(posed), CHUNK):
        chunk = posed[start : start + CHUNK]
        filled = chunk + chunk[:1] * (CHUNK - len(chunk))
        rotations = jnp.asarray(np.stack([_body(answers[index]) for index in filled]), jnp.float32)
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(truths[index] for index in filled))
        errors = batch_errors(body, rotations, stacked, unasked)
        for index, joint, vert in zip(chunk, np.asarray(errors.mpjpe_mm), np.asarray(errors.mpvpe_mm), strict=False):
            found[index] = Score(float(joint), float(vert))
    return found


def row_score(found: Sequence[Score]) -> RowScore:
    """Means and standard errors over the answers that have a pose."""
    joints, verts = (estimate([getattr(score, name) for score in found]) for name in Score._fields)
    return RowScore(len(found), joints.scenes, joints, verts)


def _body(answer: Answer) -> Float[np.ndarray, "21 3 3"]:
    assert answer.body is not None
    return answer.body
