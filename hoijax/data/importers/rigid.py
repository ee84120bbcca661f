"""Rigid motions between the frames of a data set, on the host in float64."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from hoijax.data.parameters import numbers
from hoijax.data.sample import SampleError

SQUARE = 1e-3  # how far R R^T may be from the identity


class Rigid(NamedTuple):
    """x' = R x + t. Metres."""

    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]


def moved_by(motion: Rigid, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    """The points after the motion."""
    return np.asarray(points, np.float64) @ motion.rotation.T + motion.translation


def inverse(motion: Rigid) -> Rigid:
    """x = R^T (x' - t)."""
    return Rigid(motion.rotation.T, -motion.rotation.T @ motion.translation)


def after(outer: Rigid, inner: Rigid) -> Rigid:
    """The motion that does `inner` first, then `outer`."""
    return Rigid(outer.rotation @ inner.rotation, outer.rotation @ inner.translation + outer.translation)


def turned(outer: Rigid, rotvec: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    """Axis-angle of a rotation followed by that of `outer`, radians."""
    return (Rotation.from_matrix(outer.rotation) * Rotation.from_rotvec(rotvec)).as_rotvec()


def read_rigid(path: Path, rotation: Any, translation: Any, names: tuple[str, str], metres: float = 1.0) -> Rigid:
    """R of nine numbers, row by row, or of an axis-angle of three; t of three, in units of `metres`.

    Raises SampleError that names the key for what is no rotation.
    """
    size = np.asarray(rotation, dtype=object).size if rotation is not None else 9
    values = numbers(path, names[0], rotation, 3 if size == 3 else 9)
    matrix = Rotation.from_rotvec(values).as_matrix() if size == 3 else values.reshape(3, 3)
    apart = float(np.abs(matrix @ matrix.T - np.eye(3)).max())
    if apart > SQUARE or np.linalg.det(matrix) < 0:
        raise SampleError(
            path,
            f"{names[0]} is no rotation (R R^T differs from the identity by {apart:.2g}, det R = "
            f"{np.linalg.det(matrix):.2g}), expected nine numbers of a rotation matrix, row by row",
        )
    return Rigid(matrix, metres * numbers(path, names[1], translation, 3))
