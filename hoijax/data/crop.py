"""The square window around the object, cut from the full-size masks."""

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool

from hoijax.types import Camera, Crop


def object_crop(
    object_mask: Bool[np.ndarray, "h w"], human_mask: Bool[np.ndarray, "h w"], camera: Camera, size: int, margin: float
) -> Crop:
    """A window of size x size pixels about the centre of the object's box, 1 + margin times its longer side wide.

    Masks and camera of the full-size photograph. A pixel is of whom the greater part of it is, and unknown where the
    human or nothing of the photograph is seen. Without an object: the whole photograph.
    """
    h, w = object_mask.shape
    rows, columns = np.nonzero(object_mask if object_mask.any() else np.ones((h, w), bool))
    low, high = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()]) + 1
    side = int(np.ceil((1 + margin) * (high - low).max()))
    corner = np.round((low + high - side) / 2).astype(int)
    of_object, of_human, seen = (
        window(mask, corner, side, size) for mask in (object_mask, human_mask & ~object_mask, np.ones((h, w), bool))
    )
    unknown = (of_human > 0.5) | (seen < 0.5)
    target = np.where(of_object > 0.5, 1.0, np.where(unknown, -1.0, 0.0))
    scale = size / side
    focal, center = np.asarray(camera.focal) * scale, (np.asarray(camera.center) - corner) * scale
    return Crop(
        jnp.asarray(target, jnp.float32), Camera(jnp.asarray(focal, jnp.float32), jnp.asarray(center, jnp.float32))
    )


def window(mask: Bool[np.ndarray, "h w"], corner: np.ndarray, side: int, size: int) -> np.ndarray:
    """The square of `side` pixels from `corner` (x, y) of a mask, zero outside of it, as shares in `size` pixels."""
    h, w = mask.shape
    first, last = np.maximum(corner, 0), np.minimum(corner + side, [w, h])
    out = np.zeros((side, side), np.float32)
    to_x, to_y = (slice(*bounds) for bounds in zip(first - corner, last - corner))
    from_x, from_y = (slice(*bounds) for bounds in zip(first, last))
    out[to_y, to_x] = mask[from_y, from_x]
    return cv2.resize(out, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LINEAR)
