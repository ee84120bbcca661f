"""Cameras around a person: from their front, their sides, above and below, and the photograph's."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from hoijax.data.sample import Sample

UP = np.array([0.0, -1.0, 0.0])
FOV = 35.0  # degrees, vertical
MARGIN = 1.25  # canvases are somewhat higher than wide
STEEP = 0.5  # a person whose facing has less than this across the ground lies; the camera's side is then their front
WIDEST = 100.0  # degrees, of the view from where the photograph was taken
SIDES = ("front", "back", "left", "right", "top", "below", "photo")


class View(NamedTuple):
    """An orbit camera in the frame of the sample's meshes (x right, y down, z forward, metres), `fov` degrees high."""

    eye: Float[np.ndarray, "3"]
    target: Float[np.ndarray, "3"]
    fov: float = FOV


def facing(sample: Sample) -> Float[np.ndarray, "3"]:
    """Unit vector across the ground in which the person faces; toward the camera where they lie."""
    ahead = Rotation.from_rotvec(np.asarray(sample.pose.root, np.float64)).apply([0, 0, 1])
    ahead = ahead - (ahead @ UP) * UP
    length = np.linalg.norm(ahead)
    return ahead / length if length > STEEP else np.array([0.0, 0.0, -1.0])


def views(sample: Sample) -> dict[str, View]:
    """Those of `SIDES`, "left" being the person's; each has the whole person in the picture. "photo" stands where the
    photograph was taken and looks at the person's middle, so that it hides what the photograph hides."""
    verts = sample.human.verts
    target = (verts.min(0) + verts.max(0)) / 2
    front = facing(sample)
    left = np.cross(UP, front)
    # seen exactly from above, a camera could not tell which way is up
    toward = {"front": front, "back": -front, "left": left, "right": -left}
    toward |= {"top": UP + 0.01 * front, "below": -UP + 0.01 * front}
    found = {side: View(target + _away(verts - target, way) * way, target) for side, way in toward.items()}
    eye = -np.asarray(sample.pose.translation, np.float64)
    return {**found, "photo": View(eye, target, _opening(verts - eye, target - eye))}


def _away(points: Float[np.ndarray, "v 3"], toward: Float[np.ndarray, "3"]) -> float:
    """How far away a camera sees all points, in a picture as wide as it is high."""
    depth = points @ toward
    across = np.linalg.norm(points - depth[:, None] * toward, axis=1)
    return float((depth + MARGIN * across / np.tan(np.radians(FOV / 2))).max())


def _opening(points: Float[np.ndarray, "v 3"], ahead: Float[np.ndarray, "3"]) -> float:
    """Degrees that a camera at the origin needs to see all points, in a picture as wide as it is high."""
    ahead = ahead / max(float(np.linalg.norm(ahead)), 1e-9)
    depth = points @ ahead
    across = np.linalg.norm(points - depth[:, None] * ahead, axis=1)
    half = np.degrees(np.arctan(MARGIN * (across / np.maximum(depth, 1e-3)).max()))
    return float(np.clip(2 * half, 1.0, WIDEST))
