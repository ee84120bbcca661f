"""Solids and colours from which the procedural objects are built: closed by construction, coloured by vertex."""

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from manifold3d import CrossSection, Manifold, Mesh, OpType
from scipy.spatial.transform import Rotation

from hoijax.data.sample import ColoredMesh

RGB = tuple[float, float, float]
Point = tuple[float | int, float | int, float | int]
Ball = tuple[float | int, float | int, float | int, float | int]  # x, y, z, radius

_EIGHT = tuple(itertools.product((0, 1), repeat=3))


def turned(mesh: ColoredMesh, rotation: Rotation, shift: Float[np.ndarray, "3"]) -> ColoredMesh:
    """The mesh rotated about its origin, then shifted."""
    return mesh._replace(verts=rotation.apply(mesh.verts) + np.asarray(shift))


def hull(*balls: Ball) -> Manifold:
    """Convex hull of balls."""
    return Manifold.batch_hull([Manifold.sphere(r, segments(r)).translate((x, y, z)) for x, y, z, r in balls])


def segments(radius: float) -> int:
    """Sides of a circle: a multiple of four that grows with it."""
    return 8 if radius < 0.05 else 12 if radius < 0.09 else 16


def union(boxes: Sequence[tuple[Point, Point]]) -> Manifold:
    cubes = [Manifold.cube(tuple(np.subtract(high, low).tolist())).translate(low) for low, high in boxes]
    return Manifold.batch_boolean(cubes, OpType.Add)


def box(low: Point, high: Point) -> Manifold:
    """Axis-parallel box between two corners."""
    return union([(low, high)])


def rounded_box(low: Point, high: Point, radius: float) -> Manifold:
    """Box between two corners whose edges are rounded."""
    corners = np.stack([np.asarray(low) + radius, np.asarray(high) - radius])
    return hull(*((float(corners[i, 0]), float(corners[j, 1]), float(corners[k, 2]), radius) for i, j, k in _EIGHT))


def tube(points: Sequence[Point], radius: float) -> Manifold:
    """A round bar along a chain of points."""
    return merged([hull((*a, radius), (*b, radius)) for a, b in itertools.pairwise(points)])


def lathe(outline: Sequence[tuple[float | int, float | int]], sides: int = 32) -> Manifold:
    """The solid whose outline (distance from the y axis, height) is turned about the y axis."""
    profile = counterclockwise(np.array(outline, np.float64))
    return Manifold.revolve(CrossSection([profile]), sides).rotate((-90, 0, 0))  # manifold turns profiles about z


def torus(radius: float, thickness: float, sides: int = 40) -> Manifold:
    """A ring about the y axis."""
    angle = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    profile = np.stack([radius + thickness * np.cos(angle), thickness * np.sin(angle)], 1)
    return lathe([(float(x), float(y)) for x, y in profile], sides)


def merged(solids: Sequence[Manifold]) -> Manifold:
    """Union of solids."""
    return Manifold.batch_boolean(list(solids), OpType.Add)


def colored(solid: Manifold, longest: float, color: RGB) -> ColoredMesh:
    """The solid as triangles with no edge longer than `longest`, in one colour."""
    verts, faces = arrays(solid.simplify(2e-4).refine_to_length(longest))
    return ColoredMesh(verts, faces, np.tile(np.array(color), (len(verts), 1)))


def arrays(solid: Manifold) -> tuple[np.ndarray, np.ndarray]:
    mesh: Mesh = solid.to_mesh()
    return np.array(mesh.vert_properties[:, :3], np.float64), np.array(mesh.tri_verts, np.int64)


def counterclockwise(outline: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    following = np.roll(outline, -1, 0)
    area = (outline[:, 0] * following[:, 1] - outline[:, 1] * following[:, 0]).sum()
    return outline if area > 0 else outline[::-1].copy()


def paint(rgb: np.ndarray, where: np.ndarray, color: RGB) -> None:
    rgb[where] = color


def grain(verts: np.ndarray, color: RGB, axis: int, period: float, amount: float) -> np.ndarray:
    """Wood-like streaks along an axis."""
    across = np.delete(verts, axis, axis=1)
    phase = across @ [1.0, 0.63] + 0.004 * np.sin(verts[:, axis] * 23 + 7 * across[:, 0])
    streak = np.sin(2 * np.pi * phase / period) + 0.5 * np.sin(2 * np.pi * phase / period * 2.7 + 1)
    return np.clip(np.array(color) * (1 + amount * streak[:, None]), 0, 1)
