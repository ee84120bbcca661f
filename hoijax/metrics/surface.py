"""Exact geometry of triangle meshes on the host, in float64: samples, inside tests, distances, volume."""

from typing import NamedTuple

import igl
import numpy as np
import trimesh
from jax.typing import ArrayLike
from jaxtyping import Bool, Float, Int
from scipy.spatial import ConvexHull, QhullError


class Surface(NamedTuple):
    """Triangles on the host, checked: finite float64 vertices in metres, int64 faces that index them."""

    verts: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]


class Volume(NamedTuple):
    """Cubic metres, and whether the mesh is closed; of one that is not they are the volume of its convex hull."""

    volume: float
    watertight: bool


def surface(verts: Float[ArrayLike, "v 3"], faces: Int[ArrayLike, "f 3"], name: str = "mesh") -> Surface:
    """The mesh as float64 and int64 numpy arrays. Vertices that no face uses are kept and ignored by what follows.

    Raises ValueError, with `name`, for vertices that are not finite, no faces, and faces out of range.
    """
    points, triangles = np.asarray(verts, np.float64), np.asarray(faces, np.int64)
    if not np.isfinite(points).all():
        count = int((~np.isfinite(points)).any(-1).sum())
        raise ValueError(f"{name}: {count} of {len(points)} vertices are not finite")
    if not len(triangles):
        raise ValueError(f"{name}: no faces, expected at least one")
    if triangles.min() < 0 or triangles.max() >= len(points):
        found = f"{triangles.min()}..{triangles.max()}"
        raise ValueError(f"{name}: faces index vertices {found}, expected 0..{len(points) - 1}")
    return Surface(points, triangles)


def surface_samples(mesh: Surface, count: int, seed: int = 0) -> Float[np.ndarray, "count 3"]:
    """`count` points uniform in area: (1 - sqrt(u)) a + sqrt(u) (1 - v) b + sqrt(u) v c (Osada et al. 2002, Eq. 1).

    One seed takes the same faces and weights on every similar copy of a mesh: a copy is sampled at the copied points.
    A mesh without any area (all corners on a line or in one point) is sampled uniformly over its faces.
    """
    a, b, c = (mesh.verts[mesh.faces[:, k]] for k in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=-1) / 2
    weights = areas if areas.sum() > 0 else np.ones(len(areas))
    edges = np.cumsum(weights)
    pick, u, v = np.random.default_rng(seed).random((3, count))
    face = np.minimum(np.searchsorted(edges, pick * edges[-1], side="right"), len(edges) - 1)
    root, v = np.sqrt(u)[:, None], v[:, None]
    return (1 - root) * a[face] + root * (1 - v) * b[face] + root * v * c[face]


def inside(points: Float[np.ndarray, "n 3"], mesh: Surface) -> Bool[np.ndarray, " n"]:
    """Points where |winding number| > 1/2 (Jacobson et al. 2013; fast form: Barill et al. 2018) within the mesh's box.

    Robust to holes; the absolute value makes it blind to a mesh turned inside out.
    """
    used = mesh.verts[mesh.faces.ravel()]
    result = ((points >= used.min(0)) & (points <= used.max(0))).all(-1)
    if result.any():
        result[result] = np.abs(igl.fast_winding_number(mesh.verts, mesh.faces, points[result])) > 0.5
    return result


def surface_distance(points: Float[np.ndarray, "n 3"], mesh: Surface) -> Float[np.ndarray, " n"]:
    """Exact unsigned distance from each point to the nearest triangle, metres."""
    if not len(points):
        return np.zeros(0)
    squared, _, _ = igl.point_mesh_squared_distance(points, mesh.verts, mesh.faces)
    return np.sqrt(np.maximum(squared, 0))


def enclosed_volume(mesh: Surface, hull: bool = False) -> Volume:
    """Volume by the divergence theorem; of the convex hull where the mesh is not closed and consistently oriented.

    Vertices at one place count as one (files split them at texture seams). `hull` asks for the hull in any case, and
    `watertight` still tells about the mesh. A flat mesh encloses 0.
    """
    merged = trimesh.Trimesh(mesh.verts, mesh.faces)
    corners = merged.faces
    merged.update_faces((corners != np.roll(corners, 1, axis=1)).all(1))
    watertight = bool(len(merged.faces) and merged.is_watertight and merged.is_winding_consistent)
    if watertight and not hull:
        return Volume(abs(float(merged.volume)), True)
    try:
        return Volume(float(ConvexHull(mesh.verts[np.unique(mesh.faces)]).volume), watertight)
    except (QhullError, ValueError):  # fewer than four points, or all in a plane
        return Volume(0.0, watertight)
