"""`rotation="search"` (ours): which way round the object is, from its silhouette and the relief of its cloud."""

import cv2
import jax.numpy as jnp
import numpy as np
import trimesh
from jaxtyping import Array, Bool, Float, Int

from hoijax.coarse.fit_pose import Target, agreement, at_depth, first_place, fitted_to_mask, size_and_place
from hoijax.coarse.view import Eye, mask_box
from hoijax.mesh.rotation_search import MaskGrid, nearby_rotations, ranked, silhouette_overlaps, uniform_rotations

SIDE = 48  # cells of the grid, of which the mask's longer side takes FILL
FILL = 0.7
POINTS = 3000
NEAR, NEAR_DEGREES, CENTERS = 60, 12.0, 6  # rotations tried around each of the best few
FINALISTS = 12  # whose exact pose is fitted; half as many more from about the given orientation
GIVEN_DEGREES = 30.0
RELUCTANCE = 0.05  # agreement that a turn by 180 degrees costs


def small_grid(mask: Bool[np.ndarray, "h w"], hidden: Bool[np.ndarray, "h w"]) -> MaskGrid:
    """The surroundings of the mask on SIDE x SIDE cells; a cell is inside where most of it is."""
    box = mask_box(mask)
    step = max(box.right - box.left, box.bottom - box.top) / (FILL * SIDE)
    corner = np.array([box.left + box.right, box.top + box.bottom]) / 2 - step * SIDE / 2
    shift = corner + 0.5 * step - 0.5
    matrix = np.array([[step, 0, shift[0]], [0, step, shift[1]]])
    width = (2 * int(step // 2) + 1,) * 2
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cells = (
        cv2.warpAffine(cv2.blur(image.astype(np.float32), width), matrix, (SIDE, SIDE), flags=flags)
        for image in (mask, hidden)
    )
    inside, behind = (jnp.asarray(values > 0.5) for values in cells)
    return MaskGrid(inside, behind)


def best_rotation(
    verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], target: Target, eye: Eye, count: int
) -> tuple[Float[np.ndarray, "3 3"], float, float]:
    """The rotation at which the object agrees best with mask and cloud, its agreement, and that of none.

    `count` rotations spread over all are scored by `silhouette_overlaps` in one call, then some around the best few, and
    the same for those near the given one; of the best of each the exact pose is fitted. The highest `agreement` less
    0.05 angle / pi wins. Silhouettes hardly tell front from back (from afar an object and its mirror image look alike):
    the cloud's relief in `agreement` does.
    """
    middle = (verts.min(0) + verts.max(0)) / 2
    solid = trimesh.Trimesh(verts - middle, faces, process=False)
    points = jnp.asarray(trimesh.sample.sample_surface(solid, POINTS, seed=0)[0], jnp.float32)
    grid = small_grid(target.mask, target.hidden)
    nearness = jnp.float32(first_place(verts, target, eye).scale / target.depth)

    def scores(rotations: Float[Array, "r 3 3"]) -> Float[Array, " r"]:
        return silhouette_overlaps(points, rotations, grid, nearness)

    around = nearby_rotations(NEAR, np.radians(NEAR_DEGREES))
    given = nearby_rotations(2 * NEAR, np.radians(GIVEN_DEGREES))
    finalists = [np.eye(3)]
    for start, centers, places in ((given, 2, FINALISTS // 2), (uniform_rotations(count), CENTERS, FINALISTS)):
        best = start[ranked(scores(start), centers)]
        tried = jnp.concatenate([start, (around[None] @ best[:, None]).reshape(-1, 3, 3)])
        finalists += list(np.asarray(tried[ranked(scores(tried), places)], np.float64))
    judged = [_judged(verts @ turn.T, faces, target, eye) for turn in finalists]
    best_one = int(np.argmax([value - RELUCTANCE * angle(turn) / np.pi for value, turn in zip(judged, finalists)]))
    return finalists[best_one], judged[best_one], judged[0]


def angle(rotation: Float[np.ndarray, "3 3"]) -> float:
    """Of a rotation, radians."""
    return float(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))


def _judged(verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], target: Target, eye: Eye) -> float:
    """Agreement of the object in its best size and place; without a cloud they begin at those of the boxes."""
    placed = first_place(verts, target, eye)
    if len(target.cloud):
        placed = size_and_place(placed, verts, faces, target, eye)
    placed = at_depth(fitted_to_mask(placed, verts, faces, target, eye, 1), verts, faces, target, eye)
    return agreement(placed, verts, faces, target, eye)
