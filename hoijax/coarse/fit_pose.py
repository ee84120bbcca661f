"""Steps 4 to 6: size and place of an object whose orientation is given, from its mask and its cloud (method 8).

Beside a long lens (thousands of px, tens of metres) a depth that is off by a decimetre changes the size by half a percent,
while the mask shows size and place in the image to a pixel: so in the end the mask decides those, and the cloud the depth.
"""

from typing import NamedTuple

import igl
import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from hoijax.coarse.cloud import depth_pixels
from hoijax.coarse.outline_fit import best_outline
from hoijax.coarse.view import CLOSEST, Box, Eye, mask_box, mesh_depth, projected, unprojected

ROUNDS = 4  # of size and place: each makes the visible part of the mesh anew
FEWEST_COMMON = 0.1  # share of the cloud's points that must meet the mesh before their depths are compared
RELIEF = 3.0  # overlap that a median error of depth as large as the object would cost
INNER = (0.05, 0.95)  # quantiles between which extents are taken


class Target(NamedTuple):
    """What the object has to fit: its mask, the pixels where the human hides it, its cloud (metres) and its median depth.

    `eroded_px` and `outer` are what the cloud has lost of the mask's rim (pixels) and of depths (share).
    """

    mask: Bool[np.ndarray, "h w"]
    hidden: Bool[np.ndarray, "h w"]
    cloud: Float[np.ndarray, "n 3"]
    depth: float
    eroded_px: int
    outer: float


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
    scale = diagonal(box) * target.depth / float(np.linalg.norm(np.ptp(verts[:, :2], axis=0) * eye.focal))
    most = 0.9 * target.depth / max(-(verts - center)[:, 2].min(), 1e-9)  # all in front of the camera
    for _ in range(2):
        scale = min(scale, most)
        pixels = projected(scale * (verts - center) + goal, eye)
        scale *= diagonal(box) / float(np.linalg.norm(np.ptp(pixels, axis=0)))
    scale = min(scale, most)
    return Placed(scale, goal - scale * center)


def in_front(placed: Placed, verts: Float[np.ndarray, "v 3"]) -> bool:
    """Whether all of the object is where the camera can see it."""
    return float(placed.scale * verts[:, 2].min() + placed.translation[2]) > CLOSEST


def visible_surface(
    verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], target: Target, eye: Eye
) -> Float[np.ndarray, "n 3"]:
    """Points of a mesh at the pixel centres that see it, those left out where the human's mask hides it.

    Pixels, not vertices: so they are spread over the image as the cloud is. All pixels where the human hides all.
    """
    depth = mesh_depth(verts, faces, eye)
    seen = depth > 0
    if (seen & ~target.hidden).any():
        seen = seen & ~target.hidden
    found = depth_pixels(depth, seen, target.eroded_px, target.outer, 1)
    return unprojected(found.pixels, found.z, eye)


def resized(placed: Placed, factor: float, about: Float[np.ndarray, "3"]) -> Placed:
    """The object made `factor` times as large about a point."""
    return Placed(placed.scale * factor, about + factor * (placed.translation - about))


def size_and_place(
    placed: Placed, verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], target: Target, eye: Eye
) -> Placed:
    """Steps 4 and 5: scale = ratio of 5-95 % extents of cloud and visible mesh; its centre on the ray, its median z right.

    Alternates, as what is visible depends on both. Extents across the image only: along the ray noise makes the cloud
    longer. The mesh loses its rim and its outer depths as the cloud does: else the object comes out too small.
    """
    ray = mask_ray(target.mask, eye)
    for _ in range(ROUNDS):
        points = visible_surface(placed.scale * verts + placed.translation, faces, target, eye)
        width = np.linalg.norm(extents(points)[:2]) if len(points) else 0.0
        if width == 0:
            break
        ratio = np.linalg.norm(extents(target.cloud)[:2]) / width
        center = points.mean(0)
        new = resized(placed, float(ratio), center)
        z = center[2] + target.depth - float(np.median(points[:, 2]))
        new = new._replace(translation=new.translation + ray * z - center)
        if not in_front(new, verts):
            break
        placed = new
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


def fitted_to_mask(
    placed: Placed,
    verts: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    target: Target,
    eye: Eye,
    rounds: int = 2,
) -> Placed:
    """The object resized and moved parallel to the image to where its silhouette fits the mask best (ours).

    No further than to where it would reach behind the camera: beside a short lens a long object comes near.
    """
    for _ in range(rounds):
        depth = mesh_depth(placed.scale * verts + placed.translation, faces, eye)
        if not (depth > 0).any():
            return placed
        factor, shift, _ = best_outline(depth > 0, target.mask, target.hidden, mask_box(target.mask))
        i, j = np.nonzero(depth > 0)
        z = float(np.median(depth[depth > 0]))
        center = unprojected(np.array([[j.mean() + 0.5, i.mean() + 0.5]]), np.array([z]), eye)[0]
        new = resized(placed, factor, center)
        new = new._replace(translation=new.translation + np.append(shift / eye.focal * z, 0.0))
        if not in_front(new, verts):
            break
        placed = new
    return placed


def at_depth(
    placed: Placed, verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], target: Target, eye: Eye
) -> Placed:
    """The object moved along the viewing rays, x' = k x, by the median over pixels of z cloud / z mesh (ours).

    What a pixel sees of the one belongs to what it sees of the other: no nearest neighbours, which noise pulls aside.
    """
    cloud_z, mesh_z = common_depths(placed, verts, faces, target, eye)
    if not len(cloud_z) or len(cloud_z) < FEWEST_COMMON * len(target.cloud):
        return placed
    k = float(np.median(cloud_z / mesh_z))
    return Placed(placed.scale * k, placed.translation * k)


def common_depths(
    placed: Placed, verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], target: Target, eye: Eye
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """z of the cloud's points, and z of the mesh in the same pixels, where both are seen."""
    if not len(target.cloud):
        return np.zeros(0), np.zeros(0)
    depth = mesh_depth(placed.scale * verts + placed.translation, faces, eye)
    j, i = np.floor(projected(target.cloud, eye)).astype(int).T
    both = depth[i, j] > 0
    return target.cloud[both, 2], depth[i, j][both]


def agreement(
    placed: Placed, verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], target: Target, eye: Eye
) -> float:
    """IoU of mask and silhouette outside of what the human hides - 3 median |z cloud - z mesh| / object diagonal.

    1 is best. Where cloud and mesh share no pixel the second part is left out.
    """
    seen = mesh_depth(placed.scale * verts + placed.translation, faces, eye) > 0
    union = ((seen | target.mask) & ~target.hidden).sum()
    overlap = float((seen & target.mask & ~target.hidden).sum() / max(union, 1))
    cloud_z, mesh_z = common_depths(placed, verts, faces, target, eye)
    if not len(cloud_z):
        return overlap
    size = placed.scale * np.linalg.norm(np.ptp(verts, axis=0))
    return overlap - RELIEF * float(np.median(np.abs(cloud_z - mesh_z)) / size)
