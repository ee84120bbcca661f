"""BEHAVE's layout: frames, calibrations, registrations, and what is said of broken ones."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoijax.data.importers.behave import find_behave, load_behave
from hoijax.data.importers.options import Found, ImportOptions
from hoijax.data.sample import Sample, SampleError

VIEW = ImportOptions(view=2)
SEQUENCE = "Date03_Sub04_chairwood_sit_down"
Write = Callable[[Path], Path]
Lands = Callable[[Sample, Any], None]


def written(files: SimpleNamespace, world: Any, root: Path) -> Path:
    """One frame of the published layout; COCO's name for the object's folder, as the data set has it. Returns its folder."""
    sequence = root / "sequences" / SEQUENCE
    frame = sequence / "t0005.000"
    files.shots(
        files.shot(world),
        frame / "k2.color.jpg",
        frame / "k2.person_mask.jpg",
        frame / "k2.obj_rend_mask.jpg",
        frame / "k2.depth.png",
    )
    files.ply(world.human, frame / "person/fit02/person_fit.ply")
    files.ply(world.object, frame / "chair/fit01/chair_fit.ply")
    pose = np.linspace(-0.6, 0.6, 156)
    fit = {"pose": pose, "betas": np.zeros(10), "trans": np.zeros(3)}
    (frame / "person/fit02/person_fit.pkl").write_bytes(pickle.dumps(fit))
    mean = np.asarray(world.template.vertices).mean(0)
    turn = Rotation.from_rotvec(world.object_rotvec)
    fit = {"angle": world.object_rotvec, "trans": world.object_translation + turn.apply(mean)}
    (frame / "chair/fit01/chair_fit.pkl").write_bytes(pickle.dumps(fit))
    files.ply(world.template, root / "objects/chairwood/chairwood_f2500.ply")
    k = files.K
    color = {"fx": k[0, 0], "fy": k[1, 1], "cx": k[0, 2], "cy": k[1, 2]}
    color["opencv"] = [k[0, 0], k[1, 1], k[0, 2], k[1, 2], *files.LENS]
    files.json(root / "calibs/intrinsics/2/calibration.json", {"color": color, "depth": {}})
    back = world.camera_rotation.T
    config = {"rotation": back.ravel().tolist(), "translation": (-back @ world.camera_translation).tolist()}
    files.json(root / "calibs/Date03/config/2/config.json", config)
    info = {"cat": "chairwood", "config": "../../calibs/Date03/config", "intrinsic": "../../calibs/intrinsics"}
    files.json(sequence / "info.json", {**info, "gender": "male", "empty": None, "kinects": [0, 1, 2, 3], "beta": None})
    return frame


@pytest.fixture
def write_frame(files: SimpleNamespace, world: Any) -> Callable[[Path], Path]:
    return lambda root: written(files, world, root)


def only(root: Path) -> Found:
    (found,) = find_behave(root, VIEW)
    return found


def test_everything_lands_where_the_camera_saw_it(
    write_frame: Write, world: Any, tmp_path: Path, lands: Lands, depth_error: Any
) -> None:
    frame = write_frame(tmp_path)
    found = only(tmp_path)
    assert found == Found(Path("chairwood") / f"{SEQUENCE}_t0005.000_k2", frame)
    sample = load_behave(found, VIEW)
    lands(sample, world)
    assert depth_error(sample, world) < 1e-3
    assert (sample.category, sample.action) == ("chairwood", "sit down")
    assert sample.warnings == ()


def test_pose_is_turned_into_the_cameras_frame(write_frame: Write, world: Any, tmp_path: Path) -> None:
    write_frame(tmp_path)
    pose = load_behave(only(tmp_path), VIEW).pose
    joints = np.linspace(-0.6, 0.6, 156).reshape(52, 3)
    root = world.camera_rotation @ Rotation.from_rotvec(joints[0]).as_matrix()
    np.testing.assert_allclose(Rotation.from_rotvec(np.asarray(pose.root)).as_matrix(), root, atol=1e-6)
    np.testing.assert_allclose(np.asarray(pose.body), joints[1:22], atol=1e-6)
    np.testing.assert_allclose(np.asarray(pose.left_hand), joints[22:37], atol=1e-6)
    np.testing.assert_allclose(np.asarray(pose.right_hand), joints[37:], atol=1e-6)


@pytest.mark.parametrize("own", [False, True])
def test_template_in_its_pose_stands_where_the_mesh_does(
    write_frame: Write, world: Any, tmp_path: Path, lands: Lands, own: bool
) -> None:
    """Without the registered mesh, or where the user names templates."""
    frame = write_frame(tmp_path)
    options = VIEW
    if own:
        options = ImportOptions(view=2, objects=tmp_path / "mine")
        (tmp_path / "objects").rename(tmp_path / "mine")
    else:
        (frame / "chair/fit01/chair_fit.ply").unlink()
    lands(load_behave(only(tmp_path), options), world)


def test_a_sequence_without_info_is_read_by_its_name(
    write_frame: Write, world: Any, tmp_path: Path, lands: Lands
) -> None:
    (write_frame(tmp_path).parent / "info.json").unlink()
    sample = load_behave(only(tmp_path), VIEW)
    lands(sample, world)
    assert sample.category == "chairwood"


def test_another_registration_is_taken_and_said(write_frame: Write, world: Any, tmp_path: Path) -> None:
    frame = write_frame(tmp_path)
    (frame / "person/fit02").rename(frame / "person/fit03")
    assert load_behave(only(tmp_path), VIEW).warnings == (
        "fit03: taken as the registration of person: there is no fit02",
    )


def test_missing_masks_can_be_rendered(write_frame: Write, world: Any, tmp_path: Path) -> None:
    frame = write_frame(tmp_path)
    whole = load_behave(only(tmp_path), VIEW)
    (frame / "k2.obj_rend_mask.jpg").unlink()
    with pytest.raises(SampleError, match=r"t0005\.000: has no mask of the object; with --masks=render"):
        load_behave(only(tmp_path), VIEW)
    (frame / "k2.person_mask.jpg").unlink()
    drawn = load_behave(only(tmp_path), ImportOptions(view=2, masks="render"))
    seen, silhouettes = drawn.human_mask | drawn.object_mask, whole.human_mask | whole.object_mask
    assert (seen & silhouettes).sum() / (seen | silhouettes).sum() > 0.95
    assert not (drawn.human_mask & drawn.object_mask).any()
    assert (drawn.object_mask & whole.object_mask).sum() > 0.95 * drawn.object_mask.sum()
    assert "the object's mask is what is visible of its mesh: there is no file" in drawn.warnings


class Attack:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.mkdir, (self.path,)


def test_a_pickle_that_would_run_code_is_refused(write_frame: Write, world: Any, tmp_path: Path) -> None:
    path = write_frame(tmp_path) / "person/fit02/person_fit.pkl"
    path.write_bytes(pickle.dumps({"pose": Attack(tmp_path / "made")}))
    with pytest.raises(SampleError, match=r"person_fit\.pkl: is not read: its pickle names .*mkdir|pathlib"):
        load_behave(only(tmp_path), VIEW)
    assert not (tmp_path / "made").exists()


def broken_json(path: Path, *keys: str, value: object) -> None:
    content = json.loads(path.read_text())
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda root, f: (f / "person/fit02/person_fit.ply").unlink(), r"fit02: has no person_fit\.ply"),
        (
            lambda root, f: (f / "person/fit02/person_fit.ply").write_bytes(b"ply\nnothing"),
            r"cannot be read as a mesh",
        ),
        (lambda root, f: (f / "person/fit02/person_fit.pkl").write_bytes(b"\x80"), r"person_fit\.pkl: is not read"),
        (
            lambda root, f: (f / "person/fit02/person_fit.pkl").write_bytes(pickle.dumps({"pose": np.zeros(99)})),
            r"person_fit\.pkl: pose has shape \(99,\), expected 156 numbers",
        ),
        (
            lambda root, f: broken_json(root / "calibs/Date03/config/2/config.json", "rotation", value=[2.0] * 9),
            r"config\.json: rotation is no rotation",
        ),
        (
            lambda root, f: broken_json(root / "calibs/Date03/config/2/config.json", "translation", value=[0, 0, 99]),
            r"person_fit\.ply: 162 of 162 vertices lie behind the camera",
        ),
        (
            lambda root, f: broken_json(root / "calibs/intrinsics/2/calibration.json", "color", "fx", value="wide"),
            r"calibration\.json: color: fx fy cx cy is",
        ),
        (
            lambda root, f: (root / "calibs/intrinsics/2/calibration.json").unlink(),
            r"calibration\.json: cannot be read",
        ),
        (lambda root, f: broken_json(f.parent / "info.json", "config", value=None), r"info\.json: has no config"),
        (lambda root, f: (f / "chair").rename(f.parent / "gone"), r"has no folder of the object chairwood"),
        (lambda root, f: (f / "k2.color.jpg").write_bytes(b"\xff\xd8\xff"), r"k2\.color\.jpg: cannot be decoded"),
    ],
)
def test_a_broken_frame_is_named(
    write_frame: Write, world: Any, tmp_path: Path, break_it: Callable[[Path, Path], None], message: str
) -> None:
    frame = write_frame(tmp_path)
    break_it(tmp_path, frame)
    with pytest.raises(SampleError, match=message):
        load_behave(only(tmp_path), VIEW)


def test_a_scale_is_refused(write_frame: Write, world: Any, tmp_path: Path) -> None:
    """Nobody says what it acts on."""
    frame = write_frame(tmp_path)
    (frame / "chair/fit01/chair_fit.ply").unlink()
    path = frame / "chair/fit01/chair_fit.pkl"
    path.write_bytes(pickle.dumps({"angle": np.zeros(3), "trans": np.zeros(3), "scale": 1.2}))
    with pytest.raises(SampleError, match=r"chair_fit\.pkl: has a scale of 1\.2"):
        load_behave(only(tmp_path), VIEW)


def test_views_that_there_are_not(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="has no view 4"):
        find_behave(tmp_path, ImportOptions(view=4))
    assert find_behave(tmp_path, ImportOptions(view=0)) == []


@pytest.mark.parametrize("model", [3.5, {}, [1, 2], [1.0, 1.0, 0.0, 0.0, [2.0], [1, 2], 0.0, 0.0]])
def test_a_lens_that_is_none_is_refused(write_frame: Write, tmp_path: Path, model: object) -> None:
    write_frame(tmp_path)
    broken_json(tmp_path / "calibs/intrinsics/2/calibration.json", "color", "opencv", value=model)
    if model == [1, 2]:  # no coefficients: a pinhole
        assert load_behave(only(tmp_path), VIEW).image.any()
        return
    with pytest.raises(SampleError, match=r"calibration\.json: "):
        load_behave(only(tmp_path), VIEW)


def test_a_path_without_the_sequence_is_refused(
    write_frame: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_frame(tmp_path).parent)
    with pytest.raises(SampleError, match=r"k2\.color\.jpg: is too short a path, expected <sequence>/<frame>"):
        find_behave(Path("."), VIEW)
