"""What one camera sees of clouds and meshes: pixels to points, points to pixels, and the depth of a mesh at each pixel."""

from typing import NamedTuple

import cv2
import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh
from jaxtyping import Bool, Float, Int

from hoijax.types import Camera

MARGIN = 0.1  # metres before the nearest vertex where rays start, so that float32 keeps distances exact
CLOSEST = 1e-3  # metres: nearer vertices, and those behind the camera, make the mesh one that cannot be drawn


class Eye(NamedTuple):
    """A pinhole camera on the host with its image's `size` (h, w): pixel = focal (x, y) / z + center."""

    focal: Float[np.ndarray, "2"]
    center: Float[np.ndarray, "2"]
    size: tuple[int, int]


class Box(NamedTuple):
    """Pixels left <= j < right, top <= i < bottom of an image."""

    left: int
    top: int
    right: int
    bottom: int


def thinned_eye(camera: Camera, size: tuple[int, int], step: int) -> Eye:
    """The camera of the image that keeps every step-th pixel of each row and column, from pixel step // 2 on.

    Pixel j of it is pixel k j + k // 2 of the whole: u' = (u - k // 2 - 1 / 2) / k + 1 / 2. Exact, nothing is averaged.
    """
    focal, center = (np.asarray(value, np.float64) for value in camera)
    h, w = (len(range(step // 2, side, step)) for side in size)
    return Eye(focal / step, (center - step // 2 - 0.5) / step + 0.5, (h, w))


def pixel_centers(box: Box) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    """x and y of the pixel centres of a box."""
    x, y = np.meshgrid(np.arange(box.left, box.right) + 0.5, np.arange(box.top, box.bottom) + 0.5)
    return x, y


def unprojected(pixels: Float[np.ndarray, "n 2"], depth: Float[np.ndarray, " n"], eye: Eye) -> Float[np.ndarray, "n 3"]:
    """Points at pixels (x, y) and depths z: X = z ((x, y) - center) / focal, Z = z."""
    return np.concatenate([(pixels - eye.center) / eye.focal, np.ones((len(pixels), 1))], 1) * depth[:, None]


def projected(points: Float[np.ndarray, "n 3"], eye: Eye) -> Float[np.ndarray, "n 2"]:
    """Pixels (x, y) of points in front of the camera."""
    return points[:, :2] / points[:, 2:] * eye.focal + eye.center


def pixel_box(pixels: Float[np.ndarray, "n 2"], size: tuple[int, int]) -> Box:
    """The pixels of an image that hold these positions and all between them; empty where they miss the image."""
    h, w = size
    left, top = np.clip(np.floor(pixels.min(0)).astype(int), 0, (w, h))
    right, bottom = np.clip(np.ceil(pixels.max(0)).astype(int) + 1, (left, top), (w, h))
    return Box(int(left), int(top), int(right), int(bottom))


def mask_box(mask: Bool[np.ndarray, "h w"]) -> Box:
    """The smallest box around a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def mesh_depth(verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], eye: Eye) -> Float[np.ndarray, "h w"]:
    """Depth (metres along z) of the nearest face at every pixel centre; 0 where there is none. Both sides are seen.

    By ray casting, in float32 about the mesh's middle. Raises ValueError for vertices that are not in front of the camera.
    """
    if verts[:, 2].min() <= CLOSEST:
        raise ValueError(f"a mesh reaches to z = {verts[:, 2].min():.3g} m, expected all of it in front of the camera")
    depth = np.zeros(eye.size)
    box = pixel_box(projected(verts, eye), eye.size)
    middle = (verts.min(0) + verts.max(0)) / 2
    tree = rtcore_scene.EmbreeScene()
    TriangleMesh(tree, np.float32(verts - middle), np.int32(faces))
    x, y = (axis.ravel() for axis in pixel_centers(box))
    if not len(x):
        return depth
    start = max(verts[:, 2].min() - MARGIN, 0.0)
    rays = unprojected(np.stack([x, y], 1), np.ones(len(x)), eye)
    hits = tree.run(np.float32(start * rays - middle), np.float32(rays), output=True)
    seen = np.where(hits["primID"] >= 0, start + hits["tfar"].astype(np.float64), 0)
    depth[box.top : box.bottom, box.left : box.right] = seen.reshape(box.bottom - box.top, -1)
    return depth


def eroded(mask: Bool[np.ndarray, "h w"], radius: int) -> Bool[np.ndarray, "h w"]:
    """The pixels of a mask whose neighbours in a square of +-`radius` pixels are inside too. The frame is no edge."""
    kernel = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    return cv2.erode(mask.astype(np.uint8), kernel, borderType=cv2.BORDER_REPLICATE).astype(bool)
