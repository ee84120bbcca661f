"""The object's start pose where there is no depth map: from its mask, and either its size or the person's depth (ours).

A mask knows where the object is in the image and how large, but not how far away: twice as far and twice as large looks
the same. Something else has to tell, and two things may: the object's true size, or that people stand beside what they use.
"""

import cv2
import numpy as np
import trimesh
from jaxtyping import Bool, Float, Int

from hoijax.coarse.fit_pose import Placed, Target
from hoijax.coarse.place import (
    Coarse,
    CoarseOptions,
    boxes_overlap,
    check_masks,
    check_meshes,
    fitted_pose,
    slid,
    turn_note,
)
from hoijax.coarse.turn import best_rotation
from hoijax.coarse.view import Eye, mask_box, mesh_depth, thinned_eye
from hoijax.types import Camera

FLAT = 1e-6  # of the longest extent: a thinner object has no volume
RIM = 0.02  # of the image's longer side: how near the object's mask the human counts as beside it


def placement_without_depth(
    human_verts: Float[np.ndarray, "a 3"],
    human_faces: Int[np.ndarray, "b 3"],
    object_verts: Float[np.ndarray, "v 3"],
    object_faces: Int[np.ndarray, "f 3"],
    camera: Camera,
    human_mask: Bool[np.ndarray, "_ _"],
    object_mask: Bool[np.ndarray, "_ _"],
    size: float | None = None,
    options: CoarseOptions | None = None,
) -> Coarse:
    """Scale, rotation and translation at which the object fills its mask, as far away as `size` or the human says.

    `human_verts` in the camera frame (with `cam_trans`). `size`: the longest side in metres of the smallest box around the
    object, however turned; then its distance follows, and a gap to the human stays. Without it the object stands at the
    depth of the human beside its mask, and a gap of more than `options.slide_gap` is closed as in `coarse_placement`.
    Raises ValueError for input that no step could use.
    """
    options = options or CoarseOptions()
    human, verts = np.asarray(human_verts, np.float64), np.asarray(object_verts, np.float64)
    check_meshes(human, verts, object_faces)
    check_masks(human_mask.shape, human_mask, object_mask)
    if size is not None and not (np.isfinite(size) and size > 0):
        raise ValueError(f"the object's size is {size:g} m, expected a positive length")
    step = max(1, -(-max(human_mask.shape) // options.max_side))
    eye = thinned_eye(camera, human_mask.shape, step)
    thin_human, thin_object = (mask[step // 2 :: step, step // 2 :: step] for mask in (human_mask, object_mask))
    if not thin_object.any():
        raise ValueError(
            f"the object's mask has no pixel left in a {step} times smaller image, expected a larger shape"
        )
    depth, notes = depth_beside(human, human_faces, thin_object, eye)
    target = Target(thin_object, thin_human & ~thin_object, np.zeros((0, 3)), depth, 0, options.outer)
    turn = np.eye(3)
    if options.rotation == "search":
        turn, agreed, as_given = best_rotation(verts, object_faces, target, eye, options.rotations)
        notes += (turn_note(turn, agreed, as_given),)
    longest = longest_side(verts)
    verts = verts @ turn.T
    placed = fitted_pose(verts, object_faces, target, eye, options)
    if size is not None:
        factor = size / (placed.scale * longest)
        placed = Placed(placed.scale * factor, placed.translation * factor)
    may_slide = size is None and boxes_overlap(mask_box(thin_human), mask_box(thin_object))
    end = slid(human, verts, object_faces, placed, may_slide, options)
    known = f"of {size:g} m" if size is not None else f"{end.placed.scale * longest:.2f} m long, by the human's depth"
    notes += (f"no depth map: an object {known}, {100 * end.gap_after:.0f} cm from the human", *end.notes)
    return Coarse(
        end.placed.scale, turn, end.placed.translation, np.nan, np.nan, 0, end.gap_before, end.gap_after, notes
    )


def longest_side(verts: Float[np.ndarray, "v 3"]) -> float:
    """Of the smallest box around the vertices, however turned: so it does not depend on how a file holds the object."""
    centred = verts - verts.mean(0)
    _, spread, axes = np.linalg.svd(centred, full_matrices=False)
    if spread[2] <= FLAT * spread[0]:  # in one plane, where there is no hull: along the axes of the cloud
        return float(np.ptp(centred @ axes.T, axis=0).max())
    return float(trimesh.bounds.oriented_bounds(verts)[1].max())


def depth_beside(
    human: Float[np.ndarray, "a 3"], faces: Int[np.ndarray, "b 3"], mask: Bool[np.ndarray, "h w"], eye: Eye
) -> tuple[float, tuple[str, ...]]:
    """Median depth (metres) of the human's mesh on and around a mask; of all of it where the two are apart."""
    depth = mesh_depth(human, faces, eye)
    reach = 2 * max(1, round(RIM * max(mask.shape))) + 1
    near = cv2.dilate(mask.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    beside = depth[near & (depth > 0)]
    if len(beside):
        return float(np.median(beside)), ()
    if (depth > 0).any():
        return float(np.median(depth[depth > 0])), (
            "the human is not beside the object in the image: placed at its depth",
        )
    return float(np.median(human[:, 2])), (
        "the human's mesh is outside of the image: the object is placed at its depth",
    )
