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
from PIL import Image
from scipy.spatial.transform import Rotation

from hoijax.body.builtin import builtin_body
from hoijax.data.check import check_sample
from hoijax.data.read import load_sample
from hoijax.data.sample import Sample
from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample
from hoijax.metrics.image import mask_iou, projected_mask
from hoijax.tasks.pose_chat.company import company_of
from hoijax.types import Camera

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
BOXES = [[10.0, 5.0, 30.0, 75.0], [80.0, 5.0, 110.0, 75.0]]


def program(*flags: str, **environment: str) -> list:
    command = [sys.executable, "experiments/pose_chat.py", *flags]
    return [command, {"cwd": ROOT, "env": os.environ | {"PYTHONPATH": str(ROOT)} | environment, "text": True}]


def run(*flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command, options = program(*flags, **environment)
    return subprocess.run(command, capture_output=True, timeout=300, **options)


# One process for several command lines: most of a short run is imports and the compiler. What main is left with comes
# back with what it printed; an error that is none of its own ends the process.
SEVERAL = """
import contextlib, io, json, sys
sys.path.insert(0, "experiments")
import pose_chat
from absl import flags
ended = []
for arguments in json.loads(sys.argv[1]):
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()
    rest, code, printed = flags.FLAGS(["pose_chat.py", *arguments]), 0, io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            pose_chat.main(rest)
    except SystemExit as end:
        code = end.code
    ended.append([code, printed.getvalue()])
print(json.dumps(ended))
"""


def run_all(*commands: list[str]) -> list[tuple[int | str, str]]:
    """For each list of flags: 0 or the sentence that the program ends with, and what it prints."""
    command, options = program()
    command = [command[0], "-c", SEVERAL, json.dumps(commands)]
    done = subprocess.run(command, capture_output=True, timeout=300, **options)
    assert done.returncode == 0, done.stderr
    return [(code, printed) for code, printed in json.loads(done.stdout)]


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
        places = [path for path in out.glob("answers/*/*/*/answer.json") if path.parent.name[0] != "."]
        return {str(path.relative_to(out)): path.stat().st_mtime_ns for path in places}

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
    [(ended, printed)] = run_all(flags)
    assert ended == 0
    after = answers()
    assert len(after) == 9
    assert not list(out.glob("answers/**/.*")), "something half written is left"
    assert before.items() <= after.items(), "an answer that was there has been asked for again"
    assert "3 of 4 samples to ask about" in printed
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


def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps({"object": "Who has the {object}?", "location": "Who is {location}?"}))
    return path


def test_a_crash_costs_one_answer_and_words_are_counted(tree, chatpose, tmp_path) -> None:
    out = tmp_path / "out"
    flags = [f"--data={tree}", f"--out={out}", "--rows=object,interaction", f"--prompts={prompts(tmp_path)}"]
    done = run(*flags, *chatpose)
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"object": "Which one has the {object}?"}))
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
    refused = run(f"--data={tree}", f"--out={out}", "--rows=object", f"--prompts={other}", *chatpose)
    assert refused.returncode == 1
    assert "is not the answer to this job" in refused.stderr


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
    detector = [f"--detectron2_{name}={value}" for name, value in named.items()]
    [first, stricter] = run_all([*flags, *detector], [*flags, *detector, "--min_score=0.5"])
    assert first[0] == 0
    assert "1 of 3 samples to ask about" in first[1]
    assert "no sample to ask about" in str(stricter[0])
    Image.new("RGB", (120, 80), (200, 0, 0)).save(folder / "image.jpg")  # another picture in the place of the blue one
    [looser, again] = run_all([*flags, *detector], flags)  # the last without the detector: what it has found stands
    assert "2 of 3 samples to ask about" in looser[1]
    assert "2 of 3 samples to ask about" in again[1]
    left_out = {line["sample"]: line["reason"] for line in lines(out / "left_out.csv")}
    assert "nobody is seen where the annotated person is" in left_out["ball/kick_2"]
    assert left_out.keys() == {"ball/kick_2"}


def test_what_cannot_be_done_is_said_in_a_sentence(tree, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "prompts.json").write_text("{")
    (tmp_path / "mine" / "object").mkdir(parents=True)
    data, out = f"--data={tree}", f"--out={tmp_path / 'out'}"
    cases = [
        ([f"--data={tmp_path / 'empty'}", out], "no sample folder in it"),
        ([data, out, "--rows=colour"], "row 'colour': expected one of none"),
        ([data, out, "--rows="], "--rows: names no row"),
        ([data, out, f"--prompts={tmp_path / 'prompts.json'}"], "is not valid JSON"),
        ([data, out, f"--boxes={tmp_path / 'boxes'}"], "boxes: no such folder"),
        ([data, out, f"--answers={tmp_path / 'answers'}"], "answers: no such folder"),
        ([data, out, f"--answers={tmp_path / 'mine'}", "--rows=location"], "none of them of --rows=location"),
        ([data, out, f"--answers={tmp_path / 'empty'}"], "holds no [ROW/]SAMPLE/answer.json"),
        ([data, f"--out={tmp_path / 'prompts.json'}"], "prompts.json"),
        ([data, out, "--min_people=3"], "no sample to ask about"),
    ]
    for (flags, words), (said, _) in zip(cases, run_all(*(flags for flags, _ in cases)), strict=True):
        assert words in str(said), (flags, said)
    assert not (tmp_path / "out" / "table.md").exists()


def halved(sample: Sample) -> Sample:
    """The sample as a picture of half the size shows it."""
    return sample._replace(
        image=np.ascontiguousarray(sample.image[::2, ::2]),
        human_mask=np.ascontiguousarray(sample.human_mask[::2, ::2]),
        object_mask=np.ascontiguousarray(sample.object_mask[::2, ::2]),
        depth=None if sample.depth is None else np.ascontiguousarray(sample.depth[::2, ::2]),
        camera=Camera(sample.camera.focal / 2, sample.camera.center / 2),
        human_box=None if sample.human_box is None else sample.human_box / 2,
        object_box=None if sample.object_box is None else sample.object_box / 2,
    )


def test_pictures_with_company_are_sound_samples(tmp_path) -> None:
    tree, two = tmp_path / "one", tmp_path / "two"
    whole = synthetic_sample("ball")
    for name, sample in (("ball", whole), ("chair", halved(whole))):
        save_sample(sample, tree / name / "do_1")
    join = ["company", f"--data={tree}", f"--out={two}"]
    inside = ["company", f"--data={tree}", f"--out={tree / 'two'}"]
    [made, again, refused] = run_all(join, join, inside)
    assert made[0] == again[0] == 0
    assert "2 pictures with two people written, 0 were there" in made[1]
    assert "0 pictures with two people written, 2 were there" in again[1]
    assert "lies in --data" in str(refused[0])
    for name in ("ball", "chair"):
        before, after = load_sample(tree / name / "do_1"), load_sample(two / name / "do_1")
        assert not [problem for problem in check_sample(two / name / "do_1") if problem.severity == "error"]
        assert after.image.shape[0] == before.image.shape[0]
        assert after.image.shape[1] > before.image.shape[1] + 25
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
    broken = tree / "cup" / "do_2"
    shutil.copytree(tree / "chair" / "do_1", broken)
    (broken / "annotations.json").write_text("{")
    (broken / "h_mesh.obj").write_text("v 0 0\n")
    [asked, without] = run_all([f"--data={two}", f"--out={tmp_path / 'out'}"], join)
    assert asked[0] == 0
    assert "2 of 2 samples" in asked[1]
    assert "0 pictures with two people written, 2 were there, 1 failed" in without[1]
    assert "could not be joined" in str(without[0])
    assert "cup/do_2" in str(without[0])


def test_company_is_of_another_action_and_object() -> None:
    words = [("hold", "ball"), ("hold", "cup"), ("kick", "ball"), ("ride", "horse")]
    assert [company_of(words, k) for k in range(4)] == [3, 2, 3, 0]
    assert company_of([("hold", "ball"), ("hold", "ball")], 0) == 1
    with pytest.raises(ValueError, match="no company"):
        company_of(words[:1], 0)
