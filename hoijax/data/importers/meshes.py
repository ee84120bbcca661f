"""Meshes of other data sets, of any unit, and which of several names a file has."""

from pathlib import Path

import numpy as np

from hoijax.data.meshfile import load_any_mesh
from hoijax.data.sample import ColoredMesh, SampleError


def load_scan(path: Path, metres: float = 1.0) -> ColoredMesh:
    """A mesh whose unit is `metres` long, in float64; vertices and faces as the file numbers them. Raises SampleError."""
    mesh = load_any_mesh(path)
    return mesh._replace(verts=mesh.verts.astype(np.float64) * metres)


def first_of(folder: Path, *names: str) -> Path | None:
    """The first of these files that the folder has."""
    return next((folder / name for name in names if (folder / name).is_file()), None)


def needed(folder: Path, *names: str) -> Path:
    """The first of these files that the folder has. Raises SampleError when it has none."""
    path = first_of(folder, *names)
    if path is None:
        raise SampleError(folder, f"has no {' or '.join(names)}" if folder.is_dir() else "is not a folder")
    return path
