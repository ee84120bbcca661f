"""Pictures of a camera with a real lens, made those of the pinhole camera that a sample has."""

from pathlib import Path
from typing import Any, NamedTuple

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Shaped

from hoijax.data.parameters import numbers
from hoijax.data.sample import SampleError
from hoijax.types import Camera

COEFFICIENTS = (4, 5, 8, 12, 14)  # how many OpenCV's lens model may have: k1 k2 p1 p2 k3 k4 k5 k6 s1 ...


class Lens(NamedTuple):
    """A camera as OpenCV calibrates it: pixel centres lie on whole numbers, `distortion` in OpenCV's order, or empty."""

    matrix: Float[np.ndarray, "3 3"]
    distortion: Float[np.ndarray, " k"]


def read_lens(path: Path, focal: Any, center: Any, distortion: Any = ()) -> Lens:
    """A lens from numbers in a file: two of focal length, two of the principal point, and coefficients.

    Raises SampleError for anything else.
    """
    (fx, fy), (cx, cy) = numbers(path, "focal", focal, 2), numbers(path, "princpt", center, 2)
    if not min(fx, fy) > 0:
        raise SampleError(path, f"has focal lengths {fx} and {fy}, expected positive pixels")
    count = len(distortion) if hasattr(distortion, "__len__") else 1
    if count and count not in COEFFICIENTS:
        known = ", ".join(map(str, COEFFICIENTS))
        raise SampleError(path, f"has {count} coefficients of the lens, expected {known} (OpenCV's order)")
    coefficients = numbers(path, "distortion", distortion, count) if count else np.zeros(0)
    return Lens(np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]), coefficients)


def pinhole(lens: Lens) -> Camera:
    """The camera of the undistorted picture, in hoijax's pixels: centres at j + 0.5, half a pixel off OpenCV's."""
    focal, center = lens.matrix[[0, 1], [0, 1]], lens.matrix[:2, 2] + 0.5
    return Camera(jnp.asarray(focal, jnp.float32), jnp.asarray(center, jnp.float32))


def undistorted(lens: Lens, values: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
    """A photograph, mask or depth map (h, w, ...) as the pinhole camera would see it; 0 where the lens saw nothing.

    Photographs are interpolated; masks and depths keep the values of the nearest pixels. The camera matrix stays.
    """
    if not lens.distortion.any():
        return values
    h, w = values.shape[:2]
    to_x, to_y = cv2.initUndistortRectifyMap(lens.matrix, lens.distortion, None, lens.matrix, (w, h), cv2.CV_32FC1)
    plain = values.astype(np.uint8) if values.dtype == bool else values
    method = cv2.INTER_LINEAR if values.ndim == 3 else cv2.INTER_NEAREST
    return cv2.remap(plain, to_x, to_y, method, borderMode=cv2.BORDER_CONSTANT, borderValue=0).astype(values.dtype)
