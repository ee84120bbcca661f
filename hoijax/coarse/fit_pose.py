"""Steps 4 to 6: size and place of an object whose orientation is given, from its mask and its cloud (method 8)."""

from typing import NamedTuple

import igl
import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from hoijax.coarse.view import Box, Eye, mask_box, mesh_depth, projected, unprojected

ROUNDS = 4  # of size and place: each makes the visible part of the mesh anew
INNER = (0.05, 0.95)  # quantiles between which extents are taken


class Target(NamedTuple):
    """What the object has to fit: its mask, the pixels where the human hides it, its cloud in metres, and its depth."""

    mask: Bool[np.ndarray, "h w"]
    hidden: Bool[np.ndarray, "h w"]
    cloud: Float[np.ndarray, "n 3"]
    depth: float


class Placed(NamedTuple):
    """x' = scale x + translation of the vertices as turned."""

    scale: float
    translation: Float[np.ndarray, "3"]


def extents(points: Float[np.ndarray, "n c"]) -> Float[np.ndarray, " c"]:
    """From the 5 to the 95 % quantile of each coordinate."""
    low, high = np.quantile(points, INNER, axis=0)
    return high - low


def diagonal(box: Box) -> float:
    """Of a box, in pixels."""
    return float(np.hypot(box.right - box.left, box.bottom - box.top))


def mask_ray(mask: Bool[np.ndarray, "h w"], eye: Eye) -> Float[np.ndarray, "3"]:
    """The ray (z = 1) through the centroid of a mask."""
    i, j = np.nonzero(mask)
    return unprojected(np.array([[j.mean() + 0.5, i.mean() + 0.5]]), np.ones(1), eye)[0]


def first_place(verts: Float[np.ndarray, "v 3"], target: Target, eye: Eye) -> Placed:
    """The size at which box diagonals of mask and projected mesh agree, the box's middle on the ray of the mask's box.

    Two rounds, because a near object's projection is not quite proportional to its size.
    """
    box = mask_box(target.mask)
    middle = np.array([[(box.left + box.right) / 2, (box.top + box.bottom) / 2]])
    goal = unprojected(middle, np.array([target.depth]), eye)[0]
    center = (verts.min(0) + verts.max(0)) / 2
    scale = diagonal(box) * target.depth / np.linalg.norm(np.ptp(verts[:, :2], axis=0) * eye.focal)
    for _ in range(2):
        scale = min(scale, 0.9 * target.depth / max(-(verts - center)[:, 2].min(), 1e-9))  # all in front of the camera
        pixels = projected(scale * (verts - center) + goal, eye)
        scale *= diagonal(box) / float(np.linalg.norm(np.ptp(pixels, axis=0)))
    return Placed(scale, goal - scale * center)


def visible_surface(
    verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], target: Target, eye: Eye
) -> Float[np.ndarray, "n 3"]:
    """Points of a mesh at the pixel centres that see it, those left out where the human's mask hides it.

    Pixels, not vertices: so they are spread over the image as the cloud is. All pixels where the human hides all.
    """
    depth = mesh_depth(verts, faces, eye)
    seen = depth > 0
    i, j = np.nonzero(seen & ~target.hidden if (seen & ~target.hidden).any() else seen)
    return unprojected(np.stack([j + 0.5, i + 0.5], 1), depth[i, j], eye)


def resized(placed: Placed, factor: float, about: Float[np.ndarray, "3"]) -> Placed:
    """The object made `factor` times as large about a point."""
    return Placed(placed.scale * factor, about + factor * (placed.translation - about))


def size_and_place(
    placed: Placed, verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], target: Target, eye: Eye
) -> Placed:
    """Steps 4 and 5: scale = ratio of 5-95 % extents of cloud and visible mesh; its centre on the ray, its median z right.

    Alternates, as what is visible depends on both.
    """
    ray = mask_ray(target.mask, eye)
    for _ in range(ROUNDS):
        points = visible_surface(placed.scale * verts + placed.translation, faces, target, eye)
        if not len(points):
            break
        ratio = np.linalg.norm(extents(target.cloud)[:2]) / np.linalg.norm(extents(points)[:2])
        center = points.mean(0)
        placed = resized(placed, float(ratio), center)
        z = center[2] + target.depth - float(np.median(points[:, 2]))
        placed = placed._replace(translation=placed.translation + ray * z - center)
    return placed


def icp(
    placed: Placed,
    verts: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    target: Target,
    keep: float,
    steps: int,
) -> Placed:
    """Step 6: truncated one-way ICP, translation only: each cloud point to the nearest front-facing vertex.

    t += mean of (cloud point - vertex) over the `keep` nearest pairs (share), `steps` times.
    """
    start = placed.scale * verts + placed.translation
    normals = igl.per_vertex_normals(start, np.asarray(faces, np.int64))
    front = start[(np.where(np.isfinite(normals), normals, 0) * start).sum(1) < 0]
    if not len(front):
        return placed
    tree, shift = cKDTree(front), np.zeros(3)
    count = max(1, round(keep * len(target.cloud)))
    for _ in range(steps):
        distance, index = tree.query(target.cloud - shift)
        near = np.argpartition(distance, count - 1)[:count]
        step = (target.cloud[near] - shift - front[index[near]]).mean(0)
        shift = shift + step
        if np.linalg.norm(step) < 1e-6:
            break
    return placed._replace(translation=placed.translation + shift)
