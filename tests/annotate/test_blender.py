"""The add-on in a real Blender without a window, as annotators use it: installed from its zip, buttons pressed."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from hoijax.annotate.blender_addon import save_addon
from hoijax.annotate.blender_poses import load_pose
from hoijax.data.objfile import load_mesh
from hoijax.data.read import find_samples, load_sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample

ROOT = Path(__file__).resolve().parents[2]
AXES = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # (x, y, z) of a sample -> (x, z, -y) of Blender

pytestmark = pytest.mark.slow

MOVES = [
    {"turn": [0.0, 0.0, 0.0], "shift": [0.0, 0.0, 0.0], "scale": 1.0},
    {"turn": [0.3, -1.1, 2.5], "shift": [0.31, -0.62, 0.17], "scale": 1.204},
    {"turn": [3.1, 0.2, -0.4], "shift": [-1.3, 2.1, 0.4], "scale": 0.37, "mode": "XYZ"},
]


@pytest.fixture(scope="module")
def blender() -> str:
    """The python with Blender's module; tests that need it are skipped, visibly, without it."""
    python = ROOT / ".venv-blender" / "bin" / "python"
    if not python.is_file():
        pytest.skip(f"no {python.parents[1].name}: `make venv-blender` makes it")
    tried = subprocess.run([str(python), "-c", "import bpy"], capture_output=True, text=True, timeout=120)
    if "cannot open shared object file" in tried.stderr:
        pytest.skip(f"{tried.stderr.strip().splitlines()[-1]}: docs/blender.md tells which libraries Blender wants")
    assert tried.returncode == 0, tried.stderr
    return str(python)


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> Path:
    """Three samples of one scene."""
    tree = tmp_path_factory.mktemp("samples") / "tree"
    save_sample(synthetic_sample("ball", 0), tree / "ball" / "hold_0")
    shutil.copytree(tree / "ball" / "hold_0", tree / "ball" / "hold_1")
    shutil.copytree(tree / "ball" / "hold_0", tree / "red ball" / "hold_2")
    return tree


@pytest.fixture
def tree(samples, tmp_path) -> Path:
    """A copy of the samples that a test may damage."""
    return shutil.copytree(samples, tmp_path / "tree")


@pytest.fixture
def run(blender, tmp_path):
    """Runs a scenario of in_blender.py in a Blender that has no settings of the user's; its answer."""
    archive = tmp_path / "addon.zip"
    save_addon(archive)

    def run(scenario: str, **job) -> dict:
        result = tmp_path / "result.json"
        result.unlink(missing_ok=True)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        environment["BLENDER_USER_RESOURCES"] = str(tmp_path / "blender")
        script = Path(__file__).with_name("in_blender.py")
        command = [blender, str(script), scenario, str(archive), str(result), json.dumps(job, default=str)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        answer = json.loads(result.read_text())
        assert not answer["hoijax"]  # Blender's python has none
        return answer

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def expected(move: dict) -> tuple[np.ndarray, np.ndarray]:
    """The similarity's rotation and translation, in the sample's frame, that a move in Blender stands for."""
    return Rotation.from_euler("xyz", move["turn"]).as_matrix(), AXES.T @ move["shift"]


@pytest.mark.parametrize("extension", [False, True])
def test_known_similarities_come_back(extension, run, tree, tmp_path) -> None:
    before = contents(tree)
    answer = run("round_trip", tree=tree, moves=MOVES, extension=extension, coarse=True)
    assert answer["errors"] == []
    assert contents(tree) == before
    out = tmp_path / "tree_blender"  # beside the tree, where nothing is said
    folders = find_samples(tree)
    for folder, move, pixels in zip(folders, MOVES, answer["pixels"]):
        place = out / folder.relative_to(tree)
        pose, mesh = load_pose(place), load_mesh(folder / "obj_pcd_h_align.obj")
        rotation, translation = expected(move)
        np.testing.assert_allclose(pose.rotation, rotation, rtol=0, atol=1e-6)
        np.testing.assert_allclose(pose.translation, translation, rtol=0, atol=1e-6)
        assert pose.scale == pytest.approx(move["scale"], rel=1e-6)
        np.testing.assert_allclose(pose.pivot, mesh.verts.mean(0, dtype=np.float64), atol=1e-6)
        assert (pose.source, pose.annotator, pose.tool) == ("obj_pcd_h_align.obj", "tester", "blender")
        baked = load_mesh(place / "object_mesh.obj")
        start = mesh.verts.astype(np.float64) - pose.pivot
        verts = pose.scale * start @ pose.rotation.T + pose.pivot + pose.translation
        np.testing.assert_allclose(baked.verts, verts.astype(np.float32), rtol=0, atol=1.2e-7)  # the last bit
        np.testing.assert_array_equal(baked.faces, mesh.faces)
        np.testing.assert_array_equal(baked.rgb, mesh.rgb)
        np.testing.assert_allclose(project(folder, baked.verts[::37]), pixels, atol=0.01)
        assert sorted(path.name for path in place.iterdir()) == ["object_mesh.obj", "object_pose.json"]
    assert answer["state"] == {"current": "red ball/hold_2", "number": 3, "total": 3, "exported": 3}
    untouched = out / folders[0].relative_to(tree)
    np.testing.assert_array_equal(load_pose(untouched).rotation, np.eye(3))
    assert answer["counts"] == answer["after"] == answer["before"] | {"scenes": answer["before"]["scenes"] + 1}


def project(folder: Path, verts: np.ndarray) -> np.ndarray:
    """Pixels of points in the sample's frame, by its K."""
    sample = load_sample(folder)
    at = verts.astype(np.float64) + np.asarray(sample.pose.translation)
    return at[:, :2] / at[:, 2:] * np.asarray(sample.camera.focal) + np.asarray(sample.camera.center)


def test_cameras_of_all_kinds_see_what_k_projects(run, tree) -> None:
    cameras = {
        "ball/hold_0": {"focal": [900.0, 900.0], "princpt": [128.0, 128.0]},
        "ball/hold_1": {"focal": [700.0, 1100.0], "princpt": [31.5, 300.25]},
        "red ball/hold_2": {"focal": [1500.5, 800.0], "princpt": [-40.0, 77.0]},
    }
    for name, camera in cameras.items():
        path = tree / name / "smplx_parameters.json"
        path.write_text(json.dumps([json.loads(path.read_text()) | camera]))
        (tree / name / "calibration.json").unlink()
    size = resize(tree / "ball" / "hold_1", (300, 170))
    resize(tree / "red ball" / "hold_2", (170, 300))
    answer = run("cameras", tree=tree, samples=3)
    assert answer["errors"] == []
    assert answer["found"]["ball/hold_1"]["size"] == list(size)
    for name, found in answer["found"].items():
        assert found["size"] == found["image"]
        for mesh, file in (("person", "h_mesh.obj"), ("object", "object_mesh.obj")):
            verts = load_mesh(tree / name / file).verts
            np.testing.assert_allclose(found[mesh], project(tree / name, verts[::29]), atol=0.01)
            depth = verts[:, 2] + float(load_sample(tree / name).pose.translation[2])
            assert found["clip"][0] < depth.min() < depth.max() < found["clip"][1]


def resize(folder: Path, size: tuple[int, int]) -> tuple[int, int]:
    for name in ("image.jpg", "person_mask.png", "object_mask.png"):
        with Image.open(folder / name) as picture:
            picture.resize(size).save(folder / name)
    (folder / "depth.npy").unlink()
    return size


def test_a_photograph_with_an_orientation_is_turned_as_the_reader_turns_it(run, tree) -> None:
    names = ["ball/hold_0", "ball/hold_1", "red ball/hold_2"]
    for name, how in zip(names, (6, 8, 6)):
        turned = name != "red ball/hold_2"  # the last one's masks have the shape of the picture as stored
        masks = (80, 120) if turned else (120, 80)
        resize(tree / name, masks)
        picture = Image.new("RGB", (120, 80), (0, 0, 255))
        picture.paste((255, 0, 0), (0, 0, 60, 40))
        exif = picture.getexif()
        exif[0x0112] = how
        picture.save(tree / name / "image.jpg", exif=exif, quality=95)
    answer = run("cameras", tree=tree, samples=3)
    for name in names:
        image = load_sample(tree / name).image
        found = answer["found"][name]
        assert found["size"] == found["image"] == [image.shape[1], image.shape[0]]
        np.testing.assert_allclose(found["corner"], image[-1, 0] / 255, atol=0.02)  # Blender's first row is the last


def test_a_loaded_sample_is_ready_to_be_placed(run, tree) -> None:
    answer = run("look", tree=tree)
    assert answer["errors"] == []
    assert answer["scene"] == "hoijax"  # of its own: whatever else stands in Blender is not in the way
    assert answer["locks"] == [[True] * 3] * 3
    assert answer["unselectable"]
    assert answer["selected"] == ["object"]
    np.testing.assert_allclose(answer["colors"], load_mesh(tree / "ball/hold_0/object_mesh.obj").rgb, atol=1e-4)
    assert (answer["view"], answer["shading"]) == ("CAMERA", "VERTEX")
    assert answer["photograph"] == [str(tree / "ball/hold_0/image.jpg"), 0.25, "BACK"]


def test_blenders_tools_turn_and_scale_about_the_pivot(run, tree, tmp_path) -> None:
    answer = run("gizmos", tree=tree, record=tmp_path / "tree_blender/ball/hold_0/object_pose.json")
    assert answer["errors"] == []
    verts = load_mesh(tree / "ball/hold_0/object_mesh.obj").verts
    np.testing.assert_allclose(answer["pivot"], verts.mean(0, dtype=np.float64), atol=1e-6)
    turn = AXES.T @ Rotation.from_rotvec([0, 0, np.radians(30)]).as_matrix() @ AXES
    found = np.array(answer["moved"]["rotation"])
    assert min(np.abs(found - each).max() for each in (turn, turn.T)) < 1e-6  # the operator's sign is Blender's affair
    np.testing.assert_allclose(answer["moved"]["translation"], AXES.T @ [0.1, 0.2, 0.3], atol=1e-6)
    assert answer["moved"]["scale"] == pytest.approx(1.25, rel=1e-6)
    assert answer["back"]["rotation"] == np.eye(3).tolist()
    assert answer["back"]["translation"] == [0, 0, 0]
    assert answer["back"]["scale"] == 1


def test_what_is_no_similarity_is_refused_and_nothing_written(run, tree, tmp_path) -> None:
    answer = run("refused", tree=tree, out=tmp_path / "out")
    for error, words in zip(
        answer["errors"],
        ("scaled unevenly, by 1 to 1.01", "mirrored", "to nothing", "mesh itself was changed", "2 copies"),
    ):
        assert words in error
    assert len(answer["errors"]) == 5
    assert answer["state"]["exported"] == 0
    assert answer["state"]["current"] == "ball/hold_0"  # the failed "save and next" did not go on
    assert not (tmp_path / "out").exists()


def test_broken_samples_are_named_and_passed(run, tree) -> None:
    (tree / "ball/hold_1/h_mesh.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n")
    (tree / "red ball/hold_2/image.jpg").write_bytes(b"no picture")
    presses = [
        ("export", ""),
        ("load", ""),
        ("go", "PREVIOUS"),
        ("go", "NEXT"),
        ("load", ""),
        ("go", "NEXT"),
        ("go", "NEXT"),
        ("go", "PREVIOUS"),
        ("go", "PREVIOUS"),
        ("save_next", ""),
        ("go", "UNFINISHED"),
    ]
    answer = run("broken", tree=tree, presses=presses)
    walk = answer["walk"]
    assert "nothing is loaded" in walk[0]["errors"][0]
    mesh, photograph = str(tree / "ball/hold_1/h_mesh.obj"), str(tree / "red ball/hold_2/image.jpg")
    for step in (3, 4, 7, 9):
        assert f"{mesh}: 1 of 1 triangles name vertices that do not exist (first: 1 2 9)" in walk[step]["errors"][0]
    for step in (5, 10):
        assert f"{photograph}: cannot be read as a picture" in walk[step]["errors"][0]
    assert all(not walk[step]["errors"] for step in (1, 2, 6, 8))
    assert [each["state"]["number"] for each in walk] == [0, 1, 1, 2, 2, 3, 3, 2, 1, 2, 3]
    assert [each["loaded"] for each in walk] == [False, True, True] + [False] * 5 + [True, False, False]
    assert walk[9]["state"]["exported"] == 1
    assert answer["counts"] == answer["before"] | {"scenes": answer["before"]["scenes"] + 1}  # nothing half-loaded


def test_wrong_folders_are_one_sentence(run, tree, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    for where, out, words in (
        ("", "", "Samples: is not set"),
        (tmp_path / "nowhere", "", "is not a folder"),
        (tmp_path / "empty", "", "holds no sample"),
        (tree, tree / "exports", "lies in the tree of samples"),
    ):
        answer = run("broken", tree=where, out=out, presses=[("load", "")])
        assert words in answer["walk"][0]["errors"][0]
        assert "Traceback" not in answer["walk"][0]["errors"][0]


def test_exports_are_shown_again_and_those_of_others_kept(run, tree, tmp_path) -> None:
    answer = run("again", tree=tree, record=tmp_path / "tree_blender/ball/hold_0/object_pose.json")
    assert answer["errors"] == []
    for key in ("rotation", "translation", "scale", "pivot"):
        np.testing.assert_allclose(answer["second"][key], answer["first"][key], atol=1e-6)
    assert answer["first"]["scale"] == pytest.approx(1.1)
    assert answer["unsaved"] == [True, False, False]
    assert "was exported by somebody at" in answer["refusal"][0]
    assert answer["kept"]
    assert answer["taken"] == [2, 2, 2]
    assert answer["damaged"] == [1, 1, 1]  # a damaged record is no reason not to show the sample


def test_undo_goes_back_to_the_sample_before(run, tree, tmp_path) -> None:
    answer = run("undone", tree=tree, record=tmp_path / "tree_blender/ball/hold_0/object_pose.json")
    assert (answer["there"], answer["here"]) == ("ball/hold_1", "ball/hold_0")
    assert answer["errors"] == []
    np.testing.assert_allclose(answer["record"]["translation"], [0.2, 0, 0], atol=1e-6)
    assert not (tmp_path / "tree_blender/ball/hold_1").exists()


def test_the_panel_shows_the_papers_buttons_and_where_one_is(run, tree) -> None:
    answer = run("panel", tree=tree)
    assert answer["errors"] == []
    buttons = ["Load Meshes", "Export Object Pose and Location", "Save Delete and Load Next"]
    for drawn in (answer["empty"], answer["full"]):
        assert [each for each in drawn if each in buttons] == buttons
        assert "Next unfinished" in drawn
    assert "1 of 3: ball/hold_0" in answer["full"]
    assert "1 exported, this one too" in answer["full"]
