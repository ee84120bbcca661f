"""Poses by inverse kinematics: hands, feet and seat brought onto an object, and nothing left inside of it.

Damped least squares over joint angles (Levenberg-Marquardt, with the distance to the object linearised in each round):
what should touch pulls with its signed distance, what is inside pushes with its depth, and every joint is held to the
designed pose by its own stiffness.
"""

from collections.abc import Sequence
from typing import NamedTuple

import igl
import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic.figure import DESCENDANTS, JOINTS, Figure, Placed, Stance, place, velocities

TOUCH, APART, REACH, ALIGN = 150.0, 120.0, 40.0, 2.5  # weights: per metre, per metre, per metre, per radian
SKIN = 0.0015  # metres: how deep vertices may lie before they are pushed out
NEAR = 0.03  # metres: vertices nearer than this to the box around the object are watched
MOST = 150  # vertices that push at once, the deepest first
SETTLED = 5e-4  # radians or metres: a smaller step ends the search
MAX_TURN = 0.25  # radians a joint may turn in one round
STIFFNESS = {"spine": 6.0, "neck": 5.0, "head": 4.0, "collar": 6.0, "shoulder": 1.2, "elbow": 1.2, "wrist": 1.0}
ROOT_STIFFNESS = 2.0  # per metre
DAMPING = 0.05
HINGE = 8.0  # stiffness of knees, elbows and fingers about the axes that they hardly turn about


class Touch(NamedTuple):
    """The `nearest` vertices of a patch that come closest to the object (or the floor) should lie on its surface."""

    patch: str
    nearest: int = 6
    floor: bool = False
    weight: float = TOUCH


class Reach(NamedTuple):
    """The middle of a patch should be at a point; at first, through the object, at `clear` from there."""

    patch: str
    point: Float[np.ndarray, "3"]
    weight: float = REACH
    clear: tuple[float, ...] = (0.0, 0.0, 0.0)


class Align(NamedTuple):
    """An axis of a joint's own frame should point in a direction of the world (unit vectors)."""

    joint: str
    axis: tuple[float, ...]
    direction: Float[np.ndarray, "3"]
    weight: float = ALIGN


Goal = Touch | Reach | Align


def signed_distance(
    points: Float[np.ndarray, "p 3"], solid: ColoredMesh
) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, "p 3"]]:
    """Distance to the surface, negative inside, and its gradient (outward where the point lies on the surface)."""
    kind = igl.SignedDistanceType.SIGNED_DISTANCE_TYPE_PSEUDONORMAL
    distance, _, nearest, normals = igl.signed_distance(points, solid.verts, solid.faces, kind)
    far = np.abs(distance) > 1e-6
    gradient = np.where(far[:, None], (points - nearest) / np.where(far, distance, 1)[:, None], normals)
    return distance, gradient


def reach(
    figure: Figure,
    start: Stance,
    solid: ColoredMesh | None,
    goals: Sequence[Goal],
    free: Sequence[str],
    moves: bool,
    rounds: int = 30,
) -> Stance:
    """The stance near `start` that meets the goals by turning the free joints and, where it `moves`, shifting."""
    joints = np.array([JOINTS.index(name) for name in free])
    stiffness = np.array([_stiffness(name) for name in free]).ravel()
    held = np.concatenate([stiffness, np.full(3, ROOT_STIFFNESS)])
    unknowns = np.ones(len(held), bool)
    unknowns[-3:] = moves
    stance = start
    for _ in range(rounds):
        placed = place(figure, stance)
        rows, values = _goal_rows(figure, placed, solid, goals, joints)
        drift = Rotation.from_matrix(np.swapaxes(start.local, 1, 2)[joints] @ stance.local[joints]).as_rotvec()
        from_start = np.concatenate([drift.ravel(), stance.root - start.root])
        system = np.concatenate([rows, np.diag(held)])[:, unknowns]
        damped = system.T @ system + DAMPING * np.eye(system.shape[1])
        step = np.zeros(len(held))
        step[unknowns] = -np.linalg.solve(damped, system.T @ np.concatenate([values, held * from_start]))
        turns, shift = step[:-3].reshape(-1, 3), step[-3:]
        turns *= np.minimum(1, MAX_TURN / np.maximum(np.linalg.norm(turns, axis=1, keepdims=True), 1e-9))
        local = stance.local.copy()
        local[joints] = local[joints] @ Rotation.from_rotvec(turns).as_matrix()
        stance = Stance(local, stance.root + np.clip(shift, -0.05, 0.05))
        if np.abs(step).max() < SETTLED:
            break
    return stance


def _stiffness(name: str) -> tuple[float, float, float]:
    """Per radian about x, y and z of the joint's own frame (at rest: the world's)."""
    kind = name.removeprefix("left_").removeprefix("right_").rstrip("123")
    if kind == "knee":
        return (1.0, HINGE, HINGE)
    if kind == "elbow":
        return (1.5, 1.0, HINGE)
    if kind == "thumb":
        return (1.0, 1.0, 1.0)
    if kind in ("index", "middle", "ring", "pinky"):
        return (HINGE, 3.0, 0.4)
    return (STIFFNESS.get(kind, 2.0),) * 3


class _Rows(NamedTuple):
    """Weighted residuals that move with vertices: value_i, and directions g_i at vertices v_i whose velocity counts."""

    vertices: np.ndarray
    directions: np.ndarray
    values: np.ndarray


def _goal_rows(
    figure: Figure, placed: Placed, solid: ColoredMesh | None, goals: Sequence[Goal], joints: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Jacobian and residuals of all goals, and of what is inside the object or under the floor."""
    touches = [goal for goal in goals if isinstance(goal, Touch)]
    distance, gradient = np.full(len(placed.verts), np.inf), np.zeros_like(placed.verts)
    if solid is not None:
        low, high = solid.verts.min(0) - NEAR, solid.verts.max(0) + NEAR
        near = np.flatnonzero(((placed.verts > low) & (placed.verts < high)).all(1))
        asked = np.unique(np.concatenate([near, *(figure.patches[goal.patch] for goal in touches)]))
        distance[asked], gradient[asked] = signed_distance(placed.verts[asked], solid)
    rows = [_apart(placed, distance, gradient)]
    rows += [_touch(figure, placed, goal, distance, gradient) for goal in touches]
    rows += [_reach(figure, placed, goal) for goal in goals if isinstance(goal, Reach)]
    vertices, directions, values = (np.concatenate(columns) for columns in zip(*rows))
    turns = velocities(figure, placed, vertices, joints).reshape(len(vertices), 3, 3 * len(joints))
    jacobian = np.concatenate([np.einsum("na,nab->nb", directions, turns), directions], axis=1)
    aligned = [_align(placed, goal, joints) for goal in goals if isinstance(goal, Align)]
    return np.concatenate([jacobian, *(a for a, _ in aligned)]), np.concatenate([values, *(b for _, b in aligned)])


def _touch(figure: Figure, placed: Placed, goal: Touch, distance: np.ndarray, gradient: np.ndarray) -> _Rows:
    patch = figure.patches[goal.patch]
    gaps = placed.verts[patch, 1] if goal.floor else distance[patch]
    order = np.argsort(gaps)[: goal.nearest]
    chosen = patch[order]
    out = np.tile([0.0, 1.0, 0.0], (len(chosen), 1)) if goal.floor else gradient[chosen]
    weight = goal.weight / np.sqrt(len(chosen))
    return _Rows(chosen, weight * out, weight * gaps[order])


def _reach(figure: Figure, placed: Placed, goal: Reach) -> _Rows:
    """Three rows for each of a few vertices: all are drawn along by the error of the patch's middle."""
    patch = figure.patches[goal.patch]
    error = placed.verts[patch].mean(0) - goal.point
    few = patch[:: max(1, len(patch) // 12)]
    weight = goal.weight / np.sqrt(len(few))
    return _Rows(np.repeat(few, 3), weight * np.tile(np.eye(3), (len(few), 1)), weight * np.tile(error, len(few)))


def _apart(placed: Placed, distance: np.ndarray, gradient: np.ndarray) -> _Rows:
    """What lies inside the object, or under the floor, pushes out."""
    inside, under = np.flatnonzero(distance < -SKIN), np.flatnonzero(placed.verts[:, 1] < -SKIN)
    inside = inside[np.argsort(distance[inside])][:MOST]
    out = np.concatenate([gradient[inside], np.tile([0.0, 1.0, 0.0], (len(under), 1))])
    depth = np.concatenate([distance[inside], placed.verts[under, 1]]) + SKIN
    return _Rows(np.concatenate([inside, under]), APART * out, APART * depth)


def _align(placed: Placed, goal: Align, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    joint = JOINTS.index(goal.joint)
    axis = placed.frames[joint] @ np.asarray(goal.axis)
    moves = np.zeros((3, 3 * len(joints) + 3))
    for column, k in enumerate(joints):
        if DESCENDANTS[k, joint]:
            moves[:, 3 * column : 3 * column + 3] = np.cross(placed.frames[k].T, axis).T
    return goal.weight * moves, goal.weight * (axis - goal.direction)
