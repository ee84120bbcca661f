"""What plans are made of: the palm, the fingers and the soles that should touch, in the words of inverse kinematics."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic.figure import JOINTS, Figure, Placed
from hoijax.data.synthetic.reach import Align, Goal, Reach, Touch

SIDES = (("left", 1.0), ("right", -1.0))
ARMS = tuple(f"{side}_{joint}" for side, _ in SIDES for joint in ("collar", "shoulder", "elbow", "wrist"))
LEGS = tuple(f"{side}_{joint}" for side, _ in SIDES for joint in ("hip", "knee", "ankle"))
FINGERS = tuple(name for name in JOINTS if name[-1] in "123" and "spine" not in name)
FOUR = ("index", "middle", "ring", "pinky")
UP, DOWN = np.array([0.0, 1, 0]), np.array([0.0, -1, 0])


class Plan(NamedTuple):
    """What inverse kinematics has to solve: the object in its place (None: not there yet), goals, joints that turn."""

    object: ColoredMesh | None
    goals: tuple[Goal, ...]
    free: tuple[str, ...]


Planner = Callable[[Figure, Placed, ColoredMesh | None], Plan]


def feet() -> tuple[Goal, ...]:
    return tuple(
        Touch(f"{side} {patch}", count, floor=True) for side, _ in SIDES for patch, count in (("heel", 8), ("toes", 30))
    )


def pads(side: str, joints: tuple[int, ...]) -> tuple[Goal, ...]:
    """The pads of these joints of all fingers on the object; three for fingers stretched, two and three round a bar."""
    return tuple(Touch(f"{side} {finger}{k}", 3, weight=50.0) for finger in (*FOUR, "thumb") for k in joints)


def hand(
    side: str,
    palm: Float[np.ndarray, "3"],
    facing: Float[np.ndarray, "3"],
    pointing: Float[np.ndarray, "3"],
    count: int,
    clear: float = 0.0,
) -> tuple[Goal, ...]:
    """A palm at a point of the object, facing into it, the fingers pointing somewhere; it comes from `clear` metres off."""
    sign = 1.0 if side == "left" else -1.0
    return (
        Touch(f"{side} palm", count),
        Reach(f"{side} palm", palm, 25.0, tuple((-clear * facing).tolist())),
        Align(f"{side}_wrist", (0, -1, 0), facing),
        Align(f"{side}_wrist", (sign, 0, 0), pointing),
    )


def unit(x: float | int, y: float | int, z: float | int) -> Float[np.ndarray, "3"]:
    vector = np.array([x, y, z], np.float64)
    return vector / np.linalg.norm(vector)
