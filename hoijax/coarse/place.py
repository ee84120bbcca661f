"""The coarse reconstruction: from a depth map, masks and meshes to the object's start pose (method 8, decided).

Everything is in the camera frame, in metres, on the host in float64; one image at a time.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from hoijax.coarse.cloud import cloud, depth_pixels, known_depth
from hoijax.coarse.depth_fit import FAINT, DepthFit, depth_fit
from hoijax.coarse.fit_pose import Placed, Target, at_depth, first_place, fitted_to_mask, icp, size_and_place
from hoijax.coarse.touch import Slide, gap_along_ray, slide_to_touch
from hoijax.coarse.turn import angle, best_rotation
from hoijax.coarse.view import Box, Eye, mask_box, mesh_depth, thinned_eye
from hoijax.types import Camera

ROTATIONS = ("given", "search")


@dataclass(frozen=True)
class CoarseOptions:
    """What the seven steps leave open. Lengths in metres.

    `rotation`: "given" keeps the mesh's own orientation, "search" tries `rotations` others. `erosion_px`: off a mask's rim,
    at 512 px; it grows with the image. `outer`: share of the depths that is dropped, half at either end. `fewest_points`:
    with fewer the size comes from boxes, not from the cloud; `fewest_human_points`: with fewer there is no fit.
    `icp_keep`: share of the pairs, the nearest, that ICP believes. `slide_gap`: a larger gap is closed to `touch`.
    `max_side`: larger images are thinned to it. `correct` (ours): in the end the mask decides size and place in the image,
    the cloud the depth, pixel by pixel; without it the pose is that of step 6.
    """

    rotation: str = "given"
    erosion_px: float = 3.0
    outer: float = 0.05
    fewest_points: int = 200
    fewest_human_points: int = 50
    icp_steps: int = 20
    icp_keep: float = 0.8
    slide_gap: float = 0.10
    touch: float = 0.02
    max_side: int = 1024
    rotations: int = 2000
    correct: bool = True

    def __post_init__(self) -> None:
        if self.rotation not in ROTATIONS:
            raise ValueError(f"rotation is {self.rotation!r}, expected one of {', '.join(ROTATIONS)}")


class Coarse(NamedTuple):
    """Start of the object: x' = scale rotation x + translation of the vertices as given, camera frame, metres.

    The depth map is metric as z' = depth_scale z + depth_shift. `points`: of the object's cloud that were used. Gaps:
    least distance of human and object before and after the slide. `notes` say what had to be bent, a sentence each.
    """

    scale: float
    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]
    depth_scale: float
    depth_shift: float
    points: int
    gap_before: float
    gap_after: float
    notes: tuple[str, ...]


def coarse_placement(
    human_verts: Float[np.ndarray, "a 3"],
    human_faces: Int[np.ndarray, "b 3"],
    object_verts: Float[np.ndarray, "v 3"],
    object_faces: Int[np.ndarray, "f 3"],
    camera: Camera,
    depth: Float[np.ndarray, "h w"],
    human_mask: Bool[np.ndarray, "_ _"],
    object_mask: Bool[np.ndarray, "_ _"],
    options: CoarseOptions | None = None,
) -> Coarse:
    """Scale, rotation and translation that put an object of any size and place where depth map and masks see it.

    `human_verts` in the camera frame (with `cam_trans`); `depth` in any unit, 0 or NaN where unknown, that rises with the
    distance. The seven steps of method 8; the files beside this one hold them. Raises ValueError for empty or mismatched
    input, where depth map and human do not meet, and where the map falls with the distance or ends behind the camera.
    """
    options = options or CoarseOptions()
    human, verts = np.asarray(human_verts, np.float64), np.asarray(object_verts, np.float64)
    check_meshes(human, verts, object_faces)
    if not known_depth(depth).any():
        raise ValueError("the depth map holds no finite positive depth")
    check_masks(depth.shape, human_mask, object_mask)
    step = max(1, -(-max(depth.shape) // options.max_side))
    eye = thinned_eye(camera, depth.shape, step)
    depth, human_mask, object_mask = (
        image[step // 2 :: step, step // 2 :: step] for image in (depth, human_mask, object_mask)
    )
    if not object_mask.any() or not human_mask.any():
        raise ValueError(f"a mask has no pixel left in a {step} times smaller image, expected a larger shape")
    erosion = round(options.erosion_px * max(depth.shape) / 512)
    fit = human_fit(depth, human_mask & ~object_mask, mesh_depth(human, human_faces, eye), erosion, options)
    target, notes = object_target(depth, object_mask, human_mask, fit, eye, erosion, options)
    turn = np.eye(3)
    if options.rotation == "search":
        turn, agreed, before_turn = best_rotation(verts, object_faces, target, eye, options.rotations)
        notes += (turn_note(turn, agreed, before_turn),)
    verts = verts @ turn.T
    placed = fitted_pose(verts, object_faces, target, eye, options)
    notes += _fit_notes(fit)
    may_slide = boxes_overlap(mask_box(human_mask), mask_box(object_mask))
    end = slid(human, verts, object_faces, placed, may_slide, options)
    return Coarse(
        end.placed.scale,
        turn,
        end.placed.translation,
        fit.scale,
        fit.shift,
        len(target.cloud),
        end.gap_before,
        end.gap_after,
        notes + end.notes,
    )


def human_fit(
    depth: Float[np.ndarray, "h w"],
    mask: Bool[np.ndarray, "h w"],
    human_depth: Float[np.ndarray, "h w"],
    erosion_px: int,
    options: CoarseOptions,
) -> DepthFit:
    """Step 2: the map's unit from the pixels where the human is seen, in the mask and on the mesh (`human_depth` > 0).

    Raises ValueError when there are fewer than `fewest_human_points` of them.
    """
    both = mask & (human_depth > 0)
    found = depth_pixels(depth, both, erosion_px, options.outer, options.fewest_points)
    if len(found.z) < options.fewest_human_points:
        raise ValueError(
            f"{len(found.z)} pixels have a depth, lie in the human's mask and on the human's mesh, expected at least "
            f"{options.fewest_human_points} to fit the unit of the depth map (mask {mask.sum()}, mesh "
            f"{(human_depth > 0).sum()}, depth known {known_depth(depth).sum()} pixels)"
        )
    j, i = found.pixels.astype(int).T
    return depth_fit(found.z, human_depth[i, j])


def object_target(
    depth: Float[np.ndarray, "h w"],
    mask: Bool[np.ndarray, "h w"],
    human_mask: Bool[np.ndarray, "h w"],
    fit: DepthFit,
    eye: Eye,
    erosion_px: int,
    options: CoarseOptions,
) -> tuple[Target, tuple[str, ...]]:
    """Steps 1 and 3 for the object: what it has to fit. Without a point its depth is that of the human in the map.

    Raises ValueError where the map has depths for the object and all of them end behind the camera.
    """
    found = depth_pixels(depth, mask, erosion_px, options.outer, options.fewest_points)
    points = cloud(found, fit.scale, fit.shift, eye)
    notes = []
    if found.eroded_px < erosion_px:
        notes.append(f"object mask eroded by {found.eroded_px} px instead of {erosion_px}: it is small or thin")
    if len(points) < len(found.z):
        behind = f"{len(found.z) - len(points)} of {len(found.z)} object points behind the camera"
        if not len(points):
            raise ValueError(f"z' = {fit.scale:.3g} z + {fit.shift:.3g} of the depth map puts {behind}")
        notes.append(f"{behind}: left out")
    if len(points) < options.fewest_points:
        notes.append(f"{len(points)} object points, under {options.fewest_points}: size from the boxes")
    if len(points):
        z = float(np.median(points[:, 2]))
    else:
        z = fit.scale * float(np.median(depth[human_mask & known_depth(depth)])) + fit.shift
        notes.append("no depth on the object: placed at the human's")
    frame = mask.copy()
    frame[1:-1, 1:-1] = False
    if frame.any():
        notes.append("the object's mask touches the border of the image: size and place are those of the part in it")
    return Target(mask, human_mask & ~mask, points, z, found.eroded_px, options.outer), tuple(notes)


def fitted_pose(
    verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], target: Target, eye: Eye, options: CoarseOptions
) -> Placed:
    """Steps 4 to 6 for vertices in their final orientation."""
    placed = first_place(verts, target, eye)
    if len(target.cloud) >= options.fewest_points:
        placed = size_and_place(placed, verts, faces, target, eye)
        placed = icp(placed, verts, faces, target, options.icp_keep, options.icp_steps)
    if options.correct:
        placed = at_depth(fitted_to_mask(placed, verts, faces, target, eye), verts, faces, target, eye)
    return placed


class Slid(NamedTuple):
    """Where step 7 leaves the object, the gaps to the human before and after it (metres), and what it has to say."""

    placed: Placed
    gap_before: float
    gap_after: float
    notes: tuple[str, ...]


def slid(
    human: Float[np.ndarray, "w 3"],
    verts: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    placed: Placed,
    may_slide: bool,
    options: CoarseOptions,
) -> Slid:
    """Step 7: a gap of more than `slide_gap` is closed along the viewing rays, where `may_slide`."""
    stands = placed.scale * verts + placed.translation
    before = gap_along_ray(human, stands, faces)(1.0)
    if before <= options.slide_gap or not may_slide:
        return Slid(placed, before, before, ())
    slide = slide_to_touch(human, stands, faces, options.touch)
    moved = Placed(placed.scale * slide.factor, placed.translation * slide.factor)
    return Slid(moved, before, slide.gap, (_slide_note(slide, before, float(moved.translation[2])),))


def boxes_overlap(a: Box, b: Box) -> bool:
    """Whether two boxes share a pixel."""
    return min(a.right, b.right) > max(a.left, b.left) and min(a.bottom, b.bottom) > max(a.top, b.top)


def _fit_notes(fit: DepthFit) -> tuple[str, ...]:
    if fit.correlation >= FAINT:
        return ()
    found = f"correlation {fit.correlation:.2f}, expected {FAINT} or more"
    return (f"the depth map hardly follows the human's relief ({found}): its scale is the ratio of the two spreads",)


def turn_note(turn: Float[np.ndarray, "3 3"], agreed: float, given: float) -> str:
    degrees = np.degrees(angle(turn))
    return f"turned by {degrees:.0f} degrees: agreement with mask and cloud {agreed:.2f}, as given {given:.2f}"


def _slide_note(slide: Slide, before: float, z: float) -> str:
    moved = 100 * z * (1 - 1 / slide.factor)
    end = "to touch the human" if slide.touches else f"to the least gap, {100 * slide.gap:.1f} cm"
    return f"{100 * before:.1f} cm from the human: moved {moved:.1f} cm along the ray {end}"


def check_meshes(
    human: Float[np.ndarray, "a 3"], verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]
) -> None:
    """Raises ValueError for meshes that no step could use."""
    for name, points in (("human", human), ("object", verts)):
        if not len(points) or not np.isfinite(points).all():
            raise ValueError(
                f"the {name}'s mesh has {len(points)} vertices, {(~np.isfinite(points)).any(1).sum()} not finite"
            )
    if not len(faces) or not np.ptp(verts, axis=0).any():
        raise ValueError(f"the object's mesh has {len(faces)} faces and an extent of {np.ptp(verts, axis=0).max():g} m")


def check_masks(
    size: tuple[int, ...], human_mask: Bool[np.ndarray, "_ _"], object_mask: Bool[np.ndarray, "_ _"]
) -> None:
    """Raises ValueError for masks that are empty or not of this size (h, w)."""
    for name, mask in (("human", human_mask), ("object", object_mask)):
        if mask.shape != size:
            raise ValueError(f"the {name}'s mask has shape {mask.shape}, expected {size}")
        if not mask.any():
            raise ValueError(f"the {name}'s mask is empty")
