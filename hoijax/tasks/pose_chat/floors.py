"""Answers without any model, from the other samples alone: what the words of a question tell about a pose by themselves.

A model that looks at the picture has to beat these. No sample's own pose goes into its answer.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from hoijax.geometry import rotation_matrix
from hoijax.tasks.pose_chat.answers import JOINTS, Answer, nearest_rotations
from hoijax.tasks.pose_chat.prompts import doing, plain, told
from hoijax.tasks.pose_chat.select import Subject

WORDED = ("object", "interaction", "interaction+object")  # the rows that words of other samples can answer


def mean_rotation(rotations: Float[np.ndarray, "n *j 3 3"]) -> Float[np.ndarray, "*j 3 3"]:
    """The rotation with the least sum of squared chordal distances |R - R_i|^2: nearest to the mean of the matrices.

    Hartley et al., Rotation Averaging, 2013, section 5.3.
    """
    return nearest_rotations(rotations.mean(0))


def true_bodies(subjects: Sequence[Subject]) -> Float[np.ndarray, "n 21 3 3"]:
    """The annotated rotations of all samples' body joints."""
    rotvecs = jnp.stack([subject.pose.body for subject in subjects])
    return np.asarray(rotation_matrix(rotvecs), np.float64)


def rest_answer() -> Answer:
    """The T-pose: asks and tells nothing."""
    return Answer("", np.broadcast_to(np.eye(3), (JOINTS, 3, 3)).copy())


class Spoken(NamedTuple):
    """The action and the object of each sample, as a question names them."""

    interaction: np.ndarray
    object: np.ndarray


def spoken(subjects: Sequence[Subject]) -> Spoken:
    """What questions about the samples would name."""
    actions, categories = ([getattr(s, field) for s in subjects] for field in ("action", "category"))
    return Spoken(np.asarray([doing(a) for a in actions]), np.asarray([plain(c) for c in categories]))


def alike(words: Spoken, index: int, row: str) -> tuple[Bool[np.ndarray, " n"], str]:
    """The other samples that share what the row tells about one, and what it is that they share.

    Where none shares all of it: those of the same action, then of the same object, then all others.
    """
    others = np.arange(len(words.object)) != index
    same = {name: values == values[index] for name, values in words._asdict().items()}
    named = [name for name in Spoken._fields if name in told(row)]
    for shared in (named, *([name] for name in named)):
        chosen = np.logical_and.reduce([others, *(same[name] for name in shared)])
        if chosen.any():
            return chosen, " and ".join(shared)
    return others, ""


def mean_answer(words: Spoken, bodies: Float[np.ndarray, "n 21 3 3"], index: int, row: str) -> Answer:
    """The mean pose of the other samples that share the row's words. Raises ValueError where there is no other."""
    chosen, shared = alike(words, index, row)
    if not chosen.any():
        raise ValueError("mean_answer: one sample alone has no others to take a mean of")
    count = int(chosen.sum())
    whose = f"{count} of the same {shared}" if shared else f"all {count} others"
    return Answer(f"mean of {whose}", mean_rotation(bodies[chosen]))


def floor_answers(subjects: Sequence[Subject]) -> dict[str, list[Answer]]:
    """{row: an answer for each sample}: the T-pose, and with two samples or more the means of the others."""
    found = {"rest": [rest_answer()] * len(subjects)}
    if len(subjects) > 1:
        bodies, words = true_bodies(subjects), spoken(subjects)
        rows = {"mean": "none", **{f"words: {row}": row for row in WORDED}}
        for name, row in rows.items():
            found[name] = [mean_answer(words, bodies, index, row) for index in range(len(subjects))]
    return found
