"""A result: what one reconstruction leaves behind, and the folder that holds it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from hoijax.data.sample import ColoredMesh
from hoijax.types import Camera, Gaussians, HumanPose


class Result(NamedTuple):
    """One reconstruction on the host (numpy). Meshes are in the frame of the sample's files: without cam_trans.

    The object moved by x' = scale * rotation (x - pivot) + pivot + translation (metres, frame of the files). `camera` is
    that of the full-size photograph. `contact` is Eq. 4's score per human vertex (low: contact); `part_scores` its mean
    per body part; `contact_parts` the parts judged to touch. `metrics` are {name: {"start": x, "result": y}}, plus
    "annotation" where the sample has one. `losses` are the last values of each term, `reasons` why a term was zero.
    `history` holds every term at every step (NaN where a stage did not weigh it). `seconds`: compile, run, total.
    """

    name: str
    config: Mapping[str, Any]
    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]
    scale: float
    pivot: Float[np.ndarray, "3"]
    camera: Camera
    pose: HumanPose
    human: ColoredMesh
    object: ColoredMesh
    gaussians: Gaussians
    contact: Float[np.ndarray, " v"]
    part_scores: Mapping[str, float]
    contact_parts: tuple[str, ...]
    metrics: Mapping[str, Mapping[str, float]]
    losses: Mapping[str, float]
    reasons: Mapping[str, str]
    history: Mapping[str, Float[np.ndarray, " steps"]]
    seconds: Mapping[str, float]
    dropped: int
    notes: tuple[str, ...] = ()
