"""The seven ways to nudge an object, how far a step goes, and which keys take it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from hoijax.annotate.fine.pose import Pose, PoseError, along_ray, scaled, shifted, turned
from hoijax.annotate.mesh_view import Drag

COARSE = 5  # steps that one step with shift goes


class Size(NamedTuple):
    """How far one step goes: metres, degrees, and per cent of the size."""

    metres: float
    degrees: float
    percent: float

    def __str__(self) -> str:
        return f"{100 * self.metres:g} cm · {self.degrees:g}° · {self.percent:g} %"


SIZES: Mapping[str, Size] = {
    "fine": Size(0.002, 0.5, 0.5),
    "normal": Size(0.01, 2.0, 2.0),
    "coarse": Size(0.05, 10.0, 10.0),
}


class Axis(NamedTuple):
    """One way to nudge. `less` and `more`: what the two directions are called, with their keys. `value` is what the page
    shows of a pose, in `unit`; `moved` is the pose some steps on, given the pivot in the camera's frame.
    """

    name: str
    less: str
    more: str
    less_key: str
    more_key: str
    unit: str
    value: Callable[[Pose], float]
    moved: Callable[[Pose, Float[np.ndarray, "3"], Size, float], Pose]


def _shift(x: float, y: float) -> Callable[..., Pose]:
    return lambda pose, pivot, size, steps: shifted(pose, steps * size.metres * np.array([x, y, 0.0]))


def _turn(x: float, y: float, z: float) -> Callable[..., Pose]:
    return lambda pose, pivot, size, steps: turned(pose, steps * np.radians(size.degrees) * np.array([x, y, z]))


def _degrees(pose: Pose) -> Float[np.ndarray, "3"]:
    return np.degrees(Rotation.from_matrix(pose.rotation).as_rotvec())


def _away(pose: Pose, pivot: Float[np.ndarray, "3"], size: Size, steps: float) -> Pose:
    return along_ray(pose, pivot, steps * size.metres)


def _grow(pose: Pose, pivot: Float[np.ndarray, "3"], size: Size, steps: float) -> Pose:
    return scaled(pose, (1 + size.percent / 100) ** steps)


# Turns are named by where the side that faces the camera goes.
AXES = (
    Axis(
        "x", "left", "right", "ArrowLeft", "ArrowRight", "cm", lambda p: 100 * float(p.translation[0]), _shift(1.0, 0.0)
    ),
    Axis("y", "down", "up", "ArrowDown", "ArrowUp", "cm", lambda p: -100 * float(p.translation[1]), _shift(0.0, -1.0)),
    Axis("z", "nearer", "farther", "s", "w", "cm", lambda p: 100 * float(p.translation[2]), _away),
    Axis("size", "smaller", "larger", "d", "e", "%", lambda p: 100 * float(np.exp(p.log_scale)), _grow),
    Axis("yaw", "turn left", "turn right", "j", "l", "°", lambda p: -float(_degrees(p)[1]), _turn(0.0, -1.0, 0.0)),
    Axis("pitch", "tip down", "tip up", "k", "i", "°", lambda p: -float(_degrees(p)[0]), _turn(-1.0, 0.0, 0.0)),
    Axis("roll", "roll left", "roll right", "f", "r", "°", lambda p: float(_degrees(p)[2]), _turn(0.0, 0.0, 1.0)),
)


def dragged(pose: Pose, pivot: Float[np.ndarray, "3"], drag: Drag) -> Pose:
    """The pose after a drag of the mouse. Raises PoseError for one that goes too far."""
    by = np.asarray(drag.by, np.float64)
    if drag.kind in ("scale", "away") and abs(by[0]) > 5:
        raise PoseError("the wheel was turned too far")
    if drag.kind == "move":
        return shifted(pose, by)
    if drag.kind == "turn":
        return turned(pose, by)
    if drag.kind == "scale":
        return scaled(pose, float(np.exp(by[0])))
    return along_ray(pose, pivot, float(np.expm1(by[0]) * np.linalg.norm(pivot + pose.translation)))
