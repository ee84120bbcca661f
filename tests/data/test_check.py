"""The checker: silence about a sound sample, and every planted problem found, all at once."""

import json
from collections.abc import Callable
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from hoijax.data.check import Problem, check_sample, check_tree
from hoijax.data.check_view import silhouette
from hoijax.data.objfile import load_mesh, save_mesh
from hoijax.data.read import load_sample
from hoijax.data.sample import ColoredMesh, Sample
from hoijax.data.write import save_sample
from hoijax.types import Camera

TOPOLOGY = "a topology that is not known"  # the only doubt about the small synthetic person


def problems(folder: Path) -> list[Problem]:
    """All but the expected doubt about the synthetic person's topology."""
    found = check_sample(folder)
    assert sum(TOPOLOGY in problem.message for problem in found) == 1
    return [problem for problem in found if TOPOLOGY not in problem.message]


def assert_found(folder: Path, severity: str, file: str, message: str) -> None:
    found = check_sample(folder)
    assert any((p.severity, p.file) == (severity, file) and message in p.message for p in found), found


def change_mesh(folder: Path, name: str, change: Callable[[ColoredMesh], ColoredMesh]) -> None:
    save_mesh(folder / name, change(load_mesh(folder / name)))


def test_a_sound_sample_has_no_problems(folder: Path) -> None:
    assert problems(folder) == []


def test_the_real_sample_has_no_problems(basket: Path) -> None:
    assert check_sample(basket) == []


def test_everything_is_found_at_once(folder: Path) -> None:
    (folder / "image.jpg").write_bytes(b"not a picture")
    (folder / "person_mask.png").unlink()
    Image.new("L", (128, 96)).save(folder / "object_mask.png")
    (folder / "smplx_parameters.json").write_text("[]")
    (folder / "h_mesh.obj").write_text("v 0 0 nan\nv 0 0 inf\nf 1 2 3\n")
    (folder / "obj_pcd_h_align.obj").write_text("")
    (folder / "object_mesh.obj").unlink()
    (folder / "object_mesh.obj").mkdir()
    (folder / "depth.npy").write_bytes(b"\x93NUMPY")
    (folder / "box_annotation.json").write_text('{"obj": [4, 3, 2, 1]}')
    (folder / "annotations.json").write_text("7")
    (folder / "calibration.json").write_text("{}")
    (folder / "extrinsic.json").write_text("{}")
    (folder / "contact_label" / "human_part.json").write_text('{"a": 1}')
    found = check_sample(folder)
    errors = {(problem.file, problem.message.split("(")[0].strip()) for problem in found if problem.severity == "error"}
    assert {file for file, _ in errors} == {
        ".",
        "image.jpg",
        "object_mask.png",
        "smplx_parameters.json",
        "h_mesh.obj",
        "obj_pcd_h_align.obj",
        "object_mesh.obj",
        "depth.npy",
        "box_annotation.json",
        "annotations.json",
        "calibration.json",
        "extrinsic.json",
        "contact_label/human_part.json",
    }
    assert (".", "has no person_mask.png") in errors
    assert ("h_mesh.obj", "2 of 2 vertices are not finite") in errors
    assert ("h_mesh.obj", "1 of 1 triangles name vertices that do not exist") in errors
    assert not any("could not be checked" in problem.message for problem in found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: ColoredMesh(np.insert(m.verts, 162, 0.1, 0), m.faces, np.insert(m.rgb, 162, 0, 0)), "belong to no"),
        (lambda m: m._replace(faces=m.faces[:-2]), "is not watertight: 4 open edges, 0 edges of more than two"),
        (lambda m: m._replace(faces=m.faces[:, ::-1]), "is inside out"),
        (lambda m: m._replace(faces=np.concatenate([m.faces[:9, ::-1], m.faces[9:]])), "disagree about which side"),
        (lambda m: m._replace(faces=np.append(m.faces, m.faces[:1, [1, 2, 0]], 0)), "1 of 321 triangles repeat another"),
        (lambda m: m._replace(faces=np.append(m.faces, [[5, 5, 6]], 0)), "1 of 321 triangles have no area"),
        (lambda m: m._replace(verts=m.verts * 1000), "m long, expected 0.01 to 20 m for an object: is its unit the metre?"),
    ],
)  # fmt: skip
def test_doubts_about_objects(folder: Path, change: Callable[[ColoredMesh], ColoredMesh], message: str) -> None:
    change_mesh(folder, "obj_pcd_h_align.obj", change)
    assert_found(folder, "warning", "obj_pcd_h_align.obj", message)


def test_doubled_vertices_do_not_make_holes(folder: Path) -> None:
    def split(mesh: ColoredMesh) -> ColoredMesh:
        corners = mesh.faces.reshape(-1)
        return ColoredMesh(mesh.verts[corners], np.arange(len(corners)).reshape(-1, 3), mesh.rgb[corners])

    for name in ("obj_pcd_h_align.obj", "object_mesh.obj"):
        change_mesh(folder, name, split)
    found = problems(folder)
    assert {p.message for p in found} == {"798 of 960 vertices stand where another stands"}


def test_a_flipped_axis_is_suspected(folder: Path) -> None:
    change_mesh(folder, "obj_pcd_h_align.obj", lambda m: m._replace(verts=m.verts * np.float32([-1, 1, 1])))
    assert_found(folder, "warning", "obj_pcd_h_align.obj", "hardly lies on the object mask (IoU 0.00)")
    assert_found(folder, "warning", "obj_pcd_h_align.obj", "axis flip suspected: with x")


def test_opengl_axes_are_suspected(sample: Sample, tmp_path: Path) -> None:
    """Meshes and translation with y and z negated: behind the camera, and found out."""
    signs = np.float32([1, -1, -1])
    flipped = sample._replace(
        human=sample.human._replace(verts=sample.human.verts * signs),
        object=sample.object._replace(verts=sample.object.verts * signs),
        pose=sample.pose._replace(translation=jnp.asarray(sample.pose.translation * signs)),
    )
    save_sample(flipped, tmp_path / "sample")
    assert_found(tmp_path / "sample", "error", "h_mesh.obj", "642 of 642 vertices lie behind the camera")
    assert_found(tmp_path / "sample", "warning", "h_mesh.obj", "axis flip suspected: with y and z (cam_trans too)")


def test_meshes_beside_the_image(folder: Path) -> None:
    change_mesh(folder, "obj_pcd_h_align.obj", lambda m: m._replace(verts=m.verts + np.float32([50, 0, 0])))
    assert_found(folder, "warning", "obj_pcd_h_align.obj", "projects outside the image")


def test_doubts_about_masks(sample: Sample, folder: Path) -> None:
    Image.fromarray(~sample.object_mask[:, ::-1] | True).save(folder / "object_mask.png")
    assert_found(folder, "warning", "object_mask.png", "covers 100% of the image: is it inverted?")
    assert_found(folder, "warning", "object_mask.png", "shares 100% of the smaller mask with the other one")
    few = np.zeros_like(sample.object_mask)
    few[0, :7] = True
    Image.fromarray(few).save(folder / "object_mask.png")
    assert_found(folder, "warning", "object_mask.png", "has only 7 pixels inside")
    assert_found(folder, "warning", "box_annotation.json", "the object box")
    Image.new("L", (100, 100), 255).save(folder / "object_mask.png")
    assert_found(folder, "error", "object_mask.png", "is 100 x 100 pixels, expected 128 x 96")


def test_boxes_out_of_the_image_or_off_their_mask(folder: Path) -> None:
    (folder / "box_annotation.json").write_text(json.dumps({"obj": [100, 10, 300, 90], "human": [0, 0, 9, 9]}))
    assert_found(folder, "warning", "box_annotation.json", "reaches out of the 128 x 96 image")
    assert_found(folder, "warning", "box_annotation.json", "the human box [0.0, 0.0, 9.0, 9.0] differs from its mask's")


def test_doubts_about_the_camera_and_depth(folder: Path) -> None:
    record = json.loads((folder / "smplx_parameters.json").read_text())
    record["princpt"] = [500, 48]
    (folder / "smplx_parameters.json").write_text(json.dumps(record))
    depth = np.load(folder / "depth.npy")
    depth[:60] = np.nan
    np.save(folder / "depth.npy", depth)
    assert_found(folder, "warning", "smplx_parameters.json", "princpt (500.0, 48.0) lies outside the 128 x 96 image")
    assert_found(folder, "warning", "calibration.json", "differs by 436.0 px")
    assert_found(folder, "warning", "depth.npy", "is unknown at 62% of the pixels")


def test_an_annotated_object_of_another_mesh(folder: Path) -> None:
    save_mesh(folder / "object_mesh.obj", load_mesh(folder / "h_mesh.obj"))
    assert_found(folder, "warning", "object_mesh.obj", "does not correspond to the coarse object")


def test_sizes_of_people(folder: Path) -> None:
    change_mesh(folder, "h_mesh.obj", lambda m: m._replace(verts=m.verts * 1000))
    assert_found(folder, "warning", "h_mesh.obj", "expected 0.3 to 3 m for a person")


def test_errors_are_what_the_reader_refuses(folder: Path) -> None:
    """A sample with warnings only can be read."""
    change_mesh(folder, "obj_pcd_h_align.obj", lambda m: m._replace(faces=m.faces[:-2]))
    found = check_sample(folder)
    assert {problem.severity for problem in found} == {"warning"}
    load_sample(folder)


def test_trees(folder: Path) -> None:
    tree = folder.parent.parent
    (tree / "flat-hold_1").mkdir()
    (tree / "flat-hold_1" / "image.jpg").write_bytes(b"")
    checked = dict(check_tree(tree))
    assert list(checked) == [folder, tree / "flat-hold_1"]
    assert sum(problem.severity == "error" for problem in checked[tree / "flat-hold_1"]) == 6
    assert check_sample(tree / "none") == [Problem("error", ".", "is not a folder, expected a sample folder")]


def test_the_unforeseen_is_a_problem_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr("hoijax.data.check.parse_mesh", fail)
    assert_found(folder, "error", ".", "could not be checked to the end (RuntimeError: disk on fire)")


def test_silhouette_of_a_rectangle() -> None:
    """A rectangle in front of the camera covers the pixels that its corners say, give or take its rim."""
    verts = np.array([[-1.0, -0.5, 2], [1, -0.5, 2], [1, 0.5, 2], [-1, 0.5, 2]])
    camera = Camera(np.array([20.0, 20.0]), np.array([32.0, 24.0]))
    mask = silhouette(verts, np.array([[0, 1, 2], [0, 2, 3]]), camera, (48, 64))
    inside = np.zeros((48, 64), bool)
    inside[19:29, 22:42] = True
    rim = np.zeros((48, 64), bool)
    rim[18:30, 21:43] = True
    assert mask[inside].all()
    assert not mask[~rim].any()
    assert not silhouette(verts * [1, 1, -1], np.array([[0, 1, 2]]), camera, (48, 64)).any()
