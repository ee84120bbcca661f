"""The doctor, as a program: flags, the file instead of them, its table and its exit code."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from third_party_wrappers.declare import Tool

ROOT = Path(__file__).resolve().parents[2]


def doctor(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "experiments" / "doctor.py"), *flags]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def of(model: str, printed: str) -> str:
    """The lines about one model, as one line."""
    lines = printed.split("\n")
    first = next(number for number, line in enumerate(lines) if line.startswith(model))
    after = (n for n, line in enumerate(lines) if n > first and not line.startswith(" "))
    return " ".join(" ".join(lines[first : next(after)]).split())


def test_with_nothing_it_tells_what_is_missing_and_what_works():
    ran = doctor()
    assert ran.returncode == 0, ran.stderr
    assert "not usable - no python given (--sam_python) - no checkpoint given (--sam_checkpoint)" in of(
        "sam", ran.stdout
    )
    assert "no repository given (--osx_repository)" in of("osx", ran.stdout)
    assert "without it: a landmark network finds the person" in of("sam", ran.stdout)
    assert "Without any of them" in ran.stdout


def test_an_environment_is_asked_and_a_gap_is_an_error(tmp_path):
    weights = tmp_path / "weights.pkl"
    weights.touch()
    ran = doctor(f"--detectron2_python={sys.executable}", f"--detectron2_checkpoint={weights}", "--sam_device=cpu")
    assert ran.returncode == 1
    version = ".".join(map(str, sys.version_info[:3]))
    assert f"detectron2 cannot be imported by python {version} there (ModuleNotFoundError" in of(
        "detectron2", ran.stdout
    )


def test_the_file_stands_for_the_flags_which_win(tmp_path):
    file = tmp_path / "tools.json"
    file.write_text(json.dumps({"sam": {"python": "env/python", "checkpoint": "weights"}, "clip": {"python": "/gone"}}))
    (tmp_path / "weights").mkdir()
    ran = doctor(f"--tools={file}", f"--clip_python={sys.executable}")
    assert ran.returncode == 1
    assert f"python {tmp_path}/env/python is not there" in of("sam", ran.stdout)  # paths start where the file is
    assert "checkpoint" not in of("sam", ran.stdout)
    assert "/gone" not in ran.stdout


def test_a_file_that_is_wrong_is_refused_in_a_sentence(tmp_path):
    file = tmp_path / "tools.json"
    for content, words in [
        ("{", "cannot be read as JSON"),
        ("[]", "expected"),
        ('{"sammy": {}}', "there is no model sammy"),
        ('{"sam": {"pyton": "x"}}', "sam has no pyton"),
        ('{"sam": {"python": 3}}', "sam.python is 3, expected a text"),
        ('{"sam": {"time_limit": "long"}}', "expected a number"),
    ]:
        file.write_text(content)
        ran = doctor(f"--tools={file}")
        assert ran.returncode == 1
        assert words in ran.stderr
        assert "Traceback" not in ran.stderr


def test_every_entry_of_the_file_is_also_a_flag(tmp_path):
    file = tmp_path / "tools.json"
    file.write_text(json.dumps({"osx": {"time_limit": 60, "device": "cpu"}}))
    given = {"python": "python", "repository": "/r", "checkpoint": "/c", "device": "cuda:1", "time_limit": "90"}
    assert set(given) == {field.name for field in fields(Tool)}
    words = [f"--tools={file}", "--sam_time_limit=5", *(f"--osx_{name}={value}" for name, value in given.items())]
    program = (
        "import sys; from absl import flags; from wrapper_flags import tools; flags.FLAGS(sys.argv); "
        "given = tools(); print(given['osx'], given['sam'])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=ROOT / "experiments",
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    osx = Tool("python", Path("/r"), Path("/c"), "cuda:1", 90.0)
    assert said.stdout.strip() == f"{osx} {Tool(time_limit=5.0)}"
