"""InterCap's layout: calibrations, tracks of both kinds, meshes and templates."""

import pickle
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoijax.data.importers.intercap import assigned_calibration, find_intercap, frame_of, load_intercap
from hoijax.data.importers.options import Found, ImportOptions
from hoijax.data.sample import Sample, SampleError

VIEW = ImportOptions(view=3)
FRAMES, FRAME = 4, 2
Write = Callable[..., Path]
Lands = Callable[[Sample, Any], None]


def tracks(world: Any, kind: str) -> Any:
    """What res.pkl holds: a row per frame and a flat body_pose, or a dictionary per frame."""
    rng = np.random.default_rng(0)
    sizes = {"global_orient": 3, "transl": 3, "betas": 10, "left_hand_pose": 12, "right_hand_pose": 12, "jaw_pose": 3}
    rows = {key: rng.normal(0, 0.3, (FRAMES, size)) for key, size in sizes.items()}
    rows["body_pose"] = rng.normal(0, 0.3, (FRAMES, 63))
    rows["ob_pose"] = np.tile(world.object_rotvec, (FRAMES, 1)) * np.linspace(0, 2, FRAMES)[:, None]
    rows["ob_pose"][FRAME] = world.object_rotvec
    rows["ob_trans"] = np.tile(world.object_translation, (FRAMES, 1))
    if kind == "dictionaries":
        return [{key: row[i : i + 1] for key, row in rows.items()} for i in range(FRAMES)]
    return {**rows, "body_pose": rows["body_pose"].reshape(-1), "ob_pose": list(rows["ob_pose"])}


@pytest.fixture
def write(files: SimpleNamespace, world: Any, tmp_path: Path) -> Write:
    def write(kind: str = "rows", masks: bool = True, object_mesh: bool = True) -> Path:
        view = tmp_path / "RGBD_Images/05/07/Seg_0/Frames_Cam3"
        paths = view / "mask/00002_human.png", view / "mask/00002_object.png"
        files.shots(
            files.shot(world), view / "color/00002.jpg", *(paths if masks else (None, None)), view / "depth/00002.png"
        )
        result = tmp_path / "Res/05/07/Seg_0"
        files.ply(world.human, result / "Mesh/00002_second.ply")
        if object_mesh:
            files.ply(world.object, result / "Mesh/00002_second_obj.ply")
        files.ply(world.template, tmp_path / "objs/07.ply")
        (result / "res.pkl").write_bytes(pickle.dumps(tracks(world, kind), protocol=2))
        turn = Rotation.from_matrix(world.camera_rotation).as_rotvec().tolist()
        for name, move in (("third", world.camera_translation), ("first", np.zeros(3))):
            calibration = {
                "c": files.K[:2, 2].tolist(),
                "f": files.K[[0, 1], [0, 1]].tolist(),
                "k": files.LENS.tolist(),
            }
            calibration |= {"camera_mtx": files.K.tolist(), "R": turn, "T": move.tolist()}
            files.json(tmp_path / f"Data/calibration_{name}/Color_3.json", calibration)
        return view

    return write


def only(root: Path) -> Found:
    (found,) = find_intercap(root, VIEW)
    return found


@pytest.mark.parametrize("kind", ["rows", "dictionaries"])
@pytest.mark.parametrize("object_mesh", [True, False])
def test_everything_lands_where_the_camera_saw_it(
    write: Write, world: Any, tmp_path: Path, lands: Lands, depth_error: Any, kind: str, object_mesh: bool
) -> None:
    view = write(kind, object_mesh=object_mesh)
    found = only(tmp_path)
    assert found == Found(Path("chair/05_07_Seg_0_Cam3_f00002"), view / "color/00002.jpg")
    sample = load_intercap(found, VIEW)
    lands(sample, world)
    assert depth_error(sample, world) < 1e-3
    assert sample.category == "chair"
    assert sample.warnings == tuple(
        f"res.pkl: {side}_hand_pose has 12 numbers, coefficients of a hand space: fingers are left straight"
        for side in ("left", "right")
    )


def test_the_users_template_stands_for_the_frames_mesh(write: Write, world: Any, tmp_path: Path, lands: Lands) -> None:
    """The frame's own mesh lies elsewhere here."""
    write()
    (tmp_path / "objs").rename(tmp_path / "mine")
    path = tmp_path / "Res/05/07/Seg_0/Mesh/00002_second_obj.ply"
    path.write_bytes((path.parent / "00002_second.ply").read_bytes())
    lands(load_intercap(only(tmp_path), ImportOptions(view=3, objects=tmp_path / "mine")), world)
    (tmp_path / "mine/07.ply").unlink()
    with pytest.raises(SampleError, match=r"mine: has no 07\.ply or 07\.obj"):
        load_intercap(only(tmp_path), ImportOptions(view=3, objects=tmp_path / "mine"))


@pytest.mark.parametrize("kind", ["rows", "dictionaries"])
def test_pose_is_the_frames_own_turned_into_the_camera(write: Write, world: Any, tmp_path: Path, kind: str) -> None:
    write(kind)
    pose = load_intercap(only(tmp_path), VIEW).pose
    expected = tracks(world, "dictionaries")[FRAME]
    root = world.camera_rotation @ Rotation.from_rotvec(expected["global_orient"][0]).as_matrix()
    np.testing.assert_allclose(Rotation.from_rotvec(np.asarray(pose.root)).as_matrix(), root, atol=1e-6)
    np.testing.assert_allclose(np.asarray(pose.body).ravel(), expected["body_pose"][0], atol=1e-6)
    np.testing.assert_allclose(np.asarray(pose.shape), expected["betas"][0], atol=1e-6)
    np.testing.assert_allclose(np.asarray(pose.jaw), expected["jaw_pose"][0], atol=1e-6)


def test_masks_are_rendered_where_there_are_none(write: Write, world: Any, tmp_path: Path, lands: Lands) -> None:
    write(masks=False)
    with pytest.raises(SampleError, match="has no mask of the human; with --masks=render"):
        load_intercap(only(tmp_path), VIEW)
    sample = load_intercap(only(tmp_path), ImportOptions(view=3, masks="render"))
    lands(sample, world)
    assert sample.human_mask.any()
    assert sample.object_mask.any()


def test_calibration_is_that_of_the_recording(write: Write, world: Any, tmp_path: Path) -> None:
    """The first set has another translation here."""
    write()
    right = load_intercap(only(tmp_path), VIEW)
    wrong = load_intercap(only(tmp_path), ImportOptions(view=3, calibration="first"))
    moved = np.asarray(right.pose.translation) - np.asarray(wrong.pose.translation)
    np.testing.assert_allclose(moved, world.camera_translation, atol=1e-5)


def test_recordings_and_their_calibrations(tmp_path: Path) -> None:
    known = {("01", "01"): "first", ("03", "07"): "first", ("04", "04"): "first", ("01", "08"): "second"}
    known |= {("09", "01"): "second", ("06", "10"): "second", ("03", "09"): "third", ("07", "07"): "third"}
    for (subject, thing), name in known.items():
        assert assigned_calibration(tmp_path, subject, thing) == name
    with pytest.raises(SampleError, match=r"no calibration for 04/06: name one with --calibration"):
        assigned_calibration(tmp_path, "04", "06")


def test_frames_beyond_the_track_are_refused(world: Any) -> None:
    for kind in ("rows", "dictionaries"):
        with pytest.raises(SampleError, match=r"res\.pkl: holds 4 frames, expected one of number 4"):
            frame_of(Path("res.pkl"), tracks(world, kind), 4)
    shared = {**tracks(world, "rows"), "betas": np.arange(10.0)}
    np.testing.assert_array_equal(frame_of(Path("res.pkl"), shared, 1)["betas"], np.arange(10.0))


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("Res/05/07/Seg_0/res.pkl", r"Seg_0: has no res\.pkl or res_2\.pkl or res_1\.pkl"),
        ("Res/05/07/Seg_0/Mesh/00002_second.ply", r"Mesh: has no 00002_second\.ply or 00002_second\.obj"),
        ("Data/calibration_third/Color_3.json", r"has no Data/calibration_third/Color_3\.json"),
    ],
)
def test_missing_files_are_named(write: Write, tmp_path: Path, gone: str, message: str) -> None:
    write()
    (tmp_path / gone).unlink()
    with pytest.raises(SampleError, match=message):
        load_intercap(only(tmp_path), VIEW)


def test_views_that_there_are_not(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="has no view 0"):
        find_intercap(tmp_path, ImportOptions(view=0))


@pytest.mark.parametrize("value", [None, [[1, 2], [3]], 5, "pose", []])
def test_a_track_without_poses_is_refused(write: Write, world: Any, tmp_path: Path, value: object) -> None:
    write()
    path = tmp_path / "Res/05/07/Seg_0/res.pkl"
    path.write_bytes(pickle.dumps({**tracks(world, "rows"), "body_pose": value}))
    with pytest.raises(SampleError, match=r"res\.pkl: "):
        load_intercap(only(tmp_path), VIEW)


@pytest.mark.parametrize("inside", ["RGBD_Images", "RGBD_Images/05", "RGBD_Images/05/07/Seg_0"])
def test_paths_without_the_recording_are_refused(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    write()
    monkeypatch.chdir(tmp_path / inside)
    with pytest.raises(SampleError, match=r"00002\.jpg: is too short a path, expected RGBD_Images/<subject>"):
        find_intercap(Path("."), VIEW)
    picture = next(Path(".").rglob("*.jpg"))
    with pytest.raises(SampleError, match=r"00002\.jpg: is too short a path"):
        load_intercap(Found(Path("chair/one"), picture), VIEW)
