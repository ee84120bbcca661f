"""The object's similarity and the matrices of Blender.

Blender's world has z up: `AXES` takes the sample's axes (OpenCV: x right, y down, z forward) there. A mesh keeps the
sample's axes about its pivot, so that Blender's matrix of the untouched object is AXES and the pivot, and its local rotation
and scale are those of the similarity x' = s R (x - pivot) + pivot + t.
"""

from typing import NamedTuple

import numpy as np

AXES = np.array(
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]
)  # (x, y, z) -> (x, z, -y): a turn by -90 degrees about x
UNEVEN = 1e-4  # relative difference of scales that is taken for a wish; Blender's float32 makes 1e-6


class PoseError(ValueError):
    """A placement in Blender that is no similarity, in one sentence."""


class Pose(NamedTuple):
    """x' = scale * rotation (x - pivot) + pivot + translation, metres, in the frame of the sample's files."""

    rotation: np.ndarray
    translation: np.ndarray
    scale: float
    pivot: np.ndarray


def pivot_of(verts: np.ndarray) -> np.ndarray:
    """The mean vertex, rounded to the float32 that Blender stores: exact on both sides."""
    return verts.mean(0).astype(np.float32).astype(np.float64)


def pose_of(matrix: np.ndarray, pivot: np.ndarray, axes: np.ndarray = AXES) -> Pose:
    """The similarity of Blender's 4x4 world matrix. Raises PoseError where it is none.

    `axes` is AXES as Blender's float32 has it: with that, an object that nobody touched has exactly no rotation.
    """
    linear = np.linalg.solve(axes, matrix[:3, :3])
    if not np.isfinite(matrix).all():
        raise PoseError("the object's place is not finite, expected numbers")
    left, scales, right = np.linalg.svd(linear)
    if scales[-1] < 1e-9:
        raise PoseError("the object is scaled to nothing along an axis, expected one scale above zero")
    if np.linalg.det(linear) < 0:
        raise PoseError("the object is mirrored (negative scale), expected one scale above zero")
    if scales[0] > scales[-1] * (1 + UNEVEN):
        raise PoseError(
            f"the object is scaled unevenly, by {scales[-1]:.4g} to {scales[0]:.4g}, expected one scale for all axes: "
            "scale without an axis, or reset with Alt+S"
        )
    return Pose(left @ right, AXES.T @ matrix[:3, 3] - pivot, float(scales.mean()), pivot)


def moved(verts: np.ndarray, pose: Pose) -> np.ndarray:
    """Vertices (v, 3) of the sample's file, moved by the similarity."""
    return pose.scale * (verts - pose.pivot) @ pose.rotation.T + pose.pivot + pose.translation
