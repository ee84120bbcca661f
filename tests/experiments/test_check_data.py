"""The program that checks data: what it prints, what it writes, how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "experiments/check_data.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A tree of one sample with nothing but an empty mask, in a folder with a space."""
    folder = tmp_path / "data set" / "coffee cup" / "drinking_98"
    folder.mkdir(parents=True)
    Image.new("L", (64, 48)).save(folder / "object_mask.png")
    return folder


def test_errors_end_with_one(broken: Path, tmp_path: Path) -> None:
    done = run(f"--data={broken.parent.parent}", f"--json={tmp_path / 'problems.json'}")
    assert done.returncode == 1
    assert str(broken) in done.stdout
    assert "error    object_mask.png  is empty: no pixel is above 127" in done.stdout
    assert "error    .                has no h_mesh.obj" in done.stdout
    assert done.stdout.endswith("1 sample checked, 0 without problems: 6 errors, 0 warnings\n")
    assert "Traceback" not in done.stderr
    (content,) = json.loads((tmp_path / "problems.json").read_text()).values()
    assert {"severity": "error", "file": ".", "message": "has no h_mesh.obj"} in content
    assert len(content) == 6


def test_a_sound_sample_ends_with_zero(basket: Path) -> None:
    done = run(f"--data={basket}")
    assert done.returncode == 0, done.stdout
    assert done.stdout == "1 sample checked, 1 without problems: 0 errors, 0 warnings\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --data=DIR"),
        (["--data=/nowhere/at/all"], "/nowhere/at/all: is not a folder"),
        (["--dota=x"], "Unknown command line flag 'dota'"),
    ],
)
def test_misuse_ends_with_two(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_help_reads_well() -> None:
    done = run("--help")
    assert "List every problem of a sample folder" in done.stdout
    assert "--data: A sample folder in the Open3DHOI layout, or a tree of them." in done.stdout
