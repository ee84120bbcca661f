"""What a usable mesh may still have wrong: loose and doubled vertices, flat triangles, holes, implausible size."""

import numpy as np
import trimesh
from jaxtyping import Float

from hoijax.data.sample import ColoredMesh

KNOWN_TOPOLOGIES = {6890: "SMPL", 10475: "SMPL-X", 13718: "the built-in body"}
HUMAN_EXTENT = (0.3, 3.0)  # metres: largest side of a posed person's bounding box, a crouching child to a tall adult
OBJECT_EXTENT = (0.01, 20.0)  # metres: a coin to a bus


def mesh_doubts(mesh: ColoredMesh) -> list[str]:
    """Doubts about any mesh without faults, one sentence each: vertices, triangles, size zero."""
    doubts = []
    unused = len(mesh.verts) - len(np.unique(mesh.faces))
    if unused:
        doubts.append(f"{unused} of {len(mesh.verts)} vertices belong to no triangle")
    doubled = len(mesh.verts) - len(np.unique(mesh.verts, axis=0))
    if doubled:
        doubts.append(f"{doubled} of {len(mesh.verts)} vertices stand where another stands")
    flat = int((_areas(mesh) <= 0).sum())
    if flat:
        doubts.append(f"{flat} of {len(mesh.faces)} triangles have no area")
    repeated = len(mesh.faces) - len(np.unique(np.sort(mesh.faces, 1), axis=0))
    if repeated:
        doubts.append(f"{repeated} of {len(mesh.faces)} triangles repeat another")
    return doubts


def human_doubts(mesh: ColoredMesh) -> list[str]:
    """Doubts about a mesh as a person: topology, size."""
    doubts = []
    if len(mesh.verts) not in KNOWN_TOPOLOGIES:
        known = ", ".join(f"{count} ({name})" for count, name in KNOWN_TOPOLOGIES.items())
        doubts.append(f"has {len(mesh.verts)} vertices, a topology that is not known; known: {known}")
    return doubts + _size_doubts(mesh, HUMAN_EXTENT, "a person")


def object_doubts(mesh: ColoredMesh) -> list[str]:
    """Doubts about a mesh as an object: holes, triangles that disagree about outside, inside out, size."""
    doubts = []
    merged, index = np.unique(mesh.verts, axis=0, return_inverse=True)
    faces = index.reshape(-1)[mesh.faces]
    proper = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    solid = trimesh.Trimesh(merged.astype(np.float64), faces[proper], process=False)
    if not solid.is_watertight:
        _, uses = np.unique(solid.edges_sorted, axis=0, return_counts=True)
        doubts.append(
            f"is not watertight: {(uses == 1).sum()} open edges, {(uses > 2).sum()} edges of more than two triangles; "
            "inside and outside are guessed by winding number"
        )
    elif not solid.is_winding_consistent:
        doubts.append("has triangles that disagree about which side is outside")
    elif solid.volume < 0:
        doubts.append("is inside out: its triangles face inwards")
    return doubts + _size_doubts(mesh, OBJECT_EXTENT, "an object")


def _size_doubts(mesh: ColoredMesh, allowed: tuple[float, float], what: str) -> list[str]:
    extent = float(np.ptp(mesh.verts.astype(np.float64), axis=0).max())
    low, high = allowed
    if low <= extent <= high:
        return []
    return [f"is {extent:.3g} m long, expected {low:g} to {high:g} m for {what}: is its unit the metre?"]


def _areas(mesh: ColoredMesh) -> Float[np.ndarray, " f"]:
    a, b, c = mesh.verts.astype(np.float64)[mesh.faces].transpose(1, 0, 2)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
