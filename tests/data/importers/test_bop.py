"""BOP's layout, with a person that the user brings."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoijax.body.smplx import zero_pose
from hoijax.data.importers.bop import find_bop, load_bop
from hoijax.data.importers.options import ImportOptions
from hoijax.data.objfile import save_mesh
from hoijax.data.sample import ColoredMesh, Sample, SampleError
from hoijax.data.write import parameters
from hoijax.types import Camera

OFFSET = np.array([0.3, -0.2, 2.5], np.float32)
Write = Callable[[], Path]
Lands = Callable[[Sample, Any], None]


@pytest.fixture
def write(files: SimpleNamespace, world: Any, tmp_path: Path) -> Write:
    """Picture 4 of scene 12, its second object, model 5 in millimetres; depth in tenths of a millimetre."""

    def write() -> Path:
        scene = tmp_path / "ycbv/test/000012"
        taken = files.shot(world, files.NO_LENS)
        files.shots(
            taken._replace(depth=taken.depth * 10),
            scene / "rgb/000004.png",
            tmp_path / "people/000012/000004/person_mask.png",
            scene / "mask_visib/000004_000001.png",
            scene / "depth/000004.png",
        )
        files.ply(world.template, tmp_path / "ycbv/models/obj_000005.ply", 1000.0)
        turn = world.camera_rotation @ rotation(world)
        move = 1000 * (world.camera_rotation @ world.object_translation + world.camera_translation)
        other = {"obj_id": 2, "cam_R_m2c": np.eye(3).ravel().tolist(), "cam_t_m2c": [0, 0, 900]}
        note = {"obj_id": 5, "cam_R_m2c": turn.ravel().tolist(), "cam_t_m2c": move.tolist()}
        files.json(scene / "scene_gt.json", {"4": [other, note]})
        files.json(scene / "scene_camera.json", {"4": {"cam_K": files.K.ravel().tolist(), "depth_scale": 0.1}})
        write_person(tmp_path / "people/000012/000004", world)
        return scene

    return write


def rotation(world: Any) -> np.ndarray:
    return Rotation.from_rotvec(world.object_rotvec).as_matrix()


def write_person(folder: Path, world: Any) -> None:
    """A sample's files of a person; the camera there is another one, which must not count."""
    pose = zero_pose()._replace(translation=OFFSET)
    camera = Camera(np.ones(2), np.ones(2))
    (folder / "smplx_parameters.json").write_text(json.dumps(parameters(pose, camera)))
    verts = world.in_camera(world.human) - OFFSET
    save_mesh(folder / "h_mesh.obj", ColoredMesh(verts, np.asarray(world.human.faces), np.full_like(verts, 0.5)))


def load(root: Path, **options: Any) -> Sample:
    given = ImportOptions(humans=root / "people", **options)
    return load_bop(find_bop(root, given)[-1], given)


def test_everything_lands_where_the_camera_saw_it(
    write: Write, world: Any, tmp_path: Path, lands: Lands, depth_error: Any
) -> None:
    write()
    places = [found.place.as_posix() for found in find_bop(tmp_path, ImportOptions())]
    assert places == ["obj_000002/test_000012_000004_g0", "obj_000005/test_000012_000004_g1"]
    sample = load(tmp_path)
    lands(sample, world)
    assert depth_error(sample, world) < 1e-3
    assert sample.warnings == ()


def test_models_of_the_users(write: Write, world: Any, tmp_path: Path, lands: Lands) -> None:
    write()
    (tmp_path / "ycbv/models").rename(tmp_path / "own")
    with pytest.raises(SampleError, match=r"scene_gt\.json: names the object 5: no obj_000005\.ply in a folder models"):
        load(tmp_path)
    lands(load(tmp_path, objects=tmp_path / "own"), world)


def test_people_are_asked_for(write: Write, tmp_path: Path) -> None:
    write()
    found = find_bop(tmp_path, ImportOptions())[-1]
    with pytest.raises(SampleError, match=r"BOP has no people: name a folder of yours with --humans, <scene>/000004/"):
        load_bop(found, ImportOptions())
    with pytest.raises(SampleError, match=r"000012/000004: is not there"):
        load_bop(found, ImportOptions(humans=tmp_path / "nobody"))


def edit(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "scene_camera.json",
            lambda c: c["4"].pop("cam_K"),
            r"scene_camera\.json: cam_K is nothing, expected 9 numbers",
        ),
        ("scene_camera.json", lambda c: c.pop("4"), r"scene_camera\.json: holds a NoneType, expected a dictionary"),
        ("scene_gt.json", lambda c: c["4"][1].update(cam_R_m2c=[0.0] * 9), r"scene_gt\.json: cam_R_m2c is no rotation"),
        (
            "scene_gt.json",
            lambda c: c["4"][1].update(cam_t_m2c=[0.0, 0.0, -900.0]),
            r"obj_000005\.ply: .* lie behind the camera",
        ),
        ("scene_gt.json", lambda c: c["4"][1].update(obj_id="can"), r"scene_gt\.json: has an obj_id 'can'"),
        ("scene_gt.json", lambda c: c.update(four=[]), r"scene_gt\.json: has an entry 'four'"),
    ],
)
def test_what_is_wrong_is_named(
    write: Write, tmp_path: Path, name: str, change: Callable[[Any], None], message: str
) -> None:
    edit(write() / name, change)
    with pytest.raises(SampleError, match=message):
        load(tmp_path)


@pytest.mark.parametrize("inside", ["..", "."])
def test_a_path_without_the_split_is_refused(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    monkeypatch.chdir(write() / inside)
    with pytest.raises(SampleError, match=r"scene_gt\.json: is too short a path, expected <split>/<scene>"):
        find_bop(Path("."), ImportOptions())
