"""Poses from Blender as decisions: records, export, agreement, programs, on files that the add-on's own writer made."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from hoijax.annotate.blender import exported, pose
from hoijax.annotate.blender import sample as in_blender
from hoijax.annotate.blender_poses import blender_events, load_pose
from hoijax.annotate.decisions import load_decisions
from hoijax.annotate.export import Exported, ExportOptions
from hoijax.annotate.export import export as export_tree
from hoijax.annotate.items import find_items, fingerprint
from hoijax.annotate.readers import tool_readers
from hoijax.annotate.store import append, open_store
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
        ({"annotator": " "}, "annotator is ' ', expected a name"),
        ({"time": "yesterday"}, "time is 'yesterday', expected a moment in ISO 8601"),
        ({"time": "2026-01-02T03:04:05"}, "expected a moment in ISO 8601 with its offset from UTC"),
    ],
)
def test_records_of_another_kind_are_refused(change: dict, words: str, tree) -> None:
    path = export(tree, "ball/hold_0") / "object_pose.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(SampleError) as caught:
        load_pose(path.parent)
    assert caught.value.file == path
    assert words in caught.value.message


READERS = tool_readers()
FINE = ExportOptions(needs=("fine",))


def exported_tree(tree: Path, options: ExportOptions = FINE) -> tuple[Exported, list[str]]:
    """The export into OUT of all that was decided, and the sentences about records of Blender."""
    items = find_items(tree)
    happened, unused = load_decisions(items, READERS, blender=tree.with_name("tree_blender"))
    return export_tree(items, happened, READERS, tree.with_name("out"), options), unused


def decide(tree: Path, tool: str, kind: str, value: dict[str, Any], who: str = "tester") -> None:
    """What the browser keeps of "ball/hold_0"."""
    store = open_store(tree / "annotations.sqlite")
    append(store, who, "ball/hold_0", tool, kind, value, fingerprint(tree / "ball/hold_0", READERS.sees[tool]))
    store.close()


def shifted(x: float) -> dict[str, Any]:
    """The fine tool's confirmation of a shift to the right."""
    unturned = {"rotation": np.eye(3).tolist(), "translation": [x, 0.0, 0.0], "log_scale": 0.0}
    return {**unturned, "base": "coarse", "quality": "", "iou": 0.5}


def at(place: Path, hours: float) -> None:
    """Has the record made some hours from now."""
    path = place / "object_pose.json"
    time = (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"time": time}))


def by_hand(verts: np.ndarray, record: Path) -> np.ndarray:
    """Vertices where the similarity of the record's own numbers puts them."""
    read = json.loads((record / "object_pose.json").read_text())
    rotation, pivot, shift = (np.array(read[name], np.float64) for name in ("rotation", "pivot", "translation"))
    return read["scale"] * (verts.astype(np.float64) - pivot) @ rotation.T + pivot + shift


@pytest.mark.parametrize("pivot", [None, np.array([3.0, -2.0, 5.0])])
def test_a_record_moves_the_truth_as_its_similarity_says(pivot: np.ndarray | None, tree: Path) -> None:
    place = export(tree, "ball/hold_0")
    if pivot is not None:  # a record may turn about any point
        path = place / "object_pose.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"pivot": pivot.tolist()}))
    found, unused = exported_tree(tree)
    assert (found.written, unused) == (("ball/hold_0",), [])
    before, after = load_sample(tree / "ball/hold_0"), load_sample(tree.with_name("out") / "ball/hold_0")
    np.testing.assert_allclose(after.truth.verts, by_hand(before.object.verts, place), atol=2e-6, rtol=0)
    if pivot is None:
        baked = load_mesh(place / "object_mesh.obj")
        np.testing.assert_allclose(after.truth.verts, baked.verts, atol=2e-6, rtol=0)
    np.testing.assert_array_equal(after.truth.rgb, before.object.rgb)
    np.testing.assert_array_equal(after.object.verts, before.object.verts)
    kept = json.loads((tree.with_name("out") / "ball/hold_0/annotated.json").read_text())["tools"]["fine"]
    assert (kept["annotator"], kept["by"], kept["base"]) == ("tester", "blender", "coarse")
    assert kept["events"][0] < 0


def test_a_mesh_with_numbers_of_its_own_becomes_a_truth_in_the_coarse_order(tree: Path) -> None:
    coarse = load_sample(tree / "ball/hold_0").object
    order = np.random.default_rng(0).permutation(len(coarse.verts))
    mixed = ColoredMesh(coarse.verts[order] + 0.25, np.argsort(order)[coarse.faces].astype(np.int32), coarse.rgb[order])
    save_mesh(tree / "ball/hold_0/object_mesh.obj", mixed)
    place = export(tree, "ball/hold_0")
    assert load_pose(place).source == "object_mesh.obj"
    (event,), unused = blender_events(find_items(tree), tree.with_name("tree_blender"), READERS.sees["fine"])
    assert (event.value["base"], unused) == ("annotated", [])
    exported_tree(tree)
    truth = load_sample(tree.with_name("out") / "ball/hold_0").truth
    np.testing.assert_allclose(truth.verts, by_hand(coarse.verts + np.float32(0.25), place), atol=2e-6, rtol=0)


def test_only_what_changed_is_written_again(tree: Path) -> None:
    export(tree, "ball/hold_0")
    export(tree, "cup/drink_2")
    assert exported_tree(tree)[0].written == ("ball/hold_0", "cup/drink_2")
    assert exported_tree(tree)[0].unchanged == ("ball/hold_0", "cup/drink_2")
    first = load_sample(tree.with_name("out") / "cup/drink_2").truth
    export(tree, "cup/drink_2", MOVE._replace(scale=1.5))
    found, _ = exported_tree(tree)
    assert (found.written, found.unchanged) == (("cup/drink_2",), ("ball/hold_0",))
    larger = load_sample(tree.with_name("out") / "cup/drink_2").truth
    np.testing.assert_allclose(larger.verts.std(0), 1.2 * first.verts.std(0), rtol=1e-5)
    (tree.with_name("tree_blender") / "cup/drink_2/object_pose.json").unlink()
    assert exported_tree(tree)[0].removed == ("cup/drink_2",)


def test_what_cannot_be_used_is_named_and_hinders_nothing(tree: Path, tmp_path: Path) -> None:
    places = [export(tree, name) for name in ("ball/hold_0", "ball/hold_1", "cup/drink_2")]
    save_sample(a_sample(), tree / "ball/hold_3")
    far = export(tree, "ball/hold_3", MOVE._replace(translation=np.array([0.0, 0.0, 50.0])))
    mesh = tree / "ball/hold_0/obj_pcd_h_align.obj"
    mesh.write_text(mesh.read_text() + "# changed\n")
    record = json.loads((places[1] / "object_pose.json").read_text())
    record["source"]["file"] = "obj_annot_2.obj"
    (places[1] / "object_pose.json").write_text(json.dumps(record))
    (tmp_path / "tree_blender/cup/gone").mkdir()
    (tmp_path / "tree_blender/cup/gone/object_pose.json").write_text("{}")
    found, unused = exported_tree(tree)
    assert found.written == ("cup/drink_2",)
    assert len(unused) == 4
    assert unused[0].startswith(f"{mesh}: is another file than the one that was placed (sha256 ")
    assert unused[1].startswith(f"{places[1]}/object_pose.json: moves obj_annot_2.obj, expected a mesh of the sample")
    assert unused[1].endswith("(obj_pcd_h_align.obj)")
    assert unused[2].startswith(
        f"{far}/object_pose.json: holds no pose that the fine tool takes: the object would be more"
    )
    assert unused[3].startswith(
        f"{tmp_path}/tree_blender/cup/gone/object_pose.json: was exported from a sample that is not"
    )
    with pytest.raises(SampleError, match="is not a folder, expected what Blender exported"):
        blender_events(find_items(tree), tmp_path / "nowhere", READERS.sees["fine"])


def test_browser_and_blender_make_one_sample(tree: Path) -> None:
    export(tree, "ball/hold_0")
    dot = {"mask": "object", "erase": False, "radius": 0.5, "points": [[2.5, 3.5]]}
    decide(tree, "filter", "stroke", dot, "anna")
    decide(tree, "filter", "judge", {"who": ["human", "object"], "verdict": "pass"}, "anna")
    assert exported_tree(tree, ExportOptions())[0].written == ()
    decide(tree, "contact", "done", {"parts": ["neck"], "none": False}, "bert")
    found, _ = exported_tree(tree, ExportOptions())
    assert found.written == ("ball/hold_0",)
    before, after = load_sample(tree / "ball/hold_0"), load_sample(tree.with_name("out") / "ball/hold_0")
    assert np.argwhere(before.object_mask != after.object_mask).tolist() == [[3, 2]]
    assert after.contact_parts == ("neck",)
    np.testing.assert_allclose(
        after.truth.verts,
        by_hand(before.object.verts, tree.with_name("tree_blender") / "ball/hold_0"),
        atol=2e-6,
        rtol=0,
    )


@pytest.mark.parametrize("who", ["tester", "anna"])
@pytest.mark.parametrize("hours", [-1, 1])
def test_the_later_of_browser_and_blender_counts(who: str, hours: int, tree: Path) -> None:
    at(place := export(tree, "ball/hold_0"), hours)
    decide(tree, "fine", "done", shifted(0.5), who)
    found, _ = exported_tree(tree)
    assert found.written == ("ball/hold_0",)
    before, after = load_sample(tree / "ball/hold_0"), load_sample(tree.with_name("out") / "ball/hold_0")
    expected = by_hand(before.object.verts, place) if hours > 0 else before.object.verts + np.float32([0.5, 0.0, 0.0])
    np.testing.assert_allclose(after.truth.verts, expected, atol=2e-6, rtol=0)
    assert found.conflicts == ()  # both moved the coarse mesh; how far apart they are is for the agreement


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_later_nudge_in_the_browser_opens_the_item_again(hours: int, tree: Path) -> None:
    at(export(tree, "ball/hold_0"), hours)
    decide(tree, "fine", "pose", {**shifted(0.5), "by": "test"})
    assert exported_tree(tree)[0].written == (("ball/hold_0",) if hours > 0 else ())


def run(program: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, f"experiments/{program}.py", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_the_programs_take_what_blender_exported(tree: Path, tmp_path: Path) -> None:
    export(tree, "ball/hold_0")
    blender, out = f"--blender={tmp_path / 'tree_blender'}", f"--out={tmp_path / 'out'}"
    done = run("annotate_export", f"--data={tree}", out, blender, "--needs=fine")
    assert done.returncode == 0, done.stderr
    assert "1 samples written" in done.stdout
    decide(tree, "fine", "done", shifted(0.5), "anna")
    done = run("annotate_agreement", f"--data={tree}", blender)
    assert done.returncode == 0, done.stderr
    assert "anna / tester" in done.stdout
    (tmp_path / "tree_blender/ball/hold_0/object_pose.json").write_text("{")
    done = run("annotate_export", f"--data={tree}", out, blender, "--needs=fine", "--prefer=anna")
    assert done.returncode == 1
    assert "1 samples written" in done.stdout, "the rest is exported all the same"
    assert "object_pose.json: is not valid JSON" in done.stderr
    assert "1 poses from Blender could not be used" in done.stderr
    done = run("annotate_agreement", f"--data={tree}", blender)
    assert done.returncode == 1
    assert "object_pose.json: is not valid JSON" in done.stderr


@pytest.mark.slow
def test_misuse_is_one_sentence(tree: Path, tmp_path: Path) -> None:
    export(tree, "ball/hold_0")
    blender, out = f"--blender={tmp_path / 'tree_blender'}", f"--out={tmp_path / 'out'}"
    (tmp_path / "file").write_text("mine")
    for flags, words in (
        ((out,), "annotations.sqlite: is no file"),
        ((out, blender, f"--store={tmp_path / 'none'}"), "none: is no file"),
        ((out, "--blender=/nowhere"), "/nowhere: is not a folder, expected what Blender exported"),
        ((out, blender, "--prefer=anna"), "--prefer=anna: decided nothing here; there are tester"),
        ((out, blender, "--annotator=anna"), "--annotator=anna: decided nothing here"),
        ((blender, f"--out={tmp_path / 'file'}"), f"{tmp_path / 'file'}: cannot be written"),
        ((blender, f"--out={tmp_path / 'tree_blender/out'}"), "expected a place of its own"),
    ):
        done = run("annotate_export", f"--data={tree}", *flags)
        assert done.returncode == 1, flags
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    decide(tree, "fine", "done", shifted(0.5), "anna")
    done = run("annotate_agreement", f"--data={tree}", blender, f"--csv={tmp_path / 'file/table.csv'}")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
