"""Signed distance grids: built on the host with libigl, read in JAX with a gradient towards the points."""

import igl
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from hoijax.geometry import safe_norm
from hoijax.types import SdfGrid


def init_sdf_grid(
    verts: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], resolution: int = 64, margin: float = 0.05
) -> SdfGrid:
    """A cube of resolution^3 signed distances (metres, negative inside) about a mesh; padding faces are ignored.

    The cube is centred on the mesh's box and covers its longest side and `margin` metres beyond. Distances are exact
    in the box grown by `margin`; further out, where nothing can touch, they are the distance to that grown box plus
    the value at its nearest point. The sign is that of the fast winding number (Barill et al. 2018), which also
    serves meshes that are not watertight. Host code, no gradient. Raises ValueError without a face of positive area.
    """
    verts, faces = _solid_part(np.asarray(verts, np.float64), np.asarray(faces, np.int64))
    low, high = verts.min(0) - margin, verts.max(0) + margin
    # Samples stand where the stored float32 origin and spacing put them.
    spacing = np.float32((high - low).max() / (resolution - 1) * (1 + 1e-6))
    origin = ((low + high) / 2 - spacing * (resolution - 1) / 2).astype(np.float32)
    axes = [np.float64(origin[k]) + np.float64(spacing) * np.arange(resolution) for k in range(3)]
    inside = [_cover(axes[k], low[k], high[k]) for k in range(3)]
    near = [axis[part] for axis, part in zip(axes, inside)]
    points = np.stack(np.meshgrid(*near, indexing="ij"), -1)
    exact = _signed_distance(points.reshape(-1, 3), verts, faces).reshape(points.shape[:3])
    values = np.pad(exact, [(part.start, resolution - part.stop) for part in inside], mode="edge")
    values += np.sqrt(sum(gap**2 for gap in np.ix_(*(np.abs(a - a.clip(n[0], n[-1])) for a, n in zip(axes, near)))))
    return SdfGrid(jnp.asarray(values, jnp.float32), jnp.asarray(origin), jnp.asarray(spacing))


def signed_distance(grid: SdfGrid, points: Float[Array, "n 3"]) -> Float[Array, " n"]:
    """Trilinear interpolation of the grid at points of its frame, metres; corner samples lie on the box's corners.

    Outside of the box: the value at the nearest point of the box plus the distance to it.
    Gradient: constant within a cell but for the trilinear terms, so it jumps at cell faces; exact for `points`.
    """
    last = jnp.asarray(grid.values.shape, points.dtype) - 1
    index = (points - grid.origin) / grid.spacing
    clamped = jnp.clip(index, 0, last)
    cell = jnp.clip(jnp.floor(clamped), 0, last - 1)
    upper = clamped - cell
    cell = cell.astype(jnp.int32)
    total = jnp.zeros_like(points[:, 0])
    for corner in np.ndindex(2, 2, 2):
        i, j, k = (cell[:, axis] + corner[axis] for axis in range(3))
        weight = jnp.where(jnp.asarray(corner, bool), upper, 1 - upper).prod(-1)
        total = total + weight * grid.values[i, j, k]
    return total + safe_norm(index - clamped) * grid.spacing


def _solid_part(verts: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The faces with area, and the vertices they use."""
    a, b, c = (verts[faces[:, k]] for k in range(3))
    kept = faces[np.linalg.norm(np.cross(b - a, c - a), axis=1) > 0]
    if len(kept) == 0:
        raise ValueError(f"signed distance grid: none of the mesh's {len(faces)} faces has an area")
    used, kept = np.unique(kept, return_inverse=True)
    return verts[used], kept.reshape(-1, 3).astype(np.int64)


def _cover(axis: np.ndarray, low: float, high: float) -> slice:
    """The samples of an axis from the last one at or under `low` to the first one at or over `high`."""
    start = max(int(np.searchsorted(axis, low, "right")) - 1, 0)
    return slice(start, min(int(np.searchsorted(axis, high, "left")) + 1, len(axis)))


def _signed_distance(points: np.ndarray, verts: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Exact distance by libigl's box tree, negative where the fast winding number says inside."""
    squared, _, _ = igl.point_mesh_squared_distance(points, verts, faces)
    inside = igl.fast_winding_number(verts, faces, points) > 0.5
    return np.where(inside, -1, 1) * np.sqrt(squared)
