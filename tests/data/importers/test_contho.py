"""CONTHO's annotation files over BEHAVE's and InterCap's pictures."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoijax.data.importers.contho import find_contho, load_contho
from hoijax.data.importers.options import ImportOptions
from hoijax.data.sample import Sample, SampleError

PICTURES = {
    "behave": "Date03_Sub03_backpack_back/t0003.000/k1.color.jpg",
    "intercap": "01/02/Seg_1/Frames_Cam2/color/00012.jpg",
}
OPTIONS = ImportOptions()
Write = Callable[..., Path]
Lands = Callable[[Sample, Any], None]


def annotated(files: SimpleNamespace, world: Any, name: str, extrinsic: bool) -> dict[str, Any]:
    """Two images of which the second is the annotated one. Without extrinsics all poses are in the camera's frame."""
    height, width = files.SIZE
    camera = {"focal": files.K[[0, 1], [0, 1]].tolist(), "princpt": files.K[:2, 2].tolist()}
    turn = Rotation.from_rotvec(world.object_rotvec)
    rotvec, translation = world.object_rotvec, world.object_translation
    if extrinsic:
        camera |= {"R": world.camera_rotation.tolist(), "t": world.camera_translation.tolist()}
    else:
        rotvec = (Rotation.from_matrix(world.camera_rotation) * turn).as_rotvec()
        translation = world.camera_rotation @ translation + world.camera_translation
    pelvis = world.in_camera(world.human).mean(0)
    return {
        "images": [
            {"id": 4, "file_name": "other.jpg", "height": 1, "width": 1, "cam_param": {}},
            {"id": 7, "file_name": name, "height": height, "width": width, "cam_param": camera},
        ],
        "annotations": [
            {
                "id": 31,
                "image_id": 7,
                "bbox": [0, 0, 9, 9],
                "smpl_param": {"pose": np.linspace(-0.4, 0.4, 156).tolist(), "shape": [0.0] * 10, "trans": [0.0] * 3},
                "obj_param": {"name": "backpack", "pose": rotvec.tolist(), "trans": translation.tolist()},
                "h3d_keypoints": (np.zeros((73, 3)) + pelvis).tolist(),
            }
        ],
    }


@pytest.fixture
def write(files: SimpleNamespace, world: Any, tmp_path: Path) -> Write:
    def write(data_set: str = "behave", extrinsic: bool = True) -> Path:
        data = tmp_path / "data"
        picture = data / {"behave": "BEHAVE", "intercap": "InterCap"}[data_set] / "sequences" / PICTURES[data_set]
        if data_set == "behave":
            paths = [picture.with_name(f"k1.{kind}.jpg") for kind in ("person_mask", "obj_rend_mask")]
            depth = picture.with_name("k1.depth.png")
            files.ply(world.human, picture.parent / "person/fit02/person_fit.ply")
        else:
            paths = [picture.parent.parent / f"mask/00012_{kind}.png" for kind in ("human", "object")]
            depth = picture.parent.parent / "depth/00012.png"
        files.shots(files.shot(world, files.NO_LENS), picture, *paths, depth)
        base = data / "base_data"
        path = base / f"annotations/{data_set}_test.json"
        files.json(path, annotated(files, world, PICTURES[data_set], extrinsic))
        models = base / "object_models" / data_set
        models.mkdir(parents=True)
        world.template.export(models / "backpack.obj")
        return path

    return write


def test_behaves_own_people_land_where_the_camera_saw_them(
    write: Write, world: Any, tmp_path: Path, lands: Lands, depth_error: Any
) -> None:
    path = write()
    (found,) = find_contho(tmp_path, OPTIONS)
    assert find_contho(path, OPTIONS) == [found]
    assert found.place == Path("backpack/Date03_Sub03_backpack_back_t0003.000_k1.color_a31")
    sample = load_contho(found, OPTIONS)
    lands(sample, world)
    assert depth_error(sample, world) < 1e-3
    assert sample.category == "backpack"
    root = world.camera_rotation @ Rotation.from_rotvec(np.linspace(-0.4, 0.4, 156)[:3]).as_matrix()
    np.testing.assert_allclose(Rotation.from_rotvec(np.asarray(sample.pose.root)).as_matrix(), root, atol=1e-6)


@pytest.mark.parametrize("data_set", list(PICTURES))
@pytest.mark.parametrize("extrinsic", [True, False])
def test_the_users_people_land_where_the_camera_saw_them(
    write: Write, files: SimpleNamespace, world: Any, tmp_path: Path, lands: Lands, data_set: str, extrinsic: bool
) -> None:
    """Meshes in the frame of the pose: the world's, or the camera's where there is no R."""
    write(data_set, extrinsic)
    human = world.human.copy()
    if not extrinsic:
        human.vertices = world.in_camera(world.human)
    files.ply(human, tmp_path / "people/31.ply")
    (found,) = find_contho(tmp_path, OPTIONS)
    lands(load_contho(found, ImportOptions(humans=tmp_path / "people")), world)


def test_people_in_another_frame_are_noticed(write: Write, world: Any, files: SimpleNamespace, tmp_path: Path) -> None:
    write()
    human = world.human.copy()
    human.vertices = human.vertices[:, [2, 1, 0]] * (1, 1, -1)  # as another Kinect sees it
    files.ply(human, tmp_path / "people/31.ply")
    (found,) = find_contho(tmp_path, OPTIONS)
    with pytest.raises(SampleError, match=r"31\.ply: is .* m away from the annotated pelvis"):
        load_contho(found, ImportOptions(humans=tmp_path / "people"))


def change(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content) + " ")


@pytest.mark.parametrize(
    ("data_set", "edit", "message"),
    [
        ("intercap", lambda c: None, r"no mesh of the person of annotation 31: pose SMPL-H .*--humans"),
        ("behave", lambda c: c["images"][1]["cam_param"].pop("R"), r"cam_param has no R: person_fit\.ply is elsewhere"),
        ("behave", lambda c: c["annotations"][0].update(image_id=5), "names image 5, which is not in the file"),
        (
            "behave",
            lambda c: c["annotations"][0]["obj_param"].update(name="boat"),
            r"no boat\.obj in object_models/behave",
        ),
        ("behave", lambda c: c["annotations"][0]["obj_param"].pop("pose"), "obj_param pose is nothing"),
        (
            "behave",
            lambda c: c["annotations"][0]["smpl_param"].update(pose=[0.0]),
            r"pose has shape \(1,\), expected 156",
        ),
        ("behave", lambda c: c["images"][1]["cam_param"].update(focal=[-1, 5]), "expected positive pixels"),
        (
            "behave",
            lambda c: c["images"][1].update(file_name="gone.jpg"),
            r"names the picture gone\.jpg, which is not in",
        ),
    ],
)
def test_what_is_wrong_is_named(
    write: Write, tmp_path: Path, data_set: str, edit: Callable[[dict[str, Any]], None], message: str
) -> None:
    path = write(data_set)
    change(path, edit)
    (found,) = find_contho(path, OPTIONS)
    with pytest.raises(SampleError, match=message):
        load_contho(found, OPTIONS)


def test_a_file_that_is_not_of_the_form_is_refused(write: Write, tmp_path: Path) -> None:
    path = write()
    change(path, lambda content: content.pop("annotations"))
    with pytest.raises(SampleError, match=r"behave_test\.json: has no list annotations"):
        find_contho(path, OPTIONS)
