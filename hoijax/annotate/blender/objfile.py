"""Wavefront OBJ meshes with vertex colours, without touching the order of the vertices.

Blender's own importer has no promise about the order; the exported mesh must correspond to the file vertex by vertex.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .files import SampleError, read_bytes


class Mesh(NamedTuple):
    """Triangles as the file holds them, metres. verts (v, 3), faces (f, 3) int, rgb (v, 3) in [0, 1] or None.

    float64, rounded to the float32 that all readers of samples keep.
    """

    verts: np.ndarray
    faces: np.ndarray
    rgb: np.ndarray | None


def load_mesh(path: Path) -> Mesh:
    """A mesh from an OBJ file, polygons as fans of triangles. Raises SampleError for a file that is no usable mesh."""
    rows: list[list[bytes]] = []
    faces: list[tuple[int, int, int]] = []
    for number, line in enumerate(read_bytes(path).replace(b"\\\n", b" ").splitlines(), 1):
        words = line.partition(b"#")[0].split()
        if not words:
            continue
        if words[0] == b"v":
            rows.append(words[1:])
        elif words[0] == b"f":
            corners = _corners(path, number, words[1:], len(rows))
            faces.extend((corners[0], corners[k], corners[k + 1]) for k in range(1, len(corners) - 1))
    verts, rgb = _vertices(path, rows)
    triangles = np.array(faces, np.int64).reshape(-1, 3)
    if not len(triangles):
        raise SampleError(path, "has no faces, expected lines `f a b c`")
    wrong = np.flatnonzero(((triangles < 0) | (triangles >= len(verts))).any(1))
    if len(wrong):
        named = " ".join(str(corner + 1) for corner in triangles[wrong[0]].tolist())
        raise SampleError(
            path,
            f"{len(wrong)} of {len(triangles)} triangles name vertices that do not exist (first: {named}), "
            f"expected 1 to {len(verts)}",
        )
    return Mesh(verts, triangles, rgb)


def mesh_text(mesh: Mesh) -> str:
    """The mesh as OBJ, in its own order; nine digits give back the same float32 numbers."""
    rows = (mesh.verts if mesh.rgb is None else np.concatenate([mesh.verts, mesh.rgb], 1)).astype(np.float32)
    header = f"# number of vertices: {len(rows)}\n# number of triangles: {len(mesh.faces)}\n"
    vert_text = ("v" + " %.9g" * rows.shape[1] + "\n") * len(rows) % tuple(rows.ravel().tolist())
    return header + vert_text + "f %d %d %d\n" * len(mesh.faces) % tuple((mesh.faces + 1).ravel().tolist())


def _corners(path: Path, number: int, words: list[bytes], verts_before: int) -> list[int]:
    """Vertex numbers of one face, from 0; negative numbers of the file count back from the last vertex above."""
    try:
        corners = [int(word.partition(b"/")[0]) for word in words]
    except ValueError as error:
        raise SampleError(path, f"line {number} holds text that is not a vertex number ({error})") from error
    if len(corners) < 3:
        raise SampleError(path, f"line {number} is a face of {len(corners)} vertices, expected 3 or more")
    return [corner + verts_before if corner < 0 else corner - 1 for corner in corners]


def _vertices(path: Path, rows: list[list[bytes]]) -> tuple[np.ndarray, np.ndarray | None]:
    if not rows:
        raise SampleError(path, "has no vertices, expected lines `v x y z` or `v x y z r g b`")
    widths = sorted({len(row) for row in rows})
    if len(widths) > 1 or widths[0] not in (3, 4, 6, 7):
        found = " or ".join(str(width) for width in widths[:4])
        raise SampleError(path, f"vertex lines hold {found} numbers, expected x y z or x y z r g b on every line")
    try:
        numbers = np.array(rows, dtype=bytes).astype(np.float32).astype(np.float64)
    except ValueError as error:
        raise SampleError(path, f"a vertex line holds text that is not a number ({error})") from error
    wrong = np.flatnonzero(~np.isfinite(numbers).all(1))
    if len(wrong):
        raise SampleError(path, f"{len(wrong)} of {len(rows)} vertices are not finite (first: vertex {wrong[0] + 1})")
    if widths[0] < 6:
        return numbers[:, :3], None
    rgb = numbers[:, 3:6]
    return numbers[:, :3], np.clip(rgb / 255 if rgb.max() > 1 else rgb, 0, 1)
