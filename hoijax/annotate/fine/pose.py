"""Poses of an object in the fine tool, and how nudges change them. All in float64; nothing of the server in here."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

MAX_SCALE = 20.0  # of the mesh as it started, and its inverse the smallest
MAX_SHIFT = 20.0  # metres
NEAREST = 0.1  # metres before the camera: no object's centre comes nearer


class PoseError(ValueError):
    """What is no pose, or one that nobody can mean."""


class Pose(NamedTuple):
    """x' = s R (x - m) + m + t about the pivot m, s = exp(log_scale), in the frame of the sample's files.

    That frame has the axes of the camera (x right, y down, z away from it) and, with the human's camera translation
    added, its origin.
    """

    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]
    log_scale: float


def identity() -> Pose:
    """The mesh as it started."""
    return Pose(np.eye(3), np.zeros(3), 0.0)


def shifted(pose: Pose, metres: Float[np.ndarray, "3"]) -> Pose:
    """Moved along the axes of the camera."""
    return checked(pose._replace(translation=pose.translation + metres))


def along_ray(pose: Pose, pivot: Float[np.ndarray, "3"], metres: float) -> Pose:
    """Moved away from the camera along the ray through the object's centre, which keeps its place in the image.

    `pivot` in the camera's frame. Raises PoseError where the centre would come nearer than `NEAREST` to the camera.
    """
    centre = pivot + pose.translation
    distance = float(np.linalg.norm(centre))
    if distance + metres < NEAREST:
        raise PoseError("the object would come too near to the camera")
    return checked(pose._replace(translation=pose.translation + metres * centre / distance))


def turned(pose: Pose, rotvec: Float[np.ndarray, "3"]) -> Pose:
    """Turned about its own centre, about axes parallel to the camera's (axis times angle, radians)."""
    turn = Rotation.from_rotvec(rotvec) * Rotation.from_matrix(pose.rotation)
    return pose._replace(rotation=turn.as_matrix())


def scaled(pose: Pose, factor: float) -> Pose:
    """Scaled about its own centre."""
    if not factor > 0:
        raise PoseError(f"a scale of {factor} is none")
    return checked(pose._replace(log_scale=pose.log_scale + float(np.log(factor))))


def composed(first: Pose, pivot: Float[np.ndarray, "3"], then: Pose, about: Float[np.ndarray, "3"]) -> Pose:
    """`first` about `pivot`, followed by `then` about another point, as one pose about `pivot`. Same frame for all."""
    scale = np.exp(then.log_scale)
    centre = scale * then.rotation @ (pivot + first.translation - about) + about + then.translation
    both = Rotation.from_matrix(then.rotation) * Rotation.from_matrix(first.rotation)
    return Pose(both.as_matrix(), centre - pivot, first.log_scale + then.log_scale)


def same(a: Pose, b: Pose) -> bool:
    """Whether two poses are one, to the last bit."""
    turned_alike, moved_alike = np.array_equal(a.rotation, b.rotation), np.array_equal(a.translation, b.translation)
    return turned_alike and moved_alike and a.log_scale == b.log_scale


def matrix(pose: Pose, pivot: Float[np.ndarray, "3"]) -> Float[np.ndarray, "4 4"]:
    """What takes homogeneous points to where the pose puts them."""
    linear = np.exp(pose.log_scale) * pose.rotation
    whole = np.eye(4)
    whole[:3, :3], whole[:3, 3] = linear, pivot + pose.translation - linear @ pivot
    return whole


def placed(points: Float[np.ndarray, "n 3"], pose: Pose, pivot: Float[np.ndarray, "3"]) -> Float[np.ndarray, "n 3"]:
    """The points where the pose puts them."""
    return np.exp(pose.log_scale) * (points - pivot) @ pose.rotation.T + pivot + pose.translation


def plain(pose: Pose) -> dict[str, Any]:
    """The pose as JSON."""
    return {
        "rotation": pose.rotation.tolist(),
        "translation": pose.translation.tolist(),
        "log_scale": float(pose.log_scale),
    }


def read_pose(value: Mapping[str, Any]) -> Pose:
    """The pose that `plain` wrote. Raises PoseError for anything else."""
    try:
        rotation = np.asarray(value["rotation"], np.float64).reshape(3, 3)
        translation = np.asarray(value["translation"], np.float64).reshape(3)
        log_scale = float(value["log_scale"])
    except (KeyError, TypeError, ValueError) as error:
        raise PoseError(f"is no pose: {error}") from error
    return checked(Pose(rotation, translation, log_scale))


def checked(pose: Pose) -> Pose:
    """The pose itself. Raises PoseError where it is not finite, no rotation, too large, too small or too far away."""
    rotation, translation, log_scale = pose
    if not all(np.isfinite(values).all() for values in pose):
        raise PoseError("the pose is not finite")
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-6 or np.linalg.det(rotation) < 0:
        raise PoseError("the pose does not turn, it deforms")
    if abs(log_scale) > np.log(MAX_SCALE):
        raise PoseError(f"the object would be more than {MAX_SCALE:g} times larger or smaller than it started")
    if np.linalg.norm(translation) > MAX_SHIFT:
        raise PoseError(f"the object would be more than {MAX_SHIFT:g} m from where it started")
    return pose
