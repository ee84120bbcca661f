"""Cameras around a person: from their front, their sides, above and below."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from hoijax.data.sample import Sample

UP = np.array([0.0, -1.0, 0.0])
FOV = 35.0  # degrees, vertical
MARGIN = 1.25  # canvases are somewhat higher than wide
STEEP = 0.5  # a person whose facing has less than this across the ground lies; the camera's side is then their front
SIDES = ("front", "back", "left", "right", "top", "below")


class View(NamedTuple):
    """An orbit camera in the frame of the sample's meshes (x right, y down, z forward, metres)."""

    eye: Float[np.ndarray, "3"]
    target: Float[np.ndarray, "3"]


def facing(sample: Sample) -> Float[np.ndarray, "3"]:
    """Unit vector across the ground in which the person faces; toward the camera where they lie."""
    ahead = Rotation.from_rotvec(np.asarray(sample.pose.root, np.float64)).apply([0, 0, 1])
    ahead = ahead - (ahead @ UP) * UP
    length = np.linalg.norm(ahead)
    return ahead / length if length > STEEP else np.array([0.0, 0.0, -1.0])


def views(sample: Sample) -> dict[str, View]:
    """The six of `SIDES`, "left" being the person's; each has the whole person in the picture."""
    verts = sample.human.verts
    target = (verts.min(0) + verts.max(0)) / 2
    front = facing(sample)
    left = np.cross(UP, front)
    # seen exactly from above, a camera could not tell which way is up
    toward = {"front": front, "back": -front, "left": left, "right": -left}
    toward |= {"top": UP + 0.01 * front, "below": -UP + 0.01 * front}
    return {side: View(target + _away(verts - target, toward[side]) * toward[side], target) for side in SIDES}


def _away(points: Float[np.ndarray, "v 3"], toward: Float[np.ndarray, "3"]) -> float:
    """How far away a camera sees all points, in a picture as wide as it is high."""
    depth = points @ toward
    across = np.linalg.norm(points - depth[:, None] * toward, axis=1)
    return float((depth + MARGIN * across / np.tan(np.radians(FOV / 2))).max())
