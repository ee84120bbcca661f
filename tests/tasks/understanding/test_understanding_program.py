"""The program as a user runs it: real processes, models that die, a real kill in the middle."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
REPOSITORY = ROOT / "tests" / "third_party_wrappers" / "repositories" / "pointllm"


def command(tree: Path, out: Path, *flags: str) -> list[str]:
    program = str(ROOT / "experiments" / "understanding.py")
    return [sys.executable, program, f"--data={tree}", f"--out={out}", *flags]


def understanding(tree: Path, out: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command(tree, out, *flags), capture_output=True, text=True, env=environment)


def rows(out: Path) -> dict[str, dict[str, str]]:
    with open(out / "scores.csv") as file:
        return {row["question"]: row for row in csv.DictReader(file)}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with tools.json, whose models are played, and their checkpoint."""
    folder = tmp_path / "models"
    (folder / "checkpoint").mkdir(parents=True)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE / "stand_in_models.py"}" "$@"\n')
    python.chmod(0o755)
    shutil.copytree(REPOSITORY, folder / "repository", ignore=shutil.ignore_patterns("__pycache__"))
    entry = {"python": str(python), "checkpoint": "checkpoint", "device": "cpu", "time_limit": 60}
    tools = {"pointllm": {**entry, "repository": "repository"}, "qwen": entry}
    (folder / "tools.json").write_text(json.dumps(tools))
    return folder


def count(models: Path, name: str) -> int:
    path = models / "checkpoint" / name
    return len(path.read_text().splitlines()) if path.is_file() else 0


@pytest.mark.slow
def test_a_model_that_dies_on_a_sample_costs_that_sample_until_the_next_run(tree, models, tmp_path) -> None:
    out, tools = tmp_path / "out", f"--tools={models / 'tools.json'}"
    (models / "checkpoint" / "crash").write_text("hold_2")
    ran = understanding(tree, out, tools)
    assert ran.returncode == 1
    assert "4 of 16 questions have no word yet" in ran.stderr
    assert "hold_2" in ran.stderr
    first = rows(out)
    assert {row["n"] for row in first.values()} == {"3"}
    assert {row["failed"] for row in first.values()} == {"1"}
    # it is loaded again after each of the four crashes, and once for the other model
    assert count(models, "loads") <= 6
    assert first["object"]["top1"] == "1.0"
    asked = count(models, "asked")
    (models / "checkpoint" / "crash").unlink()
    ran = understanding(tree, out, tools)
    assert ran.returncode == 0, ran.stderr
    assert count(models, "asked") - asked == 8  # four answers and four picks
    assert {row["n"] for row in rows(out).values()} == {"4"}
    assert (out / "clouds" / "cup" / "hold_2.npy").is_file()
    assert not list((out / "work").glob("*/answers.json"))
    page = (out / "answers.html").read_text()
    assert "cup, or a mug" in page
    asked = count(models, "asked")
    assert understanding(tree, out, tools).returncode == 0
    assert count(models, "asked") == asked


@pytest.mark.slow
def test_a_kill_costs_nothing_that_was_answered(tree, models, tmp_path) -> None:
    out, tools = tmp_path / "out", f"--tools={models / 'tools.json'}"
    (models / "checkpoint" / "slow").write_text("0.3")
    log = out / "answers.jsonl"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command(tree, out, tools), env=environment, stderr=subprocess.DEVNULL) as running:
        while not (log.is_file() and log.read_bytes().count(b"\n") >= 5):
            assert running.poll() is None
            time.sleep(0.02)
        os.kill(running.pid, signal.SIGINT)
        assert running.wait(60) == 128 + signal.SIGINT
    with subprocess.Popen(command(tree, out, tools), env=environment, stderr=subprocess.DEVNULL) as running:
        begun = log.read_bytes().count(b"\n")
        while log.read_bytes().count(b"\n") < begun + 2:
            assert running.poll() is None
            time.sleep(0.02)
        os.kill(running.pid, signal.SIGKILL)
    kept = log.read_bytes().count(b"\n")
    whole = log.read_bytes()
    log.write_bytes(whole + b'{"sample": "bench/sit_on_3", "quest')  # as if killed while it wrote
    (models / "checkpoint" / "slow").write_text("0")
    (models / "checkpoint" / "asked").unlink()
    ran = understanding(tree, out, tools)
    assert ran.returncode == 0, ran.stderr
    assert "the last line was cut short" in ran.stderr
    assert log.read_bytes().startswith(whole)
    assert count(models, "asked") <= 32 - kept
    assert {row["n"] for row in rows(out).values()} == {"4"}


@pytest.mark.slow
def test_without_models_the_nearest_cloud_answers(tree, tmp_path) -> None:
    out = tmp_path / "out"
    ran = understanding(tree, out, "--answerer=nearest")
    assert ran.returncode == 0, ran.stderr
    assert {row["top1"] for row in rows(out).values()} == {"1.0"}
    assert {row["chance"] for row in rows(out).values()} == {"0.5"}
    assert "published" in ran.stdout.lower()
    again = understanding(tree, out, "--answerer=nearest", "--points=500")
    assert again.returncode == 1
    assert "cloud.points is now 500, was 8192" in again.stderr
    other = understanding(tree, tmp_path / "own", "--answerer=nearest", f"--reference={tree}")
    assert other.returncode == 1
    assert "nothing to compare with" in other.stderr


@pytest.mark.slow
def test_what_is_missing_is_told_before_anything_is_done(tree, tmp_path) -> None:
    ran = understanding(tree, tmp_path / "out")
    assert ran.returncode == 1
    assert "pointllm: no python given (--pointllm_python)" in ran.stderr
    assert "qwen: no python given" in ran.stderr
    assert not (tmp_path / "out" / "options.json").exists()
    for flags, told in (
        (["--questions=colour"], "there are object, action"),
        (["--answerer=nearest", "--words=nowhere.json"], "nowhere.json"),
        (["--answerer=nearest", "--share=2"], "share is 2.0"),
        (["--answerer=nearest", "--scored", "--sampled"], "picker=match: --sampled, --scored"),
        (
            ["--answers=nowhere", "--reference=x", "--up=z"],
            "of no use with --answers, --picker=qwen: --up, --reference",
        ),
    ):
        ran = understanding(tree, tmp_path / "out", *flags)
        assert ran.returncode == 1
        assert told in ran.stderr
        assert "Traceback" not in ran.stderr


@pytest.mark.slow
def test_answers_that_the_user_has_are_read_and_what_lacks_is_told(tree, tmp_path) -> None:
    mine, out = tmp_path / "mine.jsonl", tmp_path / "out"
    said = {"cup/hold_1": "a <b>cup</b>", "cup/hold_2": "cup or bench", "bench/sit_on_3": "a sofa"}
    lines = [json.dumps({"sample": name, "question": "object", "answer": answer}) for name, answer in said.items()]
    mine.write_text("\n".join(lines))
    flags = f"--answers={mine}", "--picker=match", "--questions=object"
    ran = understanding(tree, out, *flags)
    assert ran.returncode == 1
    assert "bench/sit_on_4, object: was never asked" in ran.stderr
    row = rows(out)["object"]
    numbers = {name: float(row[name]) for name in ("n", "top1", "no_word", "several", "failed")}
    assert numbers == {
        "n": 3,
        "top1": pytest.approx(1 / 3),
        "no_word": pytest.approx(1 / 3),
        "several": pytest.approx(1 / 3),
        "failed": 1,
    }
    page = (out / "answers.html").read_text()
    assert "&lt;b&gt;cup" in page
    assert "<b>cup</b></" not in page.replace("<td><b>cup</b></td>", "")
    mine.write_text("\n".join([lines[0].replace("cup</b>", "bench</b>"), *lines[1:2]]))
    ran = understanding(tree, out, *flags)
    assert "bench/sit_on_3, object: is no longer in" in ran.stderr
    assert [float(rows(out)["object"][name]) for name in ("n", "top1", "failed")] == [2.0, 0.0, 2.0]
    mine.write_text("\n".join([*lines, json.dumps({"sample": "cup/none", "question": "object", "answer": "cup"})]))
    ran = understanding(tree, out, *flags)
    assert ran.returncode == 1
    assert "has no sample cup/none" in ran.stderr
