"""Wavefront OBJ meshes with vertex colours (`v x y z r g b`), read and written without touching the vertex order.

Common readers split vertices at texture seams, merge or renumber them; a sample's meshes must keep the file's
numbering, because the annotated object corresponds to the coarse one vertex by vertex.
"""

import os
import re
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from hoijax.data.layout import load_bytes
from hoijax.data.sample import ColoredMesh, SampleError

GREY = 0.5


def load_mesh(path: str | os.PathLike[str]) -> ColoredMesh:
    """A mesh from an OBJ file: float32 vertices and colours, int32 faces, everything in the file's order.

    Polygons become fans of triangles, `v/vt/vn` keeps v, negative indices count backwards. Colours above 1 are taken as
    0..255; a file without colours is mid-grey. Raises SampleError for a file that is no usable mesh.
    """
    mesh = parse_mesh(Path(path))
    faults = mesh_faults(mesh)
    if faults:
        raise SampleError(path, faults[0])
    return mesh


def parse_mesh(path: Path) -> ColoredMesh:
    """The mesh as the file holds it, faces and coordinates unchecked. Raises SampleError when it cannot be parsed."""
    vert_lines: list[bytes] = []
    face_lines: list[bytes] = []
    verts_before: list[int] = []
    data = load_bytes(path)
    for line in data.replace(b"\\\n", b" ").replace(b"\\\r\n", b" ").splitlines():
        kind = line.split(None, 1)
        if not kind or len(kind) < 2:
            continue
        if kind[0] == b"v":
            vert_lines.append(kind[1].partition(b"#")[0])
        elif kind[0] == b"f":
            face_lines.append(kind[1].partition(b"#")[0])
            verts_before.append(len(vert_lines))
    verts, rgb = _vertices(path, vert_lines)
    faces = _triangles(path, face_lines, np.asarray(verts_before, np.int64))
    _compare_header(path, data, len(vert_lines), len(face_lines))
    return ColoredMesh(verts, faces, rgb)


def mesh_faults(mesh: ColoredMesh) -> list[str]:
    """What makes a mesh unusable, one sentence each: no vertices, no faces, non-finite numbers, faces out of range."""
    faults = []
    count = len(mesh.verts)
    if count == 0:
        faults.append("has no vertices, expected lines `v x y z`")
    if len(mesh.faces) == 0:
        faults.append("has no faces, expected lines `f a b c`")
    bad = np.flatnonzero(~np.isfinite(mesh.verts).all(1))
    if len(bad):
        faults.append(f"{len(bad)} of {count} vertices are not finite (first: vertex {bad[0] + 1})")
    if not np.isfinite(mesh.rgb).all():
        faults.append("some vertex colours are not finite")
    bad = np.flatnonzero(((mesh.faces < 0) | (mesh.faces >= count)).any(1))
    if len(bad):
        corners = " ".join(str(corner + 1) for corner in mesh.faces[bad[0]].tolist())
        faults.append(
            f"{len(bad)} of {len(mesh.faces)} triangles name vertices that do not exist "
            f"(first: {corners}), expected 1 to {count}"
        )
    return faults


def save_mesh(path: str | os.PathLike[str], mesh: ColoredMesh) -> None:
    """Writes the mesh as OBJ with vertex colours, in its own order; `load_mesh` gives back the same float32 numbers."""
    rows = np.concatenate([mesh.verts, mesh.rgb], 1, dtype=np.float32)
    faces = np.asarray(mesh.faces, np.int64) + 1
    header = f"# number of vertices: {len(rows)}\n# number of triangles: {len(faces)}\n"
    vert_text = ("v" + " %.9g" * 6 + "\n") * len(rows) % tuple(rows.ravel().tolist())
    face_text = "f %d %d %d\n" * len(faces) % tuple(faces.ravel().tolist())
    Path(path).write_text(header + vert_text + face_text, encoding="ascii", newline="\n")


def _vertices(path: Path, lines: list[bytes]) -> tuple[Float[np.ndarray, "v 3"], Float[np.ndarray, "v 3"]]:
    rows = [line.split() for line in lines]
    widths = sorted({len(row) for row in rows})
    if not rows:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32)
    if len(widths) > 1 or widths[0] not in (3, 4, 6, 7):
        raise SampleError(
            path, f"vertex lines hold {_listed(widths)} numbers, expected x y z or x y z r g b on every line"
        )
    try:
        numbers = np.array(rows, dtype=bytes).astype(np.float64)
    except ValueError as error:
        raise SampleError(path, f"a vertex line holds text that is not a number ({error})") from error
    with np.errstate(over="ignore"):
        verts = numbers[:, :3].astype(np.float32)
    if widths[0] < 6:
        return verts, np.full_like(verts, GREY)
    rgb = numbers[:, 3:6]
    if rgb.max() > 1:
        rgb = rgb / 255
    return verts, np.where(np.isfinite(rgb), np.clip(rgb, 0, 1), np.nan).astype(np.float32)


def _triangles(path: Path, lines: list[bytes], verts_before: Int[np.ndarray, " n"]) -> Int[np.ndarray, "f 3"]:
    if not lines:
        return np.zeros((0, 3), np.int32)
    text = b"\n".join(lines)
    if b"/" in text:
        text = re.sub(rb"/\S*", b"", text)
    rows = [line.split() for line in text.split(b"\n")]
    widths = np.array([len(row) for row in rows])
    if widths.min() < 3:
        number = int(widths.argmin())
        raise SampleError(path, f"face {number + 1} names {widths[number]} vertices, expected 3 or more")
    fans, order = [], []
    for width in np.unique(widths):
        which = np.flatnonzero(widths == width)
        try:
            corners = np.array([rows[i] for i in which], dtype=bytes).astype(np.int64)
        except (ValueError, OverflowError) as error:
            raise SampleError(path, f"a face line holds text that is not a vertex number ({error})") from error
        # File numbers start at 1; negative ones count back from the last vertex above the line; 0 stays invalid (-1).
        corners = np.where(corners < 0, corners + verts_before[which, None], corners - 1)
        fan = [corners[:, [0, k, k + 1]] for k in range(1, width - 1)]
        fans.append(np.stack(fan, 1).reshape(-1, 3))
        order.append(np.repeat(which, width - 2))
    faces = np.concatenate(fans)[np.argsort(np.concatenate(order), kind="stable")]
    return np.clip(faces, -(2**31), 2**31 - 1).astype(np.int32)


def _compare_header(path: Path, data: bytes, verts: int, faces: int) -> None:
    """Open3D and `save_mesh` write the counts above the mesh: the only way to notice a file cut off between lines."""
    head = data[:2000]
    for word, found in ((b"vertices", verts), (b"triangles", faces)):
        stated = re.search(rb"^# *number of " + word + rb": *(\d{1,18})\s*$", head, re.MULTILINE)
        if stated and int(stated[1]) != found:
            raise SampleError(path, f"holds {found} {word.decode()}, its header says {int(stated[1])}: cut off?")


def _listed(numbers: list[int]) -> str:
    return " or ".join(str(number) for number in numbers[:4])
