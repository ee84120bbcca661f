"""OBJ meshes: vertex order, colours, every spelling of a face, and files that are no mesh."""

import time
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from hoijax.data.objfile import load_mesh, mesh_faults, parse_mesh, save_mesh
from hoijax.data.sample import ColoredMesh, SampleError

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "mesh.obj"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def random_mesh(verts: int, faces: int, seed: int = 0) -> ColoredMesh:
    rng = np.random.default_rng(seed)
    return ColoredMesh(
        rng.normal(size=(verts, 3)).astype(np.float32),
        rng.integers(0, verts, (faces, 3)).astype(np.int32),
        rng.random((verts, 3)).astype(np.float32),
    )


def test_round_trip_is_exact(tmp_path: Path) -> None:
    mesh = random_mesh(1000, 3000)
    save_mesh(tmp_path / "ä b.obj", mesh)
    loaded = load_mesh(tmp_path / "ä b.obj")
    for before, after in zip(mesh, loaded):
        assert after.dtype == before.dtype
        np.testing.assert_array_equal(after, before)


def test_other_readers_agree(tmp_path: Path) -> None:
    mesh = random_mesh(200, 300)
    save_mesh(tmp_path / "mesh.obj", mesh)
    other = trimesh.load(tmp_path / "mesh.obj", process=False, maintain_order=True)
    np.testing.assert_allclose(other.vertices, mesh.verts, rtol=1e-6)
    np.testing.assert_array_equal(other.faces, mesh.faces)
    np.testing.assert_allclose(other.visual.vertex_colors[:, :3] / 255, mesh.rgb, atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize(
    ("faces", "expected"),
    [
        ("f 1 2 3", [[0, 1, 2]]),
        ("f 1/5/9 2/6/9 3/7/9", [[0, 1, 2]]),
        ("f 1//9 2//9 3//9", [[0, 1, 2]]),
        ("f 1/5 2/6 3/7 4/8", [[0, 1, 2], [0, 2, 3]]),
        ("f -4 -3 -2", [[0, 1, 2]]),
        ("f 1 2 3 4\nf 1 2 3\nf 2 3 4 1", [[0, 1, 2], [0, 2, 3], [0, 1, 2], [1, 2, 3], [1, 3, 0]]),
        ("f 1 2 \\\n3", [[0, 1, 2]]),
        ("  f\t1  2 3   # comment 7", [[0, 1, 2]]),
        ("f 1 2 3\r\nusemtl x\r\no name\r\ns off\r\nf 2 3 4\r\n", [[0, 1, 2], [1, 2, 3]]),
    ],
)
def test_spellings_of_faces(tmp_path: Path, faces: str, expected: list[list[int]]) -> None:
    mesh = load_mesh(written(tmp_path, f"# a comment: ü\nmtllib a.mtl\n{SQUARE}vt 0 0\nvn 0 0 1\n{faces}"))
    assert mesh.faces.tolist() == expected
    assert mesh.verts.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    assert (mesh.rgb == 0.5).all()


def test_negative_indices_count_from_their_own_line(tmp_path: Path) -> None:
    mesh = load_mesh(written(tmp_path, "v 0 0 0\nv 1 0 0\nv 1 1 0\nf -3 -2 -1\nv 0 1 0\nf -4 -3 -1\n"))
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 1, 3]]


@pytest.mark.parametrize(
    ("line", "rgb"),
    [
        ("v 1 2 3 0.25 0.5 1", [0.25, 0.5, 1.0]),
        ("v 1 2 3 51 0 255", [0.2, 0.0, 1.0]),
        ("v 1 2 3 0.25 0.5 1 0.9", [0.25, 0.5, 1.0]),
        ("v 1 2 3 1.0", [0.5, 0.5, 0.5]),
    ],
)
def test_colours(tmp_path: Path, line: str, rgb: list[float]) -> None:
    mesh = load_mesh(written(tmp_path, f"{line}\n{line}\n{line}\nf 1 2 3"))
    np.testing.assert_allclose(mesh.rgb, [rgb] * 3, rtol=1e-6)
    np.testing.assert_array_equal(mesh.verts, [[1, 2, 3]] * 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("hello", "has no vertices"),
        (SQUARE, "has no faces"),
        ("v 0 0 0\nv 1 nan 0\nv 1 1 0\nf 1 2 3", "1 of 3 vertices are not finite (first: vertex 2)"),
        ("v 0 0 0\nv 1 1e60 0\nv 1 1 0\nf 1 2 3", "1 of 3 vertices are not finite"),
        ("v 0 0 0 nan 0 0\nv 1 1 0 0 0 0\nv 1 1 0 0 0 0\nf 1 2 3", "colours are not finite"),
        (SQUARE + "f 1 2 5", "1 of 1 triangles name vertices that do not exist (first: 1 2 5), expected 1 to 4"),
        (SQUARE + "f 0 1 2", "name vertices that do not exist (first: 0 1 2)"),
        (SQUARE + "f -5 -1 -2", "name vertices that do not exist"),
        (SQUARE + "f 1 2 99999999999", "name vertices that do not exist"),
        (SQUARE + "f 1 2 99999999999999999999999", "not a vertex number"),
        (SQUARE + "f 1 2", "face 1 names 2 vertices"),
        (SQUARE + "f 1 2 x", "not a vertex number"),
        (SQUARE + "f 1 2 3.5", "not a vertex number"),
        ("v 0 0\nv 1 1\nv 0 1\nf 1 2 3", "vertex lines hold 2 numbers"),
        ("v 0 0 0\nv 1 0 0 1 1 1\nv 0 1 0\nf 1 2 3", "vertex lines hold 3 or 6 numbers"),
        ("v a b c\nv 1 0 0\nv 0 1 0\nf 1 2 3", "not a number"),
        (bytes(range(256)) * 20, "mesh.obj"),
        ("# number of vertices: 4\n# number of triangles: 2\n" + SQUARE + "f 1 2 3\n", "its header says 2: cut off?"),
    ],
)
def test_what_is_no_mesh(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SampleError) as caught:
        load_mesh(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_all_faults_at_once(tmp_path: Path) -> None:
    mesh = parse_mesh(written(tmp_path, "v nan 0 0 1 1 1\nv 0 0 1 1 1 inf\nf 1 2 3"))
    assert len(mesh_faults(mesh)) == 3


def test_a_folder_is_no_mesh(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="is a folder, expected a file"):
        load_mesh(tmp_path)
    with pytest.raises(SampleError, match="cannot be read"):
        load_mesh(tmp_path / "none.obj")


@pytest.mark.slow
def test_sizes_from_four_vertices_to_many(tmp_path: Path) -> None:
    tetrahedron = load_mesh(written(tmp_path, "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4"))
    assert tetrahedron.faces.shape == (4, 3)
    big = random_mesh(200_000, 400_000)
    save_mesh(tmp_path / "big.obj", big)
    loaded = load_mesh(tmp_path / "big.obj")
    np.testing.assert_array_equal(loaded.faces, big.faces)
    np.testing.assert_array_equal(loaded.verts, big.verts)


def test_fifty_thousand_vertices_in_under_a_second(tmp_path: Path) -> None:
    save_mesh(tmp_path / "mesh.obj", random_mesh(50_000, 100_000))
    start = time.process_time()
    load_mesh(tmp_path / "mesh.obj")
    assert time.process_time() - start < 1


@settings(max_examples=200, deadline=None)
@given(text=st.text("vf0123456789-+.e/ \n#na", max_size=200))
def test_any_text_loads_or_is_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = written(tmp_path_factory.getbasetemp(), "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n" + text)
    try:
        mesh = load_mesh(path)
    except SampleError:
        return
    assert np.isfinite(mesh.verts).all()
    assert mesh.faces.min() >= 0
    assert mesh.faces.max() < len(mesh.verts)
