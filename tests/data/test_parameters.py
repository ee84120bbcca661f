"""The JSON files of a sample, in every form and with every mistake."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hoijax.data.parameters import (
    load_annotations,
    load_boxes,
    load_calibration,
    load_contact_parts,
    load_extrinsic,
    load_json,
    load_parameters,
)
from hoijax.data.sample import SampleError
from hoijax.types import Camera

Warned = tuple[Callable[[Path, str], None], list[str]]


def record(**changes: Any) -> dict[str, Any]:
    """A valid smplx_parameters.json: every number different."""
    sizes = {
        "root_pose": 3,
        "body_pose": 63,
        "jaw_pose": 3,
        "lhand_pose": 45,
        "rhand_pose": 45,
        "shape": 10,
        "expr": 10,
    }
    content: dict[str, Any] = {key: [[i + 0.5 + k for i in range(n)]] for k, (key, n) in enumerate(sizes.items())}
    content |= {"cam_trans": [0.1, 0.2, 30.0], "focal": [5000, 5001], "princpt": [320.0, 240.5]}
    return {key: value for key, value in (content | changes).items() if value is not None}


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "file.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_every_number_arrives_in_its_place(tmp_path: Path) -> None:
    pose, camera = load_parameters(written(tmp_path, record()))
    np.testing.assert_array_equal(pose.root, [0.5, 1.5, 2.5])
    np.testing.assert_array_equal(pose.body, np.arange(63).reshape(21, 3) + 1.5)
    np.testing.assert_array_equal(pose.jaw, [2.5, 3.5, 4.5])
    np.testing.assert_array_equal(pose.left_hand, np.arange(45).reshape(15, 3) + 3.5)
    np.testing.assert_array_equal(pose.right_hand, np.arange(45).reshape(15, 3) + 4.5)
    np.testing.assert_array_equal(pose.shape, np.arange(10) + 5.5)
    np.testing.assert_array_equal(pose.expression, np.arange(10) + 6.5)
    np.testing.assert_array_equal(pose.eyes, np.zeros((2, 3)))
    np.testing.assert_allclose(pose.translation, [0.1, 0.2, 30.0])
    np.testing.assert_array_equal(camera.focal, [5000, 5001])
    np.testing.assert_array_equal(camera.center, [320.0, 240.5])


def test_variants(tmp_path: Path) -> None:
    plain, _ = load_parameters(written(tmp_path, record()))
    variants = (
        [record()],
        record(expr=None, exp=record()["expr"]),
        record(body_pose=record()["body_pose"][0]),
        record(body_pose=np.reshape(record()["body_pose"], (21, 3)).tolist()),
        "\ufeff" + json.dumps(record()),
    )
    for variant in variants:
        pose, _ = load_parameters(written(tmp_path, variant))
        for name, value in plain._asdict().items():
            np.testing.assert_array_equal(getattr(pose, name), value)


def test_calibration_stands_in_for_a_missing_camera(tmp_path: Path) -> None:
    spare = Camera(np.float32([7, 8]), np.float32([1, 2]))
    _, camera = load_parameters(written(tmp_path, record(focal=None, princpt=None)), spare)
    np.testing.assert_array_equal(camera.focal, [7, 8])
    _, camera = load_parameters(written(tmp_path, record()), spare)
    np.testing.assert_array_equal(camera.focal, [5000, 5001])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ("\u0000\u0001", "is not valid JSON"),
        ("3", "holds a number, expected one JSON object"),
        ("null", "holds nothing, expected one JSON object"),
        ([record(), record()], "holds a list of 2, expected one JSON object"),
        ({}, "has no root_pose, body_pose"),
        (record(shape=None), "has no shape; expected the keys root_pose"),
        (record(shape="tall"), "shape is text, expected 10 numbers"),
        (record(shape=["1"] * 10), "shape is a list of 10, expected 10 numbers"),
        (record(shape={}), "shape is an object, expected 10 numbers"),
        (record(shape=[[1, 2], 3]), "shape is a list of 2, expected 10 numbers"),
        (record(shape=[True] * 10), "expected 10 numbers"),
        (record(shape=[10**400] + [0] * 9), "expected 10 numbers"),
        (record(shape=[[0.0] * 11]), "shape has shape (1, 11), expected 10 numbers"),
        (record(focal=5000), "focal has shape (), expected 2 numbers"),
        (record(focal=[5000, -1]), "expected positive pixels"),
        (record(cam_trans=[float("nan"), 0, 1]), "cam_trans holds numbers that are not finite"),
        (record(cam_trans=[1e300, 0, 1]), "cam_trans holds numbers that are not finite"),
    ],
)
def test_mistakes(tmp_path: Path, content: Any, message: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(SampleError) as caught:
        load_parameters(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"root_pose.*; shape.*; focal"):
        load_parameters(written(tmp_path, record(root_pose=[1], shape="x", focal=[0, 0])))


def test_calibration_and_extrinsic(tmp_path: Path, warned: Warned) -> None:
    camera = load_calibration(written(tmp_path, {"K": [[500, 0, 30], [0, 501, 40], [0, 0, 1]]}))
    np.testing.assert_array_equal(camera.focal, [500, 501])
    np.testing.assert_array_equal(camera.center, [30, 40])
    with pytest.raises(SampleError, match="K is nothing, expected 9 numbers"):
        load_calibration(written(tmp_path, {}))
    with pytest.raises(SampleError, match="expected positive pixels"):
        load_calibration(written(tmp_path, {"K": [[0] * 3] * 3}))
    load_extrinsic(written(tmp_path, {"rotation": np.eye(3).tolist(), "translation": [0, 0, 0]}), warned[0])
    assert warned[1] == []
    load_extrinsic(written(tmp_path, {"rotation": np.eye(3).tolist(), "translation": [0, 0, 1]}), warned[0])
    assert "is not the identity and is ignored" in warned[1][0]


def test_boxes(tmp_path: Path) -> None:
    labels = load_boxes(written(tmp_path, {"obj": [1, 2, 3, 4], "human": [[5, 6, 7, 8.5]]}))
    np.testing.assert_array_equal(labels.object_box, [1, 2, 3, 4])
    np.testing.assert_array_equal(labels.human_box, [5, 6, 7, 8.5])
    assert load_boxes(written(tmp_path, {"obj": [1, 2, 3, 4]})).human_box is None
    for content, message in (
        ({}, "expected obj and human"),
        ({"obj": [3, 2, 1, 4]}, "expected x0 y0 x1 y1 with x1 > x0"),
        ({"obj": [1, 2, 3]}, "obj has shape"),
    ):
        with pytest.raises(SampleError, match=message):
            load_boxes(written(tmp_path, content))


def test_contact_parts(tmp_path: Path, warned: Warned) -> None:
    parts = load_contact_parts(written(tmp_path, ["Left_Palm", "mouse", "left palm", "tail"]), warned[0])
    assert parts == ("left palm", "mouth")
    assert len(warned[1]) == 1
    assert "'tail' is not one of the 34 body parts" in warned[1][0]
    for content in ({}, [1], "x"):
        with pytest.raises(SampleError, match="expected a list of body-part names"):
            load_contact_parts(written(tmp_path, json.dumps(content)), warned[0])


def test_annotations(tmp_path: Path, warned: Warned) -> None:
    content = {
        "hoi_annotation": [{"subject_id": 1, "object_id": 0, "action": "hold"}],
        "annotations": [
            {"bbox": [[10, 20, 5, 6]], "category": "coffee cup"},
            {"bbox": [[1, 2, 3, 4]], "category": "person"},
        ],
    }
    labels = load_annotations(written(tmp_path, content), warned[0])
    np.testing.assert_array_equal(labels.object_box, [10, 20, 15, 26])
    np.testing.assert_array_equal(labels.human_box, [1, 2, 4, 6])
    assert (labels.category, labels.action) == ("coffee cup", "hold")
    assert warned[1] == []
    content["hoi_annotation"][0]["object_id"] = 7
    labels = load_annotations(written(tmp_path, content), warned[0])
    assert labels.object_box is None
    assert "object_id is 7, expected the number of an entry" in warned[1][0]
    assert load_annotations(written(tmp_path, {}), warned[0]).action is None
    with pytest.raises(SampleError, match="must be lists"):
        load_annotations(written(tmp_path, {"annotations": 3}), warned[0])


def test_a_folder_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="is a folder, expected a file"):
        load_json(tmp_path)
