"""What single-image models would deliver: a depth map in a unit of its own, and a mesh without size and place."""

import cv2
import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from hoijax.data.sample import ColoredMesh

SCALE = (0.55, 1.7)  # of the depth map: z' = a z + b
NEAREST = (1.2, 4.0)  # where the nearest thing comes to lie, metres
RELIEF = 0.25  # standard deviation of the smooth error, in depths of the person: a hand or two
GRAIN = 0.008  # of the pixel noise, in the same unit
BLUR_PX = (1.5, 3.5)  # how far outlines are smeared
OUTLIERS = 0.05  # share of pixels whose depth is anything
TURN = (5.0, 25.0)  # degrees by which a delivered mesh is turned


def estimated_depth(
    depth: Float[np.ndarray, "h w"], spread: float, rng: np.random.Generator
) -> Float[np.ndarray, "h w"]:
    """Depth as a network would see it: smeared over outlines, bent at large, noisy, with outliers, in an unknown unit.

    `spread`: how deep the person is, metres; errors grow with it. The result rises with the true depth, and is positive.
    """
    smeared = cv2.GaussianBlur(np.asarray(depth, np.float64), (0, 0), rng.uniform(*BLUR_PX))
    bend = cv2.resize(rng.normal(size=(5, 5)), depth.shape[::-1], interpolation=cv2.INTER_CUBIC)
    bent = smeared + spread * (RELIEF * bend + GRAIN * rng.normal(size=depth.shape))
    wrong = rng.random(depth.shape) < OUTLIERS
    bent[wrong] += spread * rng.uniform(-1.5, 1.5, wrong.sum())
    factor = np.exp(rng.uniform(*np.log(SCALE)))
    nearest = rng.uniform(*NEAREST)
    return np.maximum(factor * (bent - np.quantile(bent, 0.01)) + nearest, 0.1).astype(np.float32)


def delivered_mesh(truth: ColoredMesh, rng: np.random.Generator) -> ColoredMesh:
    """The object's mesh as an image-to-3D model leaves it: in a unit box about its own centre, a little turned."""
    low, high = truth.verts.min(0), truth.verts.max(0)
    axis = rng.normal(size=3)
    turn = Rotation.from_rotvec(np.radians(rng.uniform(*TURN)) * axis / np.linalg.norm(axis))
    verts = turn.apply(truth.verts - (low + high) / 2)
    low, high = verts.min(0), verts.max(0)
    return truth._replace(verts=(verts - (low + high) / 2) / (high - low).max())
