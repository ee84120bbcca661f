"""Exports read back: records, collected samples, and the program, on files that the add-on's own writer made."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from hoijax.annotate.blender import exported, pose
from hoijax.annotate.blender import sample as in_blender
from hoijax.annotate.blender_poses import annotated, collect, load_pose
from hoijax.data.objfile import load_mesh, save_mesh
from hoijax.data.read import load_sample
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.data.write import save_sample
from hoijax.metrics.pose import object_pose_errors
from hoijax.types import Camera, HumanPose

ROOT = Path(__file__).resolve().parents[2]
MOVE = pose.Pose(Rotation.from_rotvec([0.3, -0.5, 0.9]).as_matrix(), np.array([0.1, -0.05, 0.2]), 1.25, np.zeros(3))


def ball(radius: float, x: float) -> ColoredMesh:
    sphere = trimesh.creation.icosphere(subdivisions=2)
    unit = np.asarray(sphere.vertices, np.float32)
    verts = unit * np.float32([radius, 1.3 * radius, radius]) + np.float32([x, 0, 0])
    return ColoredMesh(verts, np.asarray(sphere.faces, np.int32), ((unit + 1) / 2).astype(np.float32))


def a_sample() -> Sample:
    shapes = {"root": 3, "body": (21, 3), "jaw": 3, "eyes": (2, 3), "left_hand": (15, 3), "right_hand": (15, 3)}
    rows = {name: jnp.zeros(shape) for name, shape in (shapes | {"shape": 10, "expression": 10}).items()}
    mask = np.zeros((48, 64), bool)
    mask[10:30, 20:40] = True
    return Sample(
        name="ball/hold_0",
        folder=Path("nowhere"),
        image=np.full((48, 64, 3), 90, np.uint8),
        human_mask=mask,
        object_mask=mask[:, ::-1],
        camera=Camera(jnp.array([80.0, 80.0]), jnp.array([32.0, 24.0])),
        pose=HumanPose(**rows, translation=jnp.array([0.0, 0.0, 4.0])),
        human=ball(0.5, 0.0),
        object=ball(0.2, 0.6),
    )


@pytest.fixture
def tree(tmp_path) -> Path:
    for name in ("ball/hold_0", "ball/hold_1", "cup/drink_2"):
        save_sample(a_sample(), tmp_path / "tree" / name)
    return tmp_path / "tree"


def export(tree: Path, name: str, move: pose.Pose = MOVE, annotator: str = "tester") -> Path:
    """Exports a sample as the add-on does; where to."""
    place = tree.with_name("tree_blender") / name
    found = in_blender.load_sample(name, tree / name)
    move = move._replace(pivot=pose.pivot_of(found.object.verts))
    exported.save_export(place, move, found.object, found.source, found.sha256, annotator)
    return place


def test_a_record_comes_back(tree) -> None:
    place = export(tree, "ball/hold_0")
    found = load_pose(place)
    np.testing.assert_array_equal(found.rotation, MOVE.rotation)
    np.testing.assert_array_equal(found.translation, MOVE.translation)
    assert (found.scale, found.source, found.annotator, found.tool) == (
        1.25,
        "obj_pcd_h_align.obj",
        "tester",
        "blender",
    )
    again, record = exported.load_export(place)
    np.testing.assert_array_equal(again.pivot, found.pivot)
    assert record["source"]["sha256"] == found.sha256
    baked, start = load_mesh(place / "object_mesh.obj"), load_mesh(tree / "ball/hold_0/obj_pcd_h_align.obj")
    errors = object_pose_errors(start.verts, baked.verts, baked.faces)
    assert errors.rotation_degrees == pytest.approx(np.degrees(np.linalg.norm([0.3, -0.5, 0.9])), abs=1e-3)
    truth = annotated(load_sample(tree / "ball/hold_0"), found).truth
    np.testing.assert_allclose(truth.verts, baked.verts, atol=1.2e-7, rtol=0)
    np.testing.assert_array_equal(truth.rgb, start.rgb)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 7}, "has schema 7, this version of hoijax reads schema 1"),
        ({"rotation": [[2, 0, 0], [0, 1, 0], [0, 0, 1]]}, "expected a proper rotation"),
        ({"rotation": [[-1, 0, 0], [0, 1, 0], [0, 0, 1]]}, "expected a proper rotation"),
        ({"rotation": [1, 2]}, "rotation has shape (2,), expected 9 numbers"),
        ({"translation": None}, "translation is nothing, expected 3 numbers"),
        ({"scale": 0}, "scale is 0.0, expected a positive factor"),
        ({"pivot": [0, 0, float("nan")]}, "pivot holds numbers that are not finite"),
        ({"source": "a.obj"}, "source/file is None, expected text"),
        ({"source": {"file": "../../secret.obj", "sha256": ""}}, "expected the name of a file in the sample's folder"),
        ({"source": {"file": "..", "sha256": ""}}, "expected the name of a file in the sample's folder"),
        ({"annotator": 3}, "annotator is 3, expected text"),
    ],
)
def test_records_of_another_kind_are_refused(change: dict, words: str, tree) -> None:
    path = export(tree, "ball/hold_0") / "object_pose.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(SampleError) as caught:
        load_pose(path.parent)
    assert caught.value.file == path
    assert words in caught.value.message


def states(found: list) -> dict[str, str]:
    return {each.name: each.state for each in found}


def test_only_what_changed_is_written_again(tree, tmp_path) -> None:
    out, from_blender = tmp_path / "out", tmp_path / "tree_blender"
    export(tree, "ball/hold_0")
    place = export(tree, "cup/drink_2")
    found = list(collect(tree, from_blender, out))
    assert states(found) == {"ball/hold_0": "written", "ball/hold_1": "not exported", "cup/drink_2": "written"}
    assert found[0].moved_cm == pytest.approx(100 * np.linalg.norm(MOVE.translation))
    assert found[0].turned == pytest.approx(np.degrees(np.linalg.norm([0.3, -0.5, 0.9])))
    sample = load_sample(out / "cup/drink_2")
    assert not [warning for warning in sample.warnings if "object" in warning]
    np.testing.assert_allclose(sample.truth.verts, load_mesh(place / "object_mesh.obj").verts, atol=1.2e-7, rtol=0)
    np.testing.assert_array_equal(sample.object.verts, load_sample(tree / "cup/drink_2").object.verts)
    made = {path: path.stat().st_ino for path in out.rglob("*")}
    assert states(list(collect(tree, from_blender, out)))["cup/drink_2"] == "unchanged"
    assert {path: path.stat().st_ino for path in out.rglob("*")} == made
    export(tree, "cup/drink_2", MOVE._replace(scale=1.5))
    (tree / "ball/hold_0/contact_label").mkdir()
    (tree / "ball/hold_0/contact_label/human_part.json").write_text('["head"]')
    found = list(collect(tree, from_blender, out))
    assert states(found) == {"ball/hold_0": "written", "ball/hold_1": "not exported", "cup/drink_2": "written"}
    assert load_sample(out / "ball/hold_0").contact_parts == ("head",)
    larger = load_sample(out / "cup/drink_2").truth.verts
    np.testing.assert_allclose(larger.std(0), 1.2 * sample.truth.verts.std(0), rtol=1e-5)


def test_a_mesh_with_numbers_of_its_own_becomes_a_truth_in_the_coarse_order(tree, tmp_path) -> None:
    coarse = load_sample(tree / "ball/hold_0").object
    order = np.random.default_rng(0).permutation(len(coarse.verts))
    mixed = ColoredMesh(coarse.verts[order], np.argsort(order)[coarse.faces].astype(np.int32), coarse.rgb[order])
    save_mesh(tree / "ball/hold_0/object_mesh.obj", mixed)
    export(tree, "ball/hold_0")
    assert load_pose(tmp_path / "tree_blender/ball/hold_0").source == "object_mesh.obj"
    assert states(list(collect(tree, tmp_path / "tree_blender", tmp_path / "out")))["ball/hold_0"] == "written"
    truth = load_sample(tmp_path / "out/ball/hold_0").truth
    errors = object_pose_errors(coarse.verts, truth.verts, truth.faces)
    assert errors.rotation_degrees == pytest.approx(np.degrees(np.linalg.norm([0.3, -0.5, 0.9])), abs=1e-3)


def test_what_cannot_be_used_is_named_and_hinders_nothing(tree, tmp_path) -> None:
    for name in ("ball/hold_0", "ball/hold_1", "cup/drink_2"):
        export(tree, name)
    mesh = tree / "ball/hold_0/obj_pcd_h_align.obj"
    mesh.write_text(mesh.read_text() + "# changed\n")
    (tree / "ball/hold_1/image.jpg").unlink()
    (tmp_path / "tree_blender/cup/drink_2").rename(tmp_path / "tree_blender/cup/gone")
    precious = tmp_path / "out/ball/hold_0/mine.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("not from here")
    found = {each.name: each for each in collect(tree, tmp_path / "tree_blender", tmp_path / "out")}
    assert {name: each.state for name, each in found.items()} == {
        "ball/hold_0": "failed",
        "ball/hold_1": "failed",
        "cup/drink_2": "not exported",
        "cup/gone": "failed",
    }
    assert f"{mesh}: is another file than the one that was placed" in found["ball/hold_0"].why
    assert "has no image.jpg" in found["ball/hold_1"].why
    assert "a sample that is not in" in found["cup/gone"].why
    export(tree, "ball/hold_0")
    again = {each.name: each for each in collect(tree, tmp_path / "tree_blender", tmp_path / "out")}
    assert "exists already" in again["ball/hold_0"].why
    assert precious.read_text() == "not from here"
    assert [path.name for path in (tmp_path / "out/ball").iterdir()] == ["hold_0"]


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "experiments/blender_export.py", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_the_program_tells_what_was_exported_and_what_not(tree, tmp_path) -> None:
    export(tree, "ball/hold_0")
    done = run(f"--data={tree}", f"--out={tmp_path / 'out'}")
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("ball/hold_0")).split()
    assert [float(value) for value in row[1:4]] == [22.9, 61.4, 1.25]
    assert row[4:] == ["tester", "(written)"]
    assert "1 written, 0 unchanged, 2 not exported, 0 failed" in done.stdout
    assert "cup/drink_2  not exported" in done.stdout
    (tmp_path / "tree_blender/ball/hold_0/object_pose.json").write_text("{")
    done = run(f"--data={tree}", f"--exported={tmp_path / 'tree_blender'}", f"--out={tmp_path / 'out'}")
    assert done.returncode == 1
    assert "object_pose.json: is not valid JSON" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_misuse_is_one_sentence(tree, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    for data, given, out, words in (
        ("/nowhere", "", tmp_path / "out", "is not a folder"),
        (tree, "/nowhere", tmp_path / "out", "/nowhere: is not a folder, expected what Blender exported"),
        (tmp_path / "empty", tree, tmp_path / "out", "no sample folder in it"),
        (tree, tmp_path / "empty", tree / "out", "overlaps with"),
    ):
        done = run(f"--data={data}", f"--exported={given}", f"--out={out}")
        assert done.returncode != 0
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert "Bring what annotators exported" in run("--help").stdout
