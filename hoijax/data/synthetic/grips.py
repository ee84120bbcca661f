"""Hands on things: a bar in a fist, a palm on a face, and an object turned and shifted into a hand."""

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic.figure import JOINTS, Figure, Placed
from hoijax.data.synthetic.goals import ARMS, FINGERS, hand, pads
from hoijax.data.synthetic.reach import Goal

CLEAR = 0.006  # metres between the skin of a palm and the bar in its fist, filled by the fingers
LEG = 0.88  # metres from hip to ankle of the average figure
Vector = Float[np.ndarray, "3"]


def arm(*sides: str) -> tuple[str, ...]:
    """The joints of these arms and hands."""
    return tuple(name for name in (*ARMS, *FINGERS) if name.startswith(sides))


def leg_ratio(figure: Figure) -> float:
    """How long the person's legs are beside those of the average figure: for things that come in sizes."""
    hip, knee, ankle = figure.joints[[1, 4, 7]]
    return float(np.clip((np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee)) / LEG, 0.8, 1.25))


def joint(placed: Placed, name: str) -> Vector:
    """Where a joint is."""
    return placed.positions[JOINTS.index(name)]


def palm(figure: Figure, placed: Placed, side: str) -> tuple[Vector, Vector, Vector]:
    """Middle of a palm, the direction it faces, and the direction of the thumb's side."""
    frame = placed.frames[JOINTS.index(f"{side}_wrist")]
    return placed.verts[figure.patches[f"{side} palm"]].mean(0), -frame[:, 1], frame[:, 2]


def fist(side: str, middle: Vector, out: Vector, thumb: Vector, radius: float) -> tuple[Goal, ...]:
    """A hand round a bar: `middle` on the bar's axis, `out` from there to the palm, `thumb` along the axis."""
    out = across(out, thumb)
    pointing = np.cross(out, thumb) * (1.0 if side == "left" else -1.0)
    return (*hand(side, middle + (radius + CLEAR) * out, -out, pointing, 6, 0.02), *pads(side, (2, 3)))


def flat(
    side: str, point: Vector, out: Vector, pointing: Vector, count: int = 12, clear: float = 0.04
) -> tuple[Goal, ...]:
    """A palm on a surface at a point, `out` being its normal, the finger tips too; it comes from `clear` metres off."""
    return (*hand(side, point + 0.004 * out, -out, across(pointing, out), count, clear), *pads(side, (3,)))


def across(vector: Vector, axis: Vector) -> Vector:
    """Unit vector nearest to `vector` that is perpendicular to the unit vector `axis`."""
    vector = np.asarray(vector, np.float64)
    rest = vector - axis * (vector @ axis)
    return rest / np.linalg.norm(rest)


def fitted(mesh: ColoredMesh, up: Vector, front: Vector, point: Vector, at: Vector) -> ColoredMesh:
    """The mesh with its y axis along `up`, its z axis as near to `front` as that allows, its `point` brought to `at`."""
    axis = np.asarray(up, np.float64) / np.linalg.norm(up)
    forward = across(front, axis)
    rotation = Rotation.from_matrix(np.stack([np.cross(axis, forward), axis, forward], 1))
    return mesh._replace(verts=rotation.apply(mesh.verts - np.asarray(point)) + at)
