"""Step 7: along the viewing ray until human and object touch (method 8.7)."""

from collections.abc import Callable
from typing import NamedTuple

import igl
import numpy as np
from jaxtyping import Float, Int

STEPS = 200  # of the advance, either way; it takes a handful
SLACK = 1e-3  # metres more than the touching distance that count as touching


class Slide(NamedTuple):
    """x' = factor x about the camera; the least gap there (metres), and whether that is a touch."""

    factor: float
    gap: float
    touches: bool


def gap_along_ray(
    human: Float[np.ndarray, "w 3"], verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]
) -> Callable[[float], float]:
    """Least distance of a human's vertices to an object's surface as a function of k, for the object at k x.

    min |h - k x| = k min |h / k - x|: the object's search tree is built once.
    """
    triangles = np.asarray(faces, np.int64)
    tree = igl.AABB()
    tree.init(verts, triangles)

    def gap(factor: float) -> float:
        squared, _, _ = tree.squared_distance(verts, triangles, human / factor)
        return float(factor * np.sqrt(max(squared.min(), 0)))

    return gap


def slide_to_touch(
    human: Float[np.ndarray, "w 3"],
    verts: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    touch: float,
) -> Slide:
    """The object moved along the viewing rays, x' = k x, to where its surface first comes within `touch` metres.

    Conservative advancement (Mirtich 1996): a move by less than the gap cannot pass a touch, so the gap itself, less
    `touch`, is the step. Both ways, up to where the depths no longer overlap; the shorter way wins. Where no way
    touches, the object goes to the least gap met.
    """
    gap = gap_along_ray(human, verts, faces)
    far = float(np.linalg.norm(verts, axis=1).max())
    nearest, farthest = human[:, 2].min() / verts[:, 2].max(), human[:, 2].max() / verts[:, 2].min()
    ends = [_advance(gap, sign, far, touch, (nearest, farthest)) for sign in (1, -1)]
    reached = [end for end in ends if end.touches]
    if reached:
        return min(reached, key=lambda end: abs(end.factor - 1))
    return min(ends, key=lambda end: end.gap)


def _advance(gap: Callable[[float], float], sign: int, far: float, touch: float, limits: tuple[float, float]) -> Slide:
    """One way: away from the camera (sign 1) or towards it (-1). `far`: metres that its farthest point moves per k."""
    factor = 1.0
    best = Slide(1.0, gap(1.0), False)
    for _ in range(STEPS):
        now = gap(factor)
        if now < best.gap:
            best = Slide(factor, now, False)
        if now <= touch + SLACK:
            return Slide(factor, now, True)
        factor += sign * (now - touch) / far
        if factor <= 0 or (sign > 0 and factor > limits[1]) or (sign < 0 and factor < limits[0]):
            break
    return best
