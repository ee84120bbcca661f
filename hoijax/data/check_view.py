"""Whether meshes, masks and boxes of a sample lie on one another in the image."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int

from hoijax.data.sample import ColoredMesh
from hoijax.types import Camera

LONG_SIDE = 256  # pixels: silhouettes are compared at this size
HUMAN_IOU = 0.5  # a person's mesh that covers its mask less is doubted
OBJECT_IOU = 0.05  # a coarse object may stand far off, but not this far
FLIP_GAIN = 0.2  # IoU that flipped axes must gain to be suspected
BOX_IOU = 0.5
SUBPIXEL_BITS = 4


class View(NamedTuple):
    """What silhouettes are compared in: the camera and the two masks, at LONG_SIDE, and the person's translation."""

    camera: Camera
    human_mask: Bool[np.ndarray, "h w"]
    object_mask: Bool[np.ndarray, "h w"]
    offset: Float[np.ndarray, "3"]


def small_view(
    camera: Camera,
    offset: Float[np.ndarray, "3"],
    human_mask: Bool[np.ndarray, "h w"],
    object_mask: Bool[np.ndarray, "h w"],
) -> View:
    """The view reduced to LONG_SIDE."""
    height, width = human_mask.shape
    factor = min(1.0, LONG_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    ratio = np.array([size[0] / width, size[1] / height])
    masks = [
        cv2.resize(m.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5 for m in (human_mask, object_mask)
    ]
    reduced = Camera(np.asarray(camera.focal) * ratio, np.asarray(camera.center) * ratio)
    return View(reduced, masks[0], masks[1], np.asarray(offset, np.float64))


def silhouette(
    verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], camera: Camera, shape: tuple[int, int]
) -> Bool[np.ndarray, "h w"]:
    """Pixels (h, w = shape) that any triangle touches; triangles that reach behind the camera are left out."""
    mask = np.zeros(shape, np.uint8)
    depth = verts[:, 2:]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        points = np.asarray(camera.focal) * verts[:, :2] / depth + np.asarray(camera.center)
    corners = points[faces]
    low, high = corners.min(1), corners.max(1)
    seen = (depth[faces, 0] > 0).all(1) & (high > 0).all(1) & (low < shape[::-1]).all(1)
    # OpenCV puts pixel centres on whole numbers; fixed point with 4 bits; far corners are brought within its range.
    fixed = np.clip((corners[seen] - 0.5) * 2**SUBPIXEL_BITS, -(2**20), 2**20).round().astype(np.int32)
    for triangle in fixed:
        cv2.fillConvexPoly(mask, triangle, 1, shift=SUBPIXEL_BITS)
    return mask > 0


def projection_doubts(mesh: ColoredMesh, view: View, part: str) -> list[str]:
    """Doubts whether a mesh (`part`: human or object) lies on its mask; pixels of the other one's mask do not count."""
    masks = (view.human_mask, view.object_mask)
    mask, other = masks if part == "human" else masks[::-1]
    iou = _agreement(mesh.verts + view.offset, mesh, view, mask, other)
    if iou >= (HUMAN_IOU if part == "human" else OBJECT_IOU):
        return []
    flipped, axes = max(
        (_agreement(verts, mesh, view, mask, other), axes) for axes, verts in _flips(mesh.verts, view.offset)
    )
    doubts = [f"its projection hardly lies on the {part} mask (IoU {iou:.2f})"]
    if not silhouette(mesh.verts + view.offset, mesh.faces, view.camera, mask.shape).any():
        doubts = ["projects outside the image: cam_trans, focal or princpt do not belong to it"]
    if flipped > iou + FLIP_GAIN:
        doubts.append(f"axis flip suspected: with {axes} negated the IoU is {flipped:.2f} instead of {iou:.2f}")
    return doubts


def box_doubts(box: Float[np.ndarray, "4"], mask: Bool[np.ndarray, "h w"], part: str) -> list[str]:
    """Doubts whether a box x0 y0 x1 y1 (pixels) lies in the image and around its mask."""
    height, width = mask.shape
    doubts = []
    if box[:2].min() < -2 or box[2] > width + 2 or box[3] > height + 2:
        doubts.append(f"the {part} box {box.tolist()} reaches out of the {width} x {height} image")
    if mask.any():
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        bounds = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)
        iou = _box_iou(box, bounds)
        if iou < BOX_IOU:
            doubts.append(f"the {part} box {box.tolist()} differs from its mask's {bounds.tolist()} (IoU {iou:.2f})")
    return doubts


def _agreement(
    verts: Float[np.ndarray, "v 3"],
    mesh: ColoredMesh,
    view: View,
    mask: Bool[np.ndarray, "h w"],
    other: Bool[np.ndarray, "h w"],
) -> float:
    drawn = silhouette(verts, mesh.faces, view.camera, mask.shape) & (mask | ~other)
    union = (drawn | mask).sum()
    return float((drawn & mask).sum() / union) if union else 0.0


def _flips(
    verts: Float[np.ndarray, "v 3"], offset: Float[np.ndarray, "3"]
) -> Iterator[tuple[str, Float[np.ndarray, "v 3"]]]:
    """Placements under axis flips of the mesh alone, and of mesh and translation together."""
    for signs in product((1, -1), repeat=3):
        axes = " and ".join(axis for axis, sign in zip("xyz", signs) if sign < 0)
        if axes:
            yield axes, verts * signs + offset
            yield f"{axes} (cam_trans too)", (verts + offset) * signs


def _box_iou(a: Float[np.ndarray, "4"], b: Float[np.ndarray, "4"]) -> float:
    overlap = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    total = (a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - overlap
    return float(overlap / total) if total > 0 else 0.0
