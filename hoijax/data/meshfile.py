"""Meshes in the formats that people have, as one coloured mesh."""

from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from hoijax.data.layout import load_bytes
from hoijax.data.objfile import GREY, load_mesh, mesh_faults
from hoijax.data.sample import ColoredMesh, SampleError

SUFFIXES = (".obj", ".ply", ".stl", ".off", ".glb", ".gltf")


def load_any_mesh(path: Path) -> ColoredMesh:
    """A mesh from OBJ, GLB, PLY, STL or OFF; the parts of a scene become one. Raises SampleError for what is no mesh."""
    if path.suffix.lower() == ".obj":
        return load_mesh(path)
    load_bytes(path)
    try:
        mesh = trimesh.load_mesh(path, process=False)
        visual: Any = mesh.visual
        if visual.kind == "texture":
            visual = visual.to_color()
        colors = visual.vertex_colors if visual.kind is not None else None
        verts, faces = np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.int32)
    except Exception as error:  # trimesh's readers raise whatever their formats' parsers do
        raise SampleError(path, f"cannot be read as a mesh ({type(error).__name__}: {error})") from error
    rgb = np.full(verts.shape, GREY, np.float32)
    if colors is not None and len(colors) == len(verts):
        rgb = (np.asarray(colors)[:, :3] / 255).astype(np.float32)
    found = ColoredMesh(verts, faces, rgb)
    faults = mesh_faults(found)
    if faults:
        raise SampleError(path, faults[0])
    return found
