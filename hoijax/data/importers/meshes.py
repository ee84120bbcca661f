"""Meshes of other data sets: PLY and OBJ, of any unit, in the file's own order."""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from hoijax.data.layout import load_bytes
from hoijax.data.objfile import GREY, load_mesh, mesh_faults
from hoijax.data.sample import ColoredMesh, SampleError


def load_scan(path: Path, metres: float = 1.0) -> ColoredMesh:
    """A mesh from an OBJ or PLY file whose unit is `metres` long; vertices and faces as the file numbers them.

    Vertex colours are kept, textures are not read. Raises SampleError for a file that is no usable mesh.
    """
    mesh = _ply(path) if path.suffix.lower() == ".ply" else load_mesh(path)
    faults = mesh_faults(mesh)
    if faults:
        raise SampleError(path, faults[0].replace("expected lines `f a b c`", "expected triangles"))
    return mesh._replace(verts=np.asarray(mesh.verts, np.float64) * metres)


def _ply(path: Path) -> ColoredMesh:
    import trimesh  # not above: a third of a second that other parts of the data layer need not spend

    data = load_bytes(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about colours that trimesh cannot read: they are grey then
            loaded: Any = trimesh.load(io.BytesIO(data), file_type="ply", process=False)
    except Exception as error:  # the parser raises anything from ValueError to KeyError and IndexError
        raise SampleError(path, f"cannot be read as a PLY mesh ({type(error).__name__}: {error})") from error
    if not hasattr(loaded, "faces"):
        raise SampleError(path, "has no faces, expected a mesh: it is a point cloud")
    verts = np.asarray(loaded.vertices, np.float64)
    rgb = np.full(verts.shape, GREY)
    if getattr(loaded.visual, "kind", None) == "vertex":
        rgb = np.asarray(loaded.visual.vertex_colors, np.float64)[:, :3] / 255
    return ColoredMesh(verts, np.asarray(loaded.faces, np.int32), rgb)


def first_of(folder: Path, *names: str) -> Path | None:
    """The first of these files that the folder has."""
    return next((folder / name for name in names if (folder / name).is_file()), None)


def needed(folder: Path, *names: str) -> Path:
    """The first of these files that the folder has. Raises SampleError when it has none."""
    path = first_of(folder, *names)
    if path is None:
        raise SampleError(folder, f"has no {' or '.join(names)}" if folder.is_dir() else "is not a folder")
    return path
