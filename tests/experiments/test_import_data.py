"""The program that imports: a built-in scene in BEHAVE's layout becomes a sample that the checker finds sound."""

import json
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from scipy.spatial.transform import Rotation

from hoijax.data.read import load_sample
from hoijax.data.sample import Sample
from hoijax.data.synthetic import synthetic_sample

ROOT = Path(__file__).resolve().parent.parent.parent
TURN = Rotation.from_euler("xyz", [20, -70, 10], degrees=True).as_matrix()  # Kinect 1 as Kinect 0 sees it
MOVE = np.array([1.5, -0.4, 2.0])
FIRST = "Date01_Sub01_chairwood_sit"


def run(program: str, *arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / f"experiments/{program}.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)


def in_first(verts: np.ndarray, sample: Sample) -> np.ndarray:
    """Stored vertices in Kinect 1's frame: x_0 = R x_1 + t."""
    return (verts + np.asarray(sample.pose.translation) - MOVE) @ TURN


def write_behave(sample: Sample, root: Path) -> Path:
    """The scene as Kinect 0 of two frames. Returns the folder of frames."""
    sequence = root / "sequences" / FIRST
    for number in range(2):
        frame = sequence / f"t000{number}.000"
        for folder in ("person/fit02", "chairwood/fit01"):
            (frame / folder).mkdir(parents=True)
        Image.fromarray(sample.image).save(frame / "k0.color.jpg", quality=98, subsampling=0)
        for name, mask in (("person_mask", sample.human_mask), ("obj_rend_mask", sample.object_mask)):
            Image.fromarray(mask.astype(np.uint8) * 255).save(frame / f"k0.{name}.jpg", quality=95)
        assert sample.depth is not None
        Image.fromarray(np.round(1000 * sample.depth).astype(np.uint16)).save(frame / "k0.depth.png")
        assert sample.truth is not None
        for mesh, name in ((sample.human, "person/fit02/person"), (sample.truth, "chairwood/fit01/chairwood")):
            shape = trimesh.Trimesh(in_first(mesh.verts, sample), mesh.faces, process=False)
            shape.export(frame / f"{name}_fit.ply")
        (frame / "person/fit02/person_fit.pkl").write_bytes(pickle.dumps({"pose": np.zeros(156)}))
    (fx, fy), (cx, cy) = np.asarray(sample.camera.focal).tolist(), np.asarray(sample.camera.center).tolist()
    lens = root / "calibs/intrinsics/0/calibration.json"
    pose = root / "calibs/Date01/config/0/config.json"
    opencv = [fx, fy, cx - 0.5, cy - 0.5, *[0.0] * 8]
    color = {"fx": fx, "fy": fy, "cx": cx - 0.5, "cy": cy - 0.5, "opencv": opencv}
    for path, content in (
        (lens, {"color": color}),
        (pose, {"rotation": TURN.T.ravel().tolist(), "translation": (-TURN.T @ MOVE).tolist()}),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content))
    return sequence


@pytest.mark.slow
def test_import_check_and_go_on(tmp_path: Path) -> None:
    scene = synthetic_sample("chair")
    sequence = write_behave(scene, tmp_path / "BEHAVE")
    out = tmp_path / "out"
    arguments = ("--format=behave", f"--data={tmp_path / 'BEHAVE'}", f"--out={out}", "--view=0")
    broken = sequence / "t0001.000" / "person/fit02/person_fit.pkl"
    sound = broken.read_bytes()
    broken.write_bytes(b"no pickle")
    done = run("import_data", *arguments)
    assert done.returncode == 1
    assert f"1 imported, 0 there before, 1 set aside: {out}" in done.stdout
    assert "person_fit.pkl: is not read" in done.stderr
    place = f"chairwood/{FIRST}_t0001.000_k0"
    assert "person_fit.pkl: is not read" in json.loads((out / "set_aside.json").read_text())[place]
    assert not (out / place).exists()
    broken.write_bytes(sound)
    done = run("import_data", *arguments)
    assert done.returncode == 0, done.stderr
    assert f"1 imported, 1 there before, 0 set aside: {out}" in done.stdout
    assert not (out / "set_aside.json").exists()
    imported = load_sample(out / place)
    for mesh, original in ((imported.human, scene.human), (imported.object, scene.truth)):
        assert original is not None
        found = mesh.verts + np.asarray(imported.pose.translation)
        np.testing.assert_allclose(found, original.verts + np.asarray(scene.pose.translation), atol=2e-4)
    assert (imported.human_mask == scene.human_mask).mean() > 0.995
    assert imported.depth is not None
    assert scene.depth is not None
    np.testing.assert_allclose(imported.depth, scene.depth, atol=6e-4)
    checked = run("check_data", f"--data={out}")
    assert checked.returncode == 0, checked.stdout
    assert "2 samples checked" in checked.stdout
    assert "projection" not in checked.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format=bop", "--data=/nowhere", "--out=x"), "/nowhere: no such file or folder"),
        (("--format=bop", "--data=docs", "--out=x"), "docs: nothing to import"),
        (("--format=bop", "--data=docs", "--out=x", "--view=2"), "--view is for behave and intercap"),
        (("--format=behave", "--data=docs", "--out=x", "--view=7"), "docs: has no view 7"),
        (("--format=bop", "--data=docs", "--out=x", "--humans=/nowhere"), "--humans=/nowhere: no such folder"),
        (("--format=behave", "--data=docs", "--out=x", "--humans=docs"), "--humans is for contho and bop"),
        (("--format=intercap", "--data=docs", "--out=x", "--humans=docs"), "--humans is for contho and bop"),
        (("--format=contho", "--data=docs", "--out=x", "--calibration=auto"), "--calibration is for intercap"),
    ],
)
def test_misuse_is_told(arguments: tuple[str, ...], message: str) -> None:
    done = run("import_data", *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def empty_frames(root: Path, count: int = 1) -> list[Path]:
    """Frames of Kinect 1 whose pictures and calibrations are no files: each is set aside. Returns their folders."""
    frames = [root / "sequences" / FIRST / f"t{number:04d}.000" for number in range(count)]
    for frame in frames:
        frame.mkdir(parents=True)
        (frame / "k1.color.jpg").touch()
    return frames


def aside(out: Path) -> dict[str, str]:
    return json.loads((out / "set_aside.json").read_text())


@pytest.mark.parametrize(
    ("layout", "folder", "part", "place"),
    [
        ("behave", f"sequences/{FIRST}", ".", f"chairwood/{FIRST}_t0000.000_k1"),
        ("intercap", "RGBD_Images", ".", "chair/05_07_Seg_0_Cam1_f00002"),
        ("intercap", "RGBD_Images/05/07", "Seg_0", "chair/05_07_Seg_0_Cam1_f00002"),
        ("bop", "test/000012", ".", "obj_000005/test_000012_000004_g0"),
    ],
)
def test_a_part_named_from_where_one_stands_is_the_same_frames(
    tmp_path: Path, layout: str, folder: str, part: str, place: str
) -> None:
    if layout == "behave":
        empty_frames(tmp_path)
    picture = tmp_path / "RGBD_Images/05/07/Seg_0/Frames_Cam1/color/00002.jpg"
    notes = tmp_path / "test/000012/scene_gt.json"
    for path, content in ((picture, ""), (notes, json.dumps({"4": [{"obj_id": 5}]}))):
        path.parent.mkdir(parents=True)
        path.write_text(content)
    out = tmp_path / "out"
    done = run("import_data", f"--format={layout}", f"--data={part}", f"--out={out}", folder=tmp_path / folder)
    assert "Traceback" not in done.stderr
    assert list(aside(out)) == [place]
    assert str(tmp_path) in aside(out)[place]  # what lies beside the part was looked for where it is


def test_runs_keep_what_others_set_aside(tmp_path: Path) -> None:
    """Another view's frame stays until it is there; a record that is none is told before anything is read."""
    empty_frames(tmp_path)
    out = tmp_path / "out"
    arguments = ("--format=behave", f"--data={tmp_path}", f"--out={out}")
    (out / "chairwood/imported").mkdir(parents=True)
    place, other = f"chairwood/{FIRST}_t0000.000_k1", "chairwood/another_k0"
    before = {other: "k0: broken", "chairwood/imported": "was broken", place: "was broken otherwise"}
    (out / "set_aside.json").write_text(json.dumps(before))
    done = run("import_data", *arguments)
    assert "0 imported, 0 there before, 1 set aside" in done.stdout
    assert set(aside(out)) == {other, place}
    assert aside(out)[other] == "k0: broken"
    assert "Date01/config/1/config.json: " in aside(out)[place]
    (out / "set_aside.json").write_text("[]")
    done = run("import_data", *arguments)
    assert done.returncode == 1
    assert done.stderr.strip() == f"{out / 'set_aside.json'}: holds a list, expected a dictionary"
    assert (out / "set_aside.json").read_text() == "[]"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupted_run_writes_what_it_set_aside(tmp_path: Path) -> None:
    """Nobody reads on after the first lines, so the program waits in the midst of its frames: a pipe holds few of them."""
    count = 2000
    empty_frames(tmp_path, count)
    arguments = ("--format=behave", f"--data={tmp_path}", f"--out={tmp_path / 'out'}")
    command = [sys.executable, "experiments/import_data.py", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as program:
        try:
            assert program.stderr is not None
            while "set aside" not in (line := program.stderr.readline()):
                assert line, "the program ended without a frame"
            program.send_signal(signal.SIGINT)
            program.communicate(timeout=60)
        finally:
            program.kill()
    assert program.returncode != 0
    assert f"chairwood/{FIRST}_t0000.000_k1" in aside(tmp_path / "out")
    assert len(aside(tmp_path / "out")) < count
