"""Step 1: which depth pixels of a mask are believed, and where they are (method 8.1)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from hoijax.coarse.view import Eye, eroded, unprojected


class DepthPixels(NamedTuple):
    """Pixels (x, y) with what the depth map holds there, in its own unit. `eroded_px`: how far the mask was eroded."""

    pixels: Float[np.ndarray, "n 2"]
    z: Float[np.ndarray, " n"]
    eroded_px: int


def known_depth(depth: Float[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Where a depth map holds a depth: finite and above 0."""
    return np.isfinite(depth) & (depth > 0)


def depth_pixels(
    depth: Float[np.ndarray, "h w"], mask: Bool[np.ndarray, "h w"], erosion_px: int, outer: float, fewest: int
) -> DepthPixels:
    """The mask's pixels with known depth, without its rim and without the outer share of depths.

    The rim is what an erosion by `erosion_px` takes away; where fewer than `fewest` pixels would remain, it is as narrow
    as it must be. Then half of `outer` goes at either end of z. Empty where no pixel of the mask has a depth.
    """
    inside, known = mask, known_depth(depth)
    radius = erosion_px
    for radius in range(erosion_px, -1, -1):
        inside = eroded(mask, radius) & known
        if inside.sum() >= fewest:
            break
    i, j = np.nonzero(inside)
    z = np.asarray(depth, np.float64)[i, j]
    if len(z):
        low, high = np.quantile(z, (outer / 2, 1 - outer / 2))
        kept = (z >= low) & (z <= high)
        i, j, z = i[kept], j[kept], z[kept]
    return DepthPixels(np.stack([j + 0.5, i + 0.5], 1), z, radius)


def cloud(found: DepthPixels, scale: float, shift: float, eye: Eye) -> Float[np.ndarray, "n 3"]:
    """The points of depth pixels at the metric depth z' = scale z + shift; none behind the camera."""
    metric = scale * found.z + shift
    front = metric > 0
    return unprojected(found.pixels[front], metric[front], eye)
