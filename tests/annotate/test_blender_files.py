"""The parts of the add-on that need no Blender, against the package's own readers; and the zip."""

import ast
import io
import os
import shutil
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from scipy.spatial.transform import Rotation

import hoijax
from hoijax.annotate.blender import exported, files, objfile, photograph, pose, sample
from hoijax.annotate.blender_addon import FOLDER, save_addon
from hoijax.data import objfile as package_objfile
from hoijax.data.layout import find_samples

OBJ = {
    "colours": "v 0 0 0 1 0 0.5\nv 1 0 0 0 1 0\nv 0 1 0 0 0 1\nf 1 2 3\n",
    "plain": "# a comment\nv 0 0 0\nv 1 0 0 # another\nv 0 1 0\nf 1 2 3\n",
    "weights": "v 0 0 0 1\nv 1 0 0 1\nv 0 1 0 1\nf 1 2 3\n",
    "bytes": "v 0 0 0 255 0 128\nv 1 0 0 0 255 0\nv 0 1 0 1 2 3\nf 1 2 3\n",
    "polygons": "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0 0 1\nf 1 2 5\nf 1 2 3 4 5\nf 5/1/2 4//1 3/2\n",
    "backwards": "v 0 0 0\nv 1 0 0\nv 0 1 0\nf -3 -2 -1\nv 0 0 1\nf -1 -3 1\nf 1 2 \\\n4\n",
}


def written(folder: Path, text: str) -> Path:
    path = folder / "mesh.obj"
    path.write_text(text)
    return path


@pytest.mark.parametrize("kind", OBJ)
def test_meshes_are_read_as_the_package_reads_them(kind: str, tmp_path) -> None:
    path = written(tmp_path, OBJ[kind])
    ours, theirs = objfile.load_mesh(path), package_objfile.load_mesh(path)
    np.testing.assert_array_equal(ours.verts, theirs.verts)
    np.testing.assert_array_equal(ours.faces, theirs.faces)
    if ours.rgb is not None:
        np.testing.assert_allclose(ours.rgb, theirs.rgb, atol=1e-7)
    again = objfile.load_mesh(written(tmp_path, objfile.mesh_text(ours)))
    np.testing.assert_array_equal(again.verts, ours.verts)
    np.testing.assert_array_equal(again.faces, ours.faces)
    assert (again.rgb is None) == (ours.rgb is None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("f 1 2 3\n", "has no vertices"),
        ("v 0 0 0\n", "has no faces"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n", "first: 1 2 4), expected 1 to 3"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n", "do not exist"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2\n", "line 4 is a face of 2"),
        ("v 0 0 0\nv 1 0\nv 0 1 0\nf 1 2 3\n", "hold 2 or 3 numbers"),
        ("v 0 0 0\nv 1 nan 0\nv 0 1 0\nf 1 2 3\n", "1 of 3 vertices are not finite (first: vertex 2)"),
        ("v 0 0 zero\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "not a number"),
        ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 x\n", "line 4 holds text"),
    ],
)
def test_broken_meshes_are_named(text: str, words: str, tmp_path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(files.SampleError) as caught:
        objfile.load_mesh(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)


def test_samples_are_found_where_the_package_finds_them(tmp_path) -> None:
    for name in ("cup/drink_1/image.jpg", "ball-hold_2/h_mesh.obj", "a/b/c/obj_mask.png", ".hidden/x_1/image.jpg"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text("x")
    result = tmp_path / "tree" / "result"
    shutil.copytree(tmp_path / "tree" / "cup" / "drink_1", result)
    (result / "result.json").write_text("{}")
    os.symlink(tmp_path / "tree", tmp_path / "tree" / "a" / "loop")
    tree = tmp_path / "tree"
    assert list(sample.find_samples(tree).values()) == find_samples(tree)
    assert list(sample.find_samples(tree)) == ["a/b/c", "ball-hold_2", "cup/drink_1"]
    alone = tree / "cup" / "drink_1"
    assert sample.find_samples(alone) == {"drink_1": alone}


numbers = st.floats(-3, 3)
turns = st.tuples(numbers, numbers, numbers)


@given(turn=turns, shift=turns, pivot=turns, scale=st.floats(0.05, 20))
def test_a_matrix_gives_back_its_similarity(turn, shift, pivot, scale) -> None:
    rotation, translation, center = Rotation.from_rotvec(turn).as_matrix(), np.array(shift), np.array(pivot)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = scale * pose.AXES @ rotation, pose.AXES @ (center + translation)
    found = pose.pose_of(matrix, center)
    np.testing.assert_allclose(found.rotation, rotation, atol=1e-12)
    np.testing.assert_allclose(found.translation, translation, atol=1e-12)
    assert found.scale == pytest.approx(scale, rel=1e-12)
    # what Blender shows of a mesh about its pivot is the moved point, in Blender's axes
    point = np.array([[0.3, -0.2, 0.7]])
    shown = (point - center) @ matrix[:3, :3].T + matrix[:3, 3]
    np.testing.assert_allclose(shown, pose.moved(point, found) @ pose.AXES.T, atol=1e-10)


@pytest.mark.parametrize(
    ("scales", "words"), [((1.0, 1.001, 1.0), "unevenly"), ((1.0, -1.0, 1.0), "mirrored"), ((0.0, 0.0, 0.0), "nothing")]
)
def test_other_matrices_are_refused(scales, words) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = pose.AXES @ np.diag(scales)
    with pytest.raises(pose.PoseError, match=words):
        pose.pose_of(matrix, np.zeros(3))
    with pytest.raises(pose.PoseError, match="not finite"):
        pose.pose_of(matrix * np.nan, np.zeros(3))


@pytest.mark.parametrize("how", range(1, 9))
def test_photographs_are_turned_as_viewers_turn_them(how: int) -> None:
    rng = np.random.default_rng(0)
    stored = Image.fromarray(rng.integers(0, 255, (6, 9, 3), np.uint8))
    exif = stored.getexif()
    exif[0x010F], exif[0x0112] = "a maker", how
    buffer = io.BytesIO()
    stored.save(buffer, "JPEG", exif=exif)
    found = photograph.orientation(buffer.getvalue())
    assert found == how
    with Image.open(buffer) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
        np.testing.assert_array_equal(photograph.turned(np.asarray(picture), found), expected)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1\x00\x20Exif\0\0II*\0\xff\xff", b"\x89PNG\r\n", b"GIF89a"]
)
def test_files_that_say_nothing_stand_as_stored(data: bytes) -> None:
    assert photograph.orientation(data) == 1


def test_a_failed_write_leaves_nothing_behind(tmp_path) -> None:
    (tmp_path / "second").mkdir()  # no file can be renamed to it
    with pytest.raises(OSError):
        files.save_files(tmp_path, {"first": "1", "second": "2"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]
    place = tmp_path / "first" / "below a file"
    mesh = objfile.Mesh(np.eye(3), np.array([[0, 1, 2]]), None)
    still = pose.Pose(np.eye(3), np.zeros(3), 1.0, np.zeros(3))
    with pytest.raises(files.SampleError, match="cannot be written"):
        exported.save_export(place, still, mesh, "object_mesh.obj", "0", "tester")


def test_the_zip_is_an_add_on_and_an_extension(tmp_path) -> None:
    save_addon(tmp_path / "a.zip")
    save_addon(tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = archive.namelist()
        manifest = tomllib.loads(archive.read(f"{FOLDER}/blender_manifest.toml").decode())
        source = ast.parse(archive.read(f"{FOLDER}/__init__.py"))
    assert f"{FOLDER}/operators.py" in names
    assert all(name.startswith(f"{FOLDER}/") and "pycache" not in name for name in names)
    info = next(ast.literal_eval(node.value) for node in source.body if isinstance(node, ast.Assign))
    assert ".".join(map(str, info["version"])) == manifest["version"] == hoijax.__version__
    assert ".".join(map(str, info["blender"])) == manifest["blender_version_min"]
    assert info["name"] == manifest["name"]
    assert info["description"] == manifest["tagline"]
