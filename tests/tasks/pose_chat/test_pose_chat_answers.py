"""Answers as files: every form of a pose that SMPL and SMPL-X have, words without one, and what is none."""

import json
import re

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoijax.data.sample import SampleError
from hoijax.tasks.pose_chat.answers import Answer, load_answer, nearest_rotations, save_answer


def turns(count: int, most: float = 2.5) -> Rotation:
    rng = np.random.default_rng(count)
    axis = rng.normal(size=(count, 3))
    return Rotation.from_rotvec(axis / np.linalg.norm(axis, axis=1, keepdims=True) * rng.uniform(0, most, (count, 1)))


@pytest.mark.parametrize("joints", [21, 22, 23, 24])
@pytest.mark.parametrize("nested", [True, False])
def test_matrices_and_vectors_of_every_length_mean_the_same_body(tmp_path, joints, nested) -> None:
    rotations, path = turns(joints), tmp_path / "answer.json"
    first = 1 if joints in (22, 24) else 0  # a root comes first
    expected = rotations.as_matrix()[first : first + 21]
    for numbers in (rotations.as_matrix(), rotations.as_rotvec(), rotations.as_matrix()[None, :, None]):
        values = numbers if nested else numbers.ravel()
        path.write_text(json.dumps({"text": "Sure.", "body_pose": values.tolist()}))
        answer = load_answer(path)
        assert answer.text == "Sure."
        np.testing.assert_allclose(answer.body, expected, atol=1e-6)


def test_half_turns_come_through(tmp_path) -> None:
    rotvecs = np.zeros((23, 3))
    rotvecs[:3] = np.pi * np.eye(3)
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"body_pose": rotvecs.tolist()}))
    np.testing.assert_allclose(load_answer(path).body, Rotation.from_rotvec(rotvecs[:21]).as_matrix(), atol=1e-6)


def test_an_answer_is_read_as_it_was_written(tmp_path) -> None:
    for answer in (Answer("It is so.\n", turns(21).as_matrix()), Answer("“words”", None)):
        save_answer(tmp_path / "a" / "answer.json", answer)
        again = load_answer(tmp_path / "a" / "answer.json")
        assert again.text == answer.text
        if answer.body is None:
            assert again.body is None
        else:
            np.testing.assert_allclose(again.body, answer.body, atol=1e-12)


def test_the_few_digits_of_a_network_are_mended_to_the_nearest_rotation(tmp_path) -> None:
    rng = np.random.default_rng(1)
    exact = turns(21).as_matrix()
    rough = exact + rng.uniform(-0.003, 0.003, exact.shape)
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"body_pose": rough.tolist()}))
    body = load_answer(path).body
    np.testing.assert_allclose(body @ body.swapaxes(1, 2), np.broadcast_to(np.eye(3), body.shape), atol=1e-12)
    np.testing.assert_allclose(body, exact, atol=0.006)
    other = Rotation.from_matrix(body) * Rotation.from_rotvec(rng.normal(0, 0.01, (21, 3)))
    closest = np.linalg.norm(body - rough, axis=(1, 2))
    assert (closest <= np.linalg.norm(other.as_matrix() - rough, axis=(1, 2))).all()


def test_the_nearest_rotation_of_a_reflection_is_none() -> None:
    assert np.linalg.det(nearest_rotations(np.diag([1.0, 1.0, -0.5]))) == pytest.approx(1)


EYES = np.tile(np.eye(3), (23, 1, 1))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "expected {"),
        ({}, "has the keys none, expected text and body_pose"),
        ({"text": 3}, "text is int, expected words"),
        ({"vertices": [[0, 0, 0]]}, "holds vertices and no body_pose"),
        ({"body_pose": [1, 2, 3]}, "body_pose is 3 numbers"),
        ({"body_pose": "[POSE]"}, "body_pose is 1 numbers"),
        ({"body_pose": [[1, 2], [3]]}, "body_pose is 1 numbers"),
        ({"body_pose": (2 * EYES).tolist()}, "no rotations (R^T R is off by 3)"),
        ({"body_pose": (EYES * [1, 1, -1]).tolist()}, "no rotations"),
        ({"body_pose": [float("nan")] * 69}, "not all finite"),
        ({"body_pose": [10**400] * 69}, "not all finite"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(tmp_path, content, words) -> None:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(content))
    with pytest.raises(SampleError, match=re.escape(words)) as caught:
        load_answer(path)
    assert caught.value.file == path
