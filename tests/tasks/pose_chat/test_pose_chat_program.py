"""The program as a user runs it: with the stand-in for ChatPose, killed on the way, with answers of one's own."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoijax.body.builtin import builtin_body
from hoijax.data.check import check_sample
from hoijax.data.read import load_sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample
from hoijax.metrics.image import mask_iou, projected_mask
from hoijax.tasks.pose_chat.company import company_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
BOXES = [[10.0, 5.0, 30.0, 75.0], [80.0, 5.0, 110.0, 75.0]]


def program(*flags: str, **environment: str) -> list:
    command = [sys.executable, "experiments/pose_chat.py", *flags]
    return [command, {"cwd": ROOT, "env": os.environ | {"PYTHONPATH": str(ROOT)} | environment, "text": True}]


def run(*flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command, options = program(*flags, **environment)
    return subprocess.run(command, capture_output=True, timeout=300, **options)


def lines(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def chatpose(tmp_path: Path) -> list[str]:
    """Flags that name the stand-in, with the file that its users fetch for themselves."""
    python = ROOT / ".venv-models" / "bin" / "python"
    if not python.is_file():
        pytest.skip("no .venv-models: `make venv-models` makes it")
    place, weights = tmp_path / "chatpose", tmp_path / "weights"
    shutil.copytree(ROOT / "tests" / "third_party_wrappers" / "repositories" / "chatpose", place)
    (place / "data").mkdir()
    (place / "data" / "SMPLX_NEUTRAL_2020.npz").touch()
    weights.mkdir()
    named = {"python": python, "repository": place, "checkpoint": weights, "device": "cpu"}
    return [f"--chatpose_{name}={value}" for name, value in named.items()]


@pytest.fixture
def tree(write_sample_folder) -> Path:
    """Three samples of two people each, and one that shows nobody else."""
    verts = len(builtin_body().template)
    for number, name in enumerate(("ball/kick_1", "cup/crash_2", "tree/climb_3")):
        folder = write_sample_folder(name, people=BOXES, verts=verts, rgb=(60 * number + 40,) * 3)
    write_sample_folder("tree/climb_4", people=BOXES[:1], verts=verts)
    return folder.parent.parent


def test_killed_on_the_way_it_asks_only_what_is_missing(tree, chatpose, tmp_path) -> None:
    out = tmp_path / "out"
    flags = [f"--data={tree}", f"--out={out}", "--rows=object,location,object+location", *chatpose]

    def answers() -> dict[str, int]:
        return {str(path.relative_to(out)): path.stat().st_mtime_ns for path in out.glob("answers/*/*/*/answer.json")}

    command, options = program(*flags, CHATPOSE_SECONDS="0.7")
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    for _ in range(1200):
        if len(before := answers()) >= 2:
            break
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    before = answers()
    assert 2 <= len(before) < 9
    assert not (out / "table.md").exists()
    done = run(*flags)
    assert done.returncode == 0, done.stderr
    after = answers()
    assert len(after) == 9
    assert not list(out.glob("answers/**/.*")), "something half written is left"
    assert before.items() <= after.items(), "an answer that was there has been asked for again"
    assert "3 of 4 samples to ask about" in done.stdout
    assert lines(out / "left_out.csv") == [{"sample": "tree/climb_4", "reason": "people seen: 1, expected 2 or more"}]
    rows = {line["row"]: line for line in lines(out / "table.csv")}
    assert rows.keys() >= {"rest", "mean", "words: interaction+object", "ChatPose: object", "ChatPose: location"}
    assert all((line["asked"], line["posed"]) == ("3", "3") for line in rows.values())
    given = {(line["row"], line["sample"]): line for line in lines(out / "answers.csv")}
    one = given["ChatPose: object+location", "ball/kick_1"]
    assert "on the left, with the ball" in one["question"]
    assert one["text"] == "Sure, it is [SEG]."
    # the annotated bodies stand in the T-pose, so the plain answer is right and the stand-in is not
    assert float(given["rest", "ball/kick_1"]["mpjpe_mm"]) == pytest.approx(0, abs=0.01)
    assert float(one["mpjpe_mm"]) > 10
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "Sure, it is [SEG]." in page
    assert page.count("<img ") == 3
    refused = run(*flags[:-4], "--prompts=" + str(prompts(tmp_path)), *chatpose)
    assert refused.returncode == 1
    assert "is not the answer to this job" in refused.stderr


def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps({"object": "Who has the {object}?", "location": "Who is {location}?"}))
    return path


def test_a_crash_costs_one_answer_and_words_are_counted(tree, chatpose, tmp_path) -> None:
    out = tmp_path / "out"
    flags = [f"--data={tree}", f"--out={out}", "--rows=object,interaction", f"--prompts={prompts(tmp_path)}"]
    done = run(*flags, *chatpose)
    assert done.returncode == 1
    assert "1 questions without a usable answer" in done.stderr
    assert "Traceback" not in done.stderr
    rows = {line["row"]: line for line in lines(out / "table.csv")}
    counts = {row: [line[key] for key in ("posed", "words_only", "failed")] for row, line in rows.items()}
    assert counts["ChatPose: interaction"] == ["2", "0", "1"]  # who is crashing something
    assert counts["ChatPose: object"] == ["0", "3", "0"]
    assert rows["ChatPose: object"]["mpjpe_mm_mean"] == ""
    shown = next(line for line in done.stdout.splitlines() if line.startswith("ChatPose: object"))
    assert shown.split() == ["ChatPose:", "object", "0", "–", "–", "100", "%", "0"]
    words = [line for line in lines(out / "answers.csv") if line["row"] == "ChatPose: object"]
    assert [(line["state"], line["text"]) for line in words] == [("words only", "I see a person.")] * 3


def test_own_answers_are_scored(tree, tmp_path) -> None:
    mine, out = tmp_path / "mine", tmp_path / "out"
    turned = np.zeros((23, 3))
    turned[:21] = Rotation.from_euler("z", 30, degrees=True).as_rotvec()
    contents = {
        "object/ball/kick_1": {"text": "So.", "body_pose": turned.tolist()},
        "object/cup/crash_2": {"text": "So.", "vertices": [[0, 0, 0]]},
        "location/ball/kick_1": {"text": "I cannot tell."},
    }
    for name, content in contents.items():
        (mine / name).mkdir(parents=True)
        (mine / name / "answer.json").write_text(json.dumps(content))
    done = run(f"--data={tree}", f"--out={out}", f"--answers={mine}")
    assert done.returncode == 1
    found = {(line["row"], line["sample"]): line for line in lines(out / "answers.csv")}
    assert float(found["answers: object", "ball/kick_1"]["mpjpe_mm"]) > 100
    assert "holds vertices and no body_pose" in found["answers: object", "cup/crash_2"]["error"]
    assert "cannot be read" in found["answers: object", "tree/climb_3"]["error"]
    assert found["answers: location", "ball/kick_1"]["state"] == "words only"
    assert {row for row, _ in found if row.startswith("answers")} == {"answers: object", "answers: location"}


def test_the_people_are_looked_for_once(write_sample_folder, tmp_path) -> None:
    """The stand-in detector sees a sure person on the left half of a red picture, and a doubtful one in its corner."""
    verts = len(builtin_body().template)
    for name, box, rgb in [
        ("ball/kick_1", (0.0, 0.0, 60.0, 80.0), (200, 0, 0)),
        ("ball/kick_2", (70.0, 0.0, 110.0, 80.0), (200, 0, 0)),
        ("ball/kick_3", (0.0, 0.0, 60.0, 80.0), (0, 0, 200)),
    ]:
        folder = write_sample_folder(name, box, verts=verts, rgb=rgb)
    weights, out = tmp_path / "weights.pkl", tmp_path / "out"
    weights.touch()
    place = ROOT / "tests" / "third_party_wrappers" / "repositories" / "detectron2"
    named = {"python": sys.executable, "repository": place, "checkpoint": weights, "device": "cpu"}
    flags = [f"--data={folder.parent.parent}", f"--out={out}", "--min_score=0.2", "--min_side=0.04"]
    done = run(*flags, *(f"--detectron2_{name}={value}" for name, value in named.items()))
    assert done.returncode == 0, done.stderr
    assert "1 of 3 samples to ask about" in done.stdout
    left_out = {line["sample"]: line["reason"] for line in lines(out / "left_out.csv")}
    assert "nobody is seen where the annotated person is" in left_out["ball/kick_2"]
    assert left_out["ball/kick_3"] == "people seen: 0, expected 2 or more"
    again = run(*flags)  # without the detector: what it has found stands
    assert "1 of 3 samples to ask about" in again.stdout


def test_what_cannot_be_done_is_said_in_a_sentence(tree, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "prompts.json").write_text("{")
    out = f"--out={tmp_path / 'out'}"
    for flags, words in [
        ([f"--data={tmp_path / 'empty'}"], "no sample folder in it"),
        ([f"--data={tree}", "--rows=colour"], "row 'colour': expected one of none"),
        ([f"--data={tree}", f"--prompts={tmp_path / 'prompts.json'}"], "is not valid JSON"),
        ([f"--data={tree}", "--min_people=3"], "no sample to ask about"),
    ]:
        done = run(*flags, out)
        assert done.returncode == 1, flags
        assert words in done.stderr, (flags, done.stderr)
        assert "Traceback" not in done.stderr


def test_pictures_with_company_are_sound_samples(tmp_path) -> None:
    tree, two = tmp_path / "one", tmp_path / "two"
    for name in ("ball", "chair"):
        save_sample(synthetic_sample(name), tree / name / "do_1")
    made = run("company", f"--data={tree}", f"--out={two}")
    assert made.returncode == 0, made.stderr
    assert "2 pictures with two people written, 0 were there" in made.stdout
    for name in ("ball", "chair"):
        before, after = load_sample(tree / name / "do_1"), load_sample(two / name / "do_1")
        assert not [problem for problem in check_sample(two / name / "do_1") if problem.severity == "error"]
        assert after.image.shape[0] == before.image.shape[0]
        assert after.image.shape[1] > before.image.shape[1] + 50
        seen = projected_mask(
            after.human.verts + np.asarray(after.pose.translation),
            after.human.faces,
            after.camera,
            after.human_mask.shape,
        )
        shown = ~after.object_mask
        assert mask_iou(seen & shown, after.human_mask & shown) > 0.95  # camera and masks have moved alike
        people = json.loads((two / name / "do_1" / "people.json").read_text())
        np.testing.assert_allclose(people["boxes"][0], after.human_box)
        assert len(people["boxes"]) == 2
    asked = run(f"--data={two}", f"--out={tmp_path / 'out'}")
    assert asked.returncode == 0, asked.stderr
    assert "2 of 2 samples" in asked.stdout
    assert "0 pictures with two people written, 2 were there" in run("company", f"--data={tree}", f"--out={two}").stdout


def test_company_is_of_another_action_and_object() -> None:
    words = [("hold", "ball"), ("hold", "cup"), ("kick", "ball"), ("ride", "horse")]
    assert [company_of(words, k) for k in range(4)] == [3, 2, 3, 0]
    assert company_of([("hold", "ball"), ("hold", "ball")], 0) == 1
    with pytest.raises(ValueError, match="no company"):
        company_of(words[:1], 0)
