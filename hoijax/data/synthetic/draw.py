"""Pictures by host ray casting: meshes with vertex colours before a floor and a wall, sun, sky light, soft shadows.

Everything is in the world frame of the scenes (y up, floor at y = 0, metres).
"""

from collections.abc import Sequence
from typing import NamedTuple

import igl
import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh
from jaxtyping import Bool, Float, Int, UInt8

from hoijax.data.sample import ColoredMesh
from hoijax.data.synthetic.surroundings import Surroundings, floor_rgb, wall_rgb
from hoijax.types import Camera

SUN, SKY = 1.35, 0.75  # strengths of the direct and of the ambient light
SUN_SIZE = 0.03  # radius of the sun's disc on the unit sphere: how soft shadows are
CREASE = 35.0  # degrees: edges sharper than this are not smoothed over
SKY_RAYS = 64  # per vertex, for ambient occlusion
LIFT = 0.003  # metres a secondary ray starts off its surface
FLOOR_SHINE = 0.45  # light that the floor gives back, as a share of the sky's
FLOOR_REACH = 1.8  # metres around the origin where the floor is darkened by what stands on it
CLOSE = 6.0  # metres before the scene where camera rays start, so that float32 distances stay exact


class View(NamedTuple):
    """A camera in the world: x_camera = rotation x_world + translation, in OpenCV axes."""

    camera: Camera
    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]


class Picture(NamedTuple):
    """The photograph; which mesh each pixel's centre sees (-1: none); depth along the optical axis, metres."""

    image: UInt8[np.ndarray, "h w 3"]
    visible: Int[np.ndarray, "h w"]
    depth: Float[np.ndarray, "h w"]


class Hits(NamedTuple):
    """What rays met first: mesh and face (-1: none), weights of the face's corners, distance."""

    mesh: Int[np.ndarray, " r"]
    face: Int[np.ndarray, " r"]
    corners: Float[np.ndarray, "r 3"]
    distance: Float[np.ndarray, " r"]


class _Lit(NamedTuple):
    """Meshes ready to draw: what rays can meet, normals at the corners of faces, and the share of sky each place sees."""

    rays: rtcore_scene.EmbreeScene
    meshes: Sequence[ColoredMesh]
    normals: Sequence[Float[np.ndarray, "f 3 3"]]
    sky: Sequence[Float[np.ndarray, " v"]]
    floor_sky: Float[np.ndarray, "n n"]


def picture(
    meshes: Sequence[ColoredMesh], view: View, surroundings: Surroundings, size: int, samples: int = 2
) -> Picture:
    """Ray-cast picture of `size` x `size` pixels, each the mean of samples x samples rays."""
    rays = rtcore_scene.EmbreeScene()
    for mesh in meshes:
        TriangleMesh(rays, np.float32(mesh.verts[mesh.faces]))
    normals = [igl.per_corner_normals(mesh.verts, mesh.faces, CREASE).reshape(-1, 3, 3) for mesh in meshes]
    lit = _Lit(rays, meshes, normals, [_sky(mesh, rays) for mesh in meshes], _floor_sky(rays))
    total = np.zeros((size * size, 3))
    for k in range(samples * samples):
        offset = (np.array([k % samples, k // samples]) + 0.5) / samples
        origins, directions, _ = camera_rays(view, size, offset)
        total += _radiance(lit, origins, directions, _sun(surroundings.sun, k, samples * samples), surroundings)
    encoded = np.clip(total / samples**2, 0, 1) ** (1 / 2.2)
    origins, directions, along = camera_rays(view, size, np.array([0.5, 0.5]))
    hits = cast(rays, origins, directions)
    distance = np.where(hits.mesh >= 0, hits.distance, _background(origins, directions, surroundings)[0])
    depth = (((origins - _eye(view)) * directions).sum(1) + distance) * along
    image = (encoded * 255 + 0.5).astype(np.uint8).reshape(size, size, 3)
    return Picture(image, hits.mesh.reshape(size, size), depth.reshape(size, size).astype(np.float32))


def camera_rays(
    view: View, size: int, offset: Float[np.ndarray, "2"]
) -> tuple[Float[np.ndarray, "r 3"], Float[np.ndarray, "r 3"], Float[np.ndarray, " r"]]:
    """Origins (near the scene), unit directions, and depth per distance of rays at (j, i) + offset of each pixel."""
    i, j = np.mgrid[:size, :size]
    pixels = np.stack([j.ravel(), i.ravel()], 1) + offset
    slopes = (pixels - np.asarray(view.camera.center)) / np.asarray(view.camera.focal)
    local = np.concatenate([slopes, np.ones((len(slopes), 1))], 1)
    along = 1 / np.linalg.norm(local, axis=1)
    directions = (local * along[:, None]) @ view.rotation
    eye = _eye(view)
    return eye + max(0.0, np.linalg.norm(eye) - CLOSE) * directions, directions, along


def cast(
    scene: rtcore_scene.EmbreeScene, origins: Float[np.ndarray, "r 3"], directions: Float[np.ndarray, "r 3"]
) -> Hits:
    """The first face that each ray meets."""
    found = scene.run(np.float32(origins), np.float32(directions), output=True)
    u, v = found["u"], found["v"]
    corners = np.stack([1 - u - v, u, v], 1)
    return Hits(found["geomID"].astype(int), found["primID"].astype(int), corners, found["tfar"].astype(float))


def _eye(view: View) -> np.ndarray:
    return -view.rotation.T @ view.translation


def _sun(direction: np.ndarray, k: int, count: int) -> np.ndarray:
    """The k-th of `count` points on the sun's disc, as a unit direction towards it."""
    side = np.cross(direction, [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    up = np.cross(side, direction)
    angle = 2 * np.pi * (k + 0.25) / count
    point = direction + SUN_SIZE * (np.cos(angle) * side + np.sin(angle) * up)
    return point / np.linalg.norm(point)


def _occluded(scene: rtcore_scene.EmbreeScene, origins: np.ndarray, directions: np.ndarray) -> Bool[np.ndarray, " r"]:
    return scene.run(np.float32(origins), np.float32(directions), query="OCCLUDED") == 0


def _dome(count: int) -> Float[np.ndarray, "n 3"]:
    """Directions spread evenly (by cosine) over the upper half sphere about y: a Fibonacci spiral."""
    k = np.arange(count) + 0.5
    radius, angle = np.sqrt(k / count), np.pi * (1 + 5**0.5) * k
    return np.stack([radius * np.cos(angle), np.sqrt(1 - radius**2), radius * np.sin(angle)], 1)


def _sky(mesh: ColoredMesh, rays: rtcore_scene.EmbreeScene) -> Float[np.ndarray, " v"]:
    """Share of ambient light that reaches each vertex: what other surfaces hide is missing, the floor gives less."""
    normals = igl.per_vertex_normals(mesh.verts, mesh.faces)
    side = np.cross(normals, np.where(np.abs(normals[:, :1]) > 0.7, [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]))
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    frames = np.stack([side, normals, np.cross(side, normals)], 1)
    total = np.zeros(len(mesh.verts))
    for direction in _dome(SKY_RAYS):
        upward = np.einsum("a,vab->vb", direction, frames)
        free = ~_occluded(rays, mesh.verts + LIFT * normals, upward)
        total += free * np.where(upward[:, 1] > 0, 1.0, FLOOR_SHINE)
    return total / SKY_RAYS


def _floor_sky(rays: rtcore_scene.EmbreeScene) -> Float[np.ndarray, "n n"]:
    """The same for a coarse grid of places on the floor around the scene."""
    axis = np.linspace(-FLOOR_REACH, FLOOR_REACH, 72)
    grid = np.stack(np.meshgrid(axis, [LIFT], axis, indexing="ij"), -1).reshape(-1, 3)
    free = sum(~_occluded(rays, grid, np.tile(direction, (len(grid), 1))) for direction in _dome(SKY_RAYS))
    return np.reshape(free / SKY_RAYS, (len(axis), len(axis)))


def _between(table: Float[np.ndarray, "n n"], points: Float[np.ndarray, "r 3"]) -> Float[np.ndarray, " r"]:
    """Bilinear look-up in the floor's grid, constant beyond it."""
    count = len(table)
    place = np.clip((points[:, [0, 2]] / FLOOR_REACH + 1) / 2 * (count - 1), 0, count - 1.001)
    (a, b), (s, t) = place.astype(int).T, (place % 1).T
    low = table[a, b] * (1 - t) + table[a, b + 1] * t
    return low * (1 - s) + (table[a + 1, b] * (1 - t) + table[a + 1, b + 1] * t) * s


def _background(
    origins: np.ndarray, directions: np.ndarray, surroundings: Surroundings
) -> tuple[np.ndarray, Bool[np.ndarray, " r"]]:
    """Distance to the floor or the wall, whichever is met first, and whether it is the floor."""
    down = directions[:, 1]
    to_floor = np.where(down < -1e-6, -origins[:, 1] / np.where(down < -1e-6, down, 1), np.inf)
    facing = directions @ surroundings.wall_normal
    to_wall = -(origins @ surroundings.wall_normal + surroundings.wall_distance) / np.where(facing < 0, facing, -1e-6)
    return np.minimum(to_floor, to_wall), to_floor < to_wall


def _radiance(
    lit: _Lit, origins: np.ndarray, directions: np.ndarray, sun: np.ndarray, surroundings: Surroundings
) -> Float[np.ndarray, "r 3"]:
    """Linear light along each ray: albedo (sun max(n . s, 0) + sky)."""
    hits = cast(lit.rays, origins, directions)
    distance, on_floor = _background(origins, directions, surroundings)
    missed = hits.mesh < 0
    points = origins + np.where(missed, distance, hits.distance)[:, None] * directions
    normal, albedo, sky = np.zeros_like(points), np.zeros_like(points), np.ones(len(points))
    for k, mesh in enumerate(lit.meshes):
        seen = hits.mesh == k
        face, corners = hits.face[seen], hits.corners[seen]
        normal[seen] = np.einsum("rc,rca->ra", corners, lit.normals[k][face])
        albedo[seen] = np.einsum("rc,rca->ra", corners, mesh.rgb[mesh.faces[face]])
        sky[seen] = (corners * lit.sky[k][mesh.faces[face]]).sum(1)
    floor, wall = missed & on_floor, missed & ~on_floor
    normal[floor], normal[wall] = [0.0, 1.0, 0.0], surroundings.wall_normal
    albedo[floor] = floor_rgb(points[floor], surroundings)
    albedo[wall] = wall_rgb(points[wall], surroundings)
    sky[floor] = _between(lit.floor_sky, points[floor])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    facing = np.maximum(normal @ sun, 0)
    bright = np.flatnonzero(facing > 0)
    facing[bright] *= ~_occluded(lit.rays, points[bright] + LIFT * normal[bright], np.tile(sun, (len(bright), 1)))
    light = SUN * facing[:, None] * surroundings.sun_rgb + SKY * sky[:, None] * surroundings.sky_rgb
    return np.clip(albedo, 0, 1) ** 2.2 * light
