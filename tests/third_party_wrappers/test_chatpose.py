"""ChatPose's driver, against a stand-in that has the repository's modules, functions and few digits."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from third_party_wrappers import checks
from third_party_wrappers.contract import Job, OutputError, Tool, problems, run
from third_party_wrappers.registry import wrappers

HERE = Path(__file__).resolve().parent
WRAPPER = wrappers()["chatpose"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The stand-in, with the body file that its users fetch for themselves."""
    place = tmp_path / "repositories" / "chatpose"
    shutil.copytree(HERE / "repositories" / "chatpose", place, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "data").mkdir()
    (place / "data" / "SMPLX_NEUTRAL_2020.npz").touch()
    return place


def grey(path: Path, level: int) -> Path:
    Image.new("RGB", (40, 30), (level, level, level)).save(path)
    return path


@pytest.mark.slow
def test_chatpose_answers_with_words_and_rotations(repository, models_python, tmp_path):
    weights = tmp_path / "CHATPOSE-V0"
    weights.mkdir()
    tool = Tool(models_python, repository, weights, device="cpu")
    dark, light = grey(tmp_path / "dark.png", 51), grey(tmp_path / "light.png", 204)
    asked = [
        (dark, "What is this person's SMPL pose?"),
        (light, "What is this person's SMPL pose?"),
        (dark, "Who is this?"),
        (dark, "A skew SMPL pose, please."),
        (dark, "Please crash, SMPL pose."),
        (dark, " "),
        (light, "And the SMPL pose of the other one?"),
    ]
    jobs = [
        Job({"image": image}, tmp_path / "out" / str(number), {"question": question})
        for number, (image, question) in enumerate(asked)
    ]
    outcomes = run(WRAPPER, tool, jobs)
    assert [outcome.state for outcome in outcomes] == ["done", "done", "done", "failed", "failed", "failed", "done"]
    assert "no rotations" in outcomes[3].error
    assert "the question is empty" in outcomes[5].error
    first, second, words, last = (json.loads((jobs[k].out / "answer.json").read_text()) for k in (0, 1, 2, 6))
    assert first["text"] == "Sure, it is [SEG]."
    assert first["question"] == asked[0][1]
    assert words == {"question": "Who is this?", "text": "I see a person.", "global_orient": None, "body_pose": None}
    matrices = np.asarray(first["body_pose"])
    assert matrices.shape == (23, 3, 3)
    np.testing.assert_allclose(matrices @ matrices.swapaxes(1, 2), np.broadcast_to(np.eye(3), (23, 3, 3)), atol=1e-12)
    turned = [np.arctan2(found["body_pose"][0][2][1], found["body_pose"][0][1][1]) for found in (first, second)]
    assert turned[1] - turned[0] == pytest.approx(0.6, abs=0.02)  # the answer is of the picture that was asked about
    assert last["body_pose"] != second["body_pose"]  # and of the question
    loads = [(jobs[k].out / "log.txt").read_text() for k in (0, 1, 2, 6)]
    assert "loading in the process" in loads[0]
    assert loads[0] == loads[1] == loads[2] != loads[3]  # loaded once, and once more after the crash
    padded = jobs[0]._replace(out=tmp_path / "padded", options={"question": asked[0][1], "picture": "pad"})
    assert run(WRAPPER, tool, [padded])[0].error is None
    pose = json.loads((padded.out / "answer.json").read_text())["body_pose"]
    level = (30 * 40 * 51 / 255 + 10 * 40 * 0.5) / 1600  # a quarter of the square is the encoder's mean, 0.5 on average
    assert np.arctan2(pose[0][2][1], pose[0][1][1]) - turned[0] == pytest.approx(level - 0.2, abs=0.02)
    assert [outcome.state for outcome in run(WRAPPER, tool, [jobs[0], jobs[2]])] == ["cached", "cached"]


def test_chatpose_wants_its_body_file_and_a_gpu(repository, tmp_path):
    (repository / "data" / "SMPLX_NEUTRAL_2020.npz").unlink()
    found = problems(WRAPPER, Tool(None, repository, tmp_path))
    assert any("has no data/SMPLX_NEUTRAL_2020.npz" in problem for problem in found)


def test_answers_that_are_none_are_refused(tmp_path):
    job, tool, path = Job({}, tmp_path), Tool(), tmp_path / "answer.json"
    eye, mirror = np.eye(3), np.diag([1.0, 1.0, -1.0])
    good = {"text": "Sure.", "global_orient": eye.tolist(), "body_pose": np.tile(eye, (23, 1, 1)).tolist()}
    for change, words in [
        ({}, None),
        ({"global_orient": None, "body_pose": None}, None),
        ({"text": None}, "has no text"),
        ({"global_orient": None}, "expected both"),
        ({"body_pose": np.tile(eye, (21, 1, 1)).tolist()}, r"has the shape \(21, 3, 3\)"),
        ({"body_pose": np.tile(mirror, (23, 1, 1)).tolist()}, "no rotations"),
        ({"global_orient": (1.01 * eye).tolist()}, "no rotations"),
        ({"global_orient": [[1, 0, 0], [0, 1, 0], [0, 0, "x"]]}, "no array of numbers"),
    ]:
        path.write_text(json.dumps(good | change))
        if words is None:
            checks.posed_answer_json(path, job, tool)
        else:
            with pytest.raises(OutputError, match=words):
                checks.posed_answer_json(path, job, tool)
