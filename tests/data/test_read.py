"""Whole samples: the real one, the variants of folders, what is refused, and writing them back."""

import json
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from hoijax.data.objfile import load_mesh, save_mesh
from hoijax.data.read import load_sample, vertex_order
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.data.write import save_sample


def assert_same(a: Sample, b: Sample, lossy_image: bool = False) -> None:
    """All but where they come from; the photograph within what JPEG changes."""
    for name in set(Sample._fields) - {"folder", "name", "image", "warnings"}:
        before, after = jax.tree.leaves(getattr(a, name)), jax.tree.leaves(getattr(b, name))
        assert len(before) == len(after), name
        for x, y in zip(before, after):
            np.testing.assert_array_equal(x, y, err_msg=name)
    if lossy_image:
        # 4:4:4 at quality 98; the sharp outline of the drawn figure is the worst case
        assert np.abs(a.image.astype(int) - b.image).mean() < 1
        assert np.abs(a.image.astype(int) - b.image).max() < 16
    else:
        np.testing.assert_array_equal(a.image, b.image)


def test_round_trip(sample: Sample, folder: Path) -> None:
    loaded = load_sample(folder)
    assert loaded.name == sample.name
    assert loaded.folder == folder
    assert loaded.warnings == ()
    assert_same(sample, loaded, lossy_image=True)


def test_second_copy_is_exact(folder: Path, tmp_path: Path) -> None:
    loaded = load_sample(folder)
    save_sample(loaded, tmp_path / "copy")
    assert (tmp_path / "copy" / "image.jpg").read_bytes() == (folder / "image.jpg").read_bytes()
    assert_same(loaded, load_sample(tmp_path / "copy"))


def test_without_the_optional_files(sample: Sample, tmp_path: Path) -> None:
    bare = sample._replace(
        truth=None, depth=None, human_box=None, object_box=None, contact_parts=None, category=None, action=None
    )
    save_sample(bare, tmp_path / "höher" / "a b")
    loaded = load_sample(tmp_path / "höher" / "a b")
    assert_same(bare, loaded, lossy_image=True)
    assert {path.name for path in loaded.folder.iterdir()} == {
        "image.jpg",
        "person_mask.png",
        "object_mask.png",
        "smplx_parameters.json",
        "calibration.json",
        "extrinsic.json",
        "h_mesh.obj",
        "obj_pcd_h_align.obj",
    }


def test_writing_is_all_or_nothing(sample: Sample, tmp_path: Path) -> None:
    broken = sample._replace(depth="not an array")
    with pytest.raises(AttributeError):
        save_sample(broken, tmp_path / "sample")
    assert list(tmp_path.iterdir()) == []
    save_sample(sample, tmp_path / "sample")
    with pytest.raises(FileExistsError, match="exists already"):
        save_sample(sample, tmp_path / "sample")
    assert [path.name for path in tmp_path.iterdir()] == ["sample"]


def test_written_folders_have_ordinary_permissions(folder: Path, tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.mkdir()
    assert folder.stat().st_mode == ordinary.stat().st_mode


def test_variants_of_files(sample: Sample, folder: Path) -> None:
    expected = load_sample(folder)
    mask = Image.open(folder / "object_mask.png")
    mask.save(folder / "obj_mask.png", format="JPEG", quality=95)
    (folder / "object_mask.png").unlink()
    (folder / "object_mesh.obj").rename(folder / "obj_annot1.obj")
    for name in ("calibration.json", "extrinsic.json", "annotations.json"):
        (folder / name).unlink()
    record = json.loads((folder / "smplx_parameters.json").read_text())
    record["exp"] = record.pop("expr")
    (folder / "smplx_parameters.json").write_text(json.dumps([record]))
    Image.fromarray((sample.depth * 256).astype(np.uint16)).save(folder / "depth.png")
    (folder / "depth.npy").unlink()
    loaded = load_sample(folder)
    assert_same(expected, loaded)
    assert (loaded.category, loaded.action) == ("coffee cup", "drinking")


def test_boxes_come_from_annotations_where_there_is_no_box_file(folder: Path) -> None:
    expected = load_sample(folder)
    (folder / "box_annotation.json").unlink()
    loaded = load_sample(folder)
    np.testing.assert_allclose(loaded.object_box, expected.object_box)
    np.testing.assert_allclose(loaded.human_box, expected.human_box)


def test_a_mask_of_half_size_is_resized_with_a_warning(sample: Sample, folder: Path) -> None:
    half = sample.object_mask[::2, ::2]
    Image.fromarray(half).save(folder / "object_mask.png")
    loaded = load_sample(folder)
    np.testing.assert_array_equal(loaded.object_mask, half.repeat(2, 0).repeat(2, 1))
    assert loaded.warnings == ("object_mask.png: is 64 x 48 pixels, resized to the photograph's 128 x 96",)


def test_a_calibration_that_disagrees_is_mentioned(sample: Sample, folder: Path) -> None:
    matrix = [[150, 0, 64], [0, 150, 58], [0, 0, 1]]
    (folder / "calibration.json").write_text(json.dumps({"K": matrix}))
    loaded = load_sample(folder)
    np.testing.assert_array_equal(loaded.camera.center, sample.camera.center)
    assert loaded.warnings == ("calibration.json: differs by 10.0 px from smplx_parameters.json, which is used",)


def test_the_annotated_object_is_renumbered_through_its_faces(folder: Path) -> None:
    expected = load_sample(folder)
    assert expected.truth is not None
    order = np.random.default_rng(0).permutation(len(expected.truth.verts))
    numbering = np.argsort(order).astype(np.int32)
    shuffled = ColoredMesh(expected.truth.verts[order], numbering[expected.truth.faces], expected.truth.rgb[order])
    save_mesh(folder / "object_mesh.obj", shuffled)
    loaded = load_sample(folder)
    assert loaded.warnings == ()
    assert_same(expected, loaded)


def test_an_annotated_object_of_another_mesh_stands_apart(folder: Path) -> None:
    other = load_mesh(folder / "h_mesh.obj")
    save_mesh(folder / "object_mesh.obj", other)
    loaded = load_sample(folder)
    assert loaded.truth is not None
    np.testing.assert_array_equal(loaded.truth.verts, other.verts)
    assert len(loaded.warnings) == 1
    assert "does not correspond to the coarse object" in loaded.warnings[0]


def test_vertex_order_refuses_what_is_no_renumbering() -> None:
    verts = np.zeros((4, 3), np.float32)
    mesh = ColoredMesh(verts, np.int32([[0, 1, 2], [0, 2, 1]]), verts)
    assert vertex_order(mesh, mesh).tolist() == [0, 1, 2, 3]
    assert vertex_order(mesh, mesh._replace(faces=np.int32([[3, 1, 2], [3, 2, 1]]))).tolist() == [3, 1, 2, 0]
    assert vertex_order(mesh, mesh._replace(faces=np.int32([[0, 1, 2], [0, 1, 2]]))) is None
    assert vertex_order(mesh, mesh._replace(faces=np.int32([[0, 1, 1], [0, 1, 1]]))) is None


def remove(path: Path) -> None:
    path.unlink()


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_empty(path: Path) -> None:
    path.write_bytes(b"")


def make_binary(path: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(5000))


def cut(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


REQUIRED = (
    "image.jpg",
    "person_mask.png",
    "object_mask.png",
    "smplx_parameters.json",
    "h_mesh.obj",
    "obj_pcd_h_align.obj",
)
OPTIONAL = ("object_mesh.obj", "depth.npy", "box_annotation.json", "annotations.json", "calibration.json")


@pytest.mark.parametrize("damage", [remove, make_folder, make_empty, make_binary, cut])
@pytest.mark.parametrize("name", REQUIRED)
def test_damaged_required_files_are_refused_by_name(folder: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(folder / name)
    with pytest.raises(SampleError) as caught:
        load_sample(folder)
    assert name in str(caught.value)


@pytest.mark.parametrize("damage", [make_folder, make_empty, make_binary, cut])
@pytest.mark.parametrize("name", OPTIONAL)
def test_damaged_optional_files_are_refused_too(folder: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(folder / name)
    with pytest.raises(SampleError) as caught:
        load_sample(folder)
    assert name in str(caught.value)


@pytest.mark.parametrize("name", ["person_mask.png", "object_mask.png"])
def test_empty_masks_are_refused(folder: Path, name: str) -> None:
    Image.new("L", (128, 96)).save(folder / name)
    with pytest.raises(SampleError, match="is empty: no pixel is above 127"):
        load_sample(folder)


def test_a_mask_of_another_shape_is_refused(folder: Path) -> None:
    Image.new("L", (96, 128), 255).save(folder / "object_mask.png")
    with pytest.raises(SampleError, match="is 96 x 128 pixels, expected 128 x 96 as the photograph"):
        load_sample(folder)


def test_meshes_behind_the_camera_are_refused(folder: Path) -> None:
    record = json.loads((folder / "smplx_parameters.json").read_text())
    record["cam_trans"][2] = -4.0
    (folder / "smplx_parameters.json").write_text(json.dumps(record))
    with pytest.raises(SampleError, match=r"h_mesh\.obj: 642 of 642 vertices lie behind the camera"):
        load_sample(folder)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="is not a folder"):
        load_sample(tmp_path / "none")
    with pytest.raises(SampleError, match=r"has no person_mask\.png"):
        load_sample(tmp_path)


def test_the_real_sample(basket: Path) -> None:
    real = load_sample(basket)
    assert real.name == "basket"
    assert real.image.shape == (685, 1024, 3)
    assert real.human.verts.shape == (10475, 3)
    assert real.object.verts.shape == real.truth.verts.shape == (37360, 3)
    assert real.warnings == ()
    np.testing.assert_allclose(real.camera.center, [530.0, 373.5])
    # The annotators moved the object by a similarity: colours and shape correspond once the numbering does.
    np.testing.assert_array_equal(real.truth.rgb, real.object.rgb)
    start, moved = (
        mesh.verts.astype(np.float64) - mesh.verts.mean(0, np.float64) for mesh in (real.object, real.truth)
    )
    basis = np.linalg.svd(start.T @ moved)
    rotation = (basis.U @ basis.Vh).T
    scale = np.sqrt((moved**2).sum() / (start**2).sum())
    assert abs(scale - 1.204) < 1e-3
    assert np.abs(scale * start @ rotation.T - moved).max() < 1e-5


def test_the_real_sample_survives_a_round_trip(basket: Path, tmp_path: Path) -> None:
    real = load_sample(basket)
    save_sample(real, tmp_path / "basket")
    assert_same(real, load_sample(tmp_path / "basket"))
