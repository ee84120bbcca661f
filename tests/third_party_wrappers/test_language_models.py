"""The real main.py of Qwen2.5 on a tiny random checkpoint, and that of PointLLM on a stand-in of its repository."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from third_party_wrappers.contract import Job, Tool, import_existing, run
from third_party_wrappers.registry import wrappers

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE / "repositories" / "pointllm"

# Run by the models' environment: which word the checkpoint finds likeliest, each word by itself and with its whole text.
ORACLE = """
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
folder, turn, words = sys.argv[1], sys.argv[2], sys.argv[3:]
tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder).eval()
scores = []
for word in words:
    start = "<|im_start|>user\\n" + turn + "<|im_end|>\\n<|im_start|>assistant\\n"
    first = len(tokenizer(start, add_special_tokens=False).input_ids)
    ids = torch.tensor([tokenizer(start + word + "<|im_end|>", add_special_tokens=False).input_ids])
    with torch.inference_mode():
        log = torch.log_softmax(model(ids).logits[0].float(), -1)
    scores.append(sum(float(log[k - 1, ids[0, k]]) for k in range(first, ids.shape[1])))
print(json.dumps(scores))
"""


def models_run(python: str, *arguments: str) -> str:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    environment.pop("PYTHONPATH", None)
    return subprocess.run([python, *arguments], check=True, env=environment, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def checkpoint(models_python, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "qwen"
    models_run(models_python, str(HERE / "tiny_language_model.py"), str(folder))
    return folder


def saved(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def answers(job: Job) -> list[str]:
    return json.loads((job.out / "answers.json").read_text())


@pytest.mark.slow
def test_qwen_writes_and_picks(models_python, checkpoint, tmp_path):
    words = ["cup", "sit on a bench", "the bench", "hold"] * 5  # more than are scored at once
    words = [f"{word} {k}" if k >= 4 else word for k, word in enumerate(words)]
    turn = "which of these names fits best?"
    files = {"turns": saved(tmp_path / "turns.json", [turn]), "words": saved(tmp_path / "words.json", words)}
    two = {**files, "turns": saved(tmp_path / "two.json", ["say", turn])}
    jobs = [
        Job(files, tmp_path / "out" / "score", {"mode": "score"}),
        Job(files, tmp_path / "out" / "write", {"max_new_tokens": 8}),
        Job(files, tmp_path / "out" / "again", {"max_new_tokens": 8}),
        Job(two, tmp_path / "out" / "two", {"max_new_tokens": 8}),
        Job(files, tmp_path / "out" / "wrong", {"mode": "guess"}),
    ]
    tool = Tool(models_python, checkpoint=checkpoint, device="cpu", time_limit=120.0)
    outcomes = run(wrappers()["qwen"], tool, jobs)
    assert [outcome.state for outcome in outcomes] == ["done"] * 4 + ["failed"], outcomes
    assert "expected write or score" in outcomes[4].error
    scores = json.loads(models_run(models_python, "-c", ORACLE, str(checkpoint), turn, *words))
    assert answers(jobs[0]) == [words[int(np.argmax(scores))]]
    written = answers(jobs[1])
    assert written[0]
    assert "<|im_end|>" not in written[0]
    assert answers(jobs[2]) == written
    assert len(answers(jobs[3])) == 2


@pytest.mark.slow
def test_pointllm_holds_a_conversation_about_the_cloud(models_python, checkpoint, tmp_path):
    rng = np.random.default_rng(0)
    cloud, bad = tmp_path / "cloud.npy", tmp_path / "bad.npy"
    np.save(cloud, rng.random((100, 6), np.float32))
    np.save(bad, rng.random((100, 3), np.float32))
    turns = saved(tmp_path / "turns.json", ["say", "which of these"])
    jobs = [
        Job({"cloud": cloud, "turns": turns}, tmp_path / "out" / "well"),
        Job({"cloud": bad, "turns": turns}, tmp_path / "out" / "bad"),
        Job({"cloud": cloud, "turns": turns}, tmp_path / "out" / "long", {"max_length": 12}),
        Job({"cloud": cloud, "turns": turns}, tmp_path / "out" / "sampled", {"sample": True}),
        Job({"cloud": cloud, "turns": turns}, tmp_path / "out" / "other", {"sample": True, "seed": 1}),
    ]
    tool = Tool(models_python, REPOSITORY, checkpoint, device="cpu", time_limit=120.0)
    outcomes = run(wrappers()["pointllm"], tool, jobs)
    assert [outcome.state for outcome in outcomes] == ["done", "failed", "failed", "done", "done"], outcomes
    assert "has the shape (100, 3)" in outcomes[1].error
    assert "the limit is 12" in outcomes[2].error
    # the cloud stands in the first turn only, and stays there in the second
    assert answers(jobs[0]) == ["points 100 patches 4 turn 1", "points 100 patches 4 turn 2"]
    assert "sampled" in answers(jobs[3])[0]
    assert answers(jobs[3]) != answers(jobs[4])


def test_answers_from_elsewhere_are_checked(tmp_path):
    cloud = tmp_path / "cloud.npy"
    np.save(cloud, np.zeros((4, 6), np.float32))
    job = Job({"cloud": cloud, "turns": saved(tmp_path / "turns.json", ["one", "two"])}, tmp_path / "out")
    for content, told in (
        ({"a": 1}, "is no list of texts"),
        ([1, 2], "is no list of texts"),
        (["one"], "has 1 answers to 2 turns"),
    ):
        outcome = import_existing(wrappers()["pointllm"], {"answers.json": saved(tmp_path / "mine", content)}, job)
        assert outcome.state == "failed"
        assert told in outcome.error
    outcome = import_existing(wrappers()["pointllm"], {"answers.json": saved(tmp_path / "mine", ["a", ""])}, job)
    assert outcome.error is None
    assert answers(job) == ["a", ""]
