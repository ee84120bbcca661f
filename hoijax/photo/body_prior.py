"""What is known of bodies before any photograph: how far joints bend, how they usually stand, how tall people are."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hoijax.types import Body

HEIGHT = (1.70, 0.10)  # metres: mean and standard deviation of adults of both sexes together
# Mean, standard deviation, lowest and highest of the rotation vector of each joint of the left side and of the middle,
# radians, in the rest pose's axes: x to the body's left, y up, z forward. The T-pose is zero. The numbers are rounded
# ranges of motion of anatomy books, wide, since components of a rotation vector are not quite angles.
_Row = tuple[tuple[float, float, float], ...]
RANGES: dict[str, _Row] = {
    # the thigh goes forward by -x, outward by +z
    "hip": ((-0.2, 0.0, 0.05), (0.6, 0.3, 0.3), (-2.5, -1.3, -0.9), (0.6, 1.3, 1.5)),
    "spine1": ((0.0, 0.0, 0.0), (0.2, 0.12, 0.12), (-0.4, -0.5, -0.5), (0.9, 0.5, 0.5)),
    # at rest it is bent by 0.15: the leg is straight at the lowest x
    "knee": ((0.1, 0.0, 0.0), (0.8, 0.1, 0.1), (-0.15, -0.4, -0.3), (2.7, 0.4, 0.3)),
    "spine2": ((0.0, 0.0, 0.0), (0.2, 0.12, 0.12), (-0.4, -0.5, -0.5), (0.9, 0.5, 0.5)),
    "ankle": ((0.0, 0.0, 0.0), (0.3, 0.15, 0.15), (-0.7, -0.6, -0.5), (1.0, 0.6, 0.5)),
    "spine3": ((0.0, 0.0, 0.0), (0.2, 0.12, 0.12), (-0.4, -0.5, -0.5), (0.9, 0.5, 0.5)),
    "toes": ((0.0, 0.0, 0.0), (0.1, 0.1, 0.1), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    "neck": ((0.0, 0.0, 0.0), (0.25, 0.25, 0.2), (-0.7, -0.8, -0.6), (0.8, 0.8, 0.6)),
    "collar": ((0.0, 0.0, 0.0), (0.1, 0.1, 0.1), (-0.3, -0.4, -0.4), (0.3, 0.4, 0.5)),
    "head": ((0.0, 0.0, 0.0), (0.25, 0.25, 0.2), (-0.7, -0.8, -0.6), (0.8, 0.8, 0.6)),
    # the arm hangs at z = -1.3, reaches forward by -y
    "shoulder": ((0.0, -0.1, -1.0), (0.5, 0.6, 0.6), (-1.8, -2.3, -1.8), (1.8, 1.2, 1.7)),
    # the forearm folds forward by -y and turns about its own length by x
    "elbow": ((0.0, -0.5, 0.0), (0.4, 0.8, 0.2), (-1.7, -2.7, -0.9), (1.7, 0.0, 0.9)),
    "wrist": ((0.0, 0.0, 0.0), (0.3, 0.25, 0.3), (-1.4, -1.0, -1.5), (1.4, 1.0, 1.5)),
}
_MIDDLE = ("spine1", "spine2", "spine3", "neck", "head")
_ORDER = (
    *("hip", "hip", "spine1", "knee", "knee", "spine2", "ankle", "ankle", "spine3", "toes", "toes", "neck"),
    *("collar", "collar", "head", "shoulder", "shoulder", "elbow", "elbow", "wrist", "wrist"),
)  # of HumanPose.body: left before right


class PosePrior(NamedTuple):
    """Of the 21 rotation vectors of `HumanPose.body`, radians."""

    mean: Float[Array, "21 3"]
    sigma: Float[Array, "21 3"]
    low: Float[Array, "21 3"]
    high: Float[Array, "21 3"]


class Stature(NamedTuple):
    """Height of the rest body, linear in its shape: `mean` + `slope` . shape, metres."""

    mean: Float[Array, ""]
    slope: Float[Array, " s"]


def pose_prior() -> PosePrior:
    """The table for both sides: a mirror turns the signs of y and z, and swaps what is lowest and highest there."""
    mirror = np.array([1, -1, -1])
    rows = []
    for k, name in enumerate(_ORDER):
        mean, sigma, low, high = (np.array(row) for row in RANGES[name])
        right = name not in _MIDDLE and k > 0 and _ORDER[k - 1] == name
        if right:
            mean, low, high = (
                mean * mirror,
                np.minimum(low * mirror, high * mirror),
                np.maximum(low * mirror, high * mirror),
            )
        rows.append(np.stack([mean, sigma, low, high]))
    return PosePrior(*jnp.asarray(np.stack(rows, 1), jnp.float32))


def stature(body: Body) -> Stature:
    """From the lowest to the highest vertex of the mean body."""
    up = body.template[:, 1]
    top, sole = int(jnp.argmax(up)), int(jnp.argmin(up))
    return Stature(up[top] - up[sole], body.shape_dirs[top, 1] - body.shape_dirs[sole, 1])


def pose_energy(rotvecs: Float[Array, "21 3"], prior: PosePrior) -> Float[Array, ""]:
    """Negative logarithm of independent normal distributions, up to a constant."""
    return 0.5 * (((rotvecs - prior.mean) / prior.sigma) ** 2).sum()


def shape_energy(shape: Float[Array, " s"], height: Stature) -> Float[Array, ""]:
    """The same of the shape (standard normal coefficients) and of the height that it gives."""
    mean, sigma = HEIGHT
    return 0.5 * ((shape**2).sum() + ((height.mean + height.slope @ shape - mean) / sigma) ** 2)
