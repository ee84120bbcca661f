"""The program for template libraries, run as a user runs it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "experiments/templates.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    for category, mesh in (("ball", trimesh.creation.icosphere(2)), ("plank", trimesh.creation.box((4, 1, 0.2)))):
        (folder / category).mkdir(parents=True)
        mesh.export(folder / category / f"{category}.ply")
    (folder / "plank" / "bad.obj").write_text("nothing\n")
    return folder


@pytest.mark.slow
def test_index_stats_and_nearest(library: Path, tmp_path: Path) -> None:
    done = run("index", f"--library={library}")
    assert done.returncode == 0, done.stderr
    assert "2 categories, 2 templates, 0 of them not watertight" in done.stdout
    assert "set aside: plank/bad.obj: has no vertices" in done.stdout
    assert Image.open(library / "sheet.png").size[0] > 300
    assert run("stats", f"--library={library}").stdout == done.stdout
    mask = np.zeros((90, 120), np.uint8)
    mask[30:50, 20:100] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    found = run("nearest", f"--library={library}", f"--mask={tmp_path / 'mask.png'}", f"--out={tmp_path / 'found.png'}")
    assert found.returncode == 0, found.stderr
    first = found.stdout.splitlines()[1].split()
    assert first[0] == "plank/plank"
    assert float(first[1]) > 0.9
    assert "no category given: all 2 templates compared" in found.stdout
    assert Image.open(tmp_path / "found.png").size[0] == 3 * 180


@pytest.mark.slow
def test_misuse_ends_with_a_sentence(tmp_path: Path) -> None:
    for arguments, sentence in (
        (("sort",), "expected one of builtin, index, stats, nearest"),
        (("stats", f"--library={tmp_path}"), "has no index.json"),
        (("nearest", f"--library={tmp_path}"), "give --sample=DIR or --mask=PNG"),
    ):
        done = run(*arguments)
        assert done.returncode == 2
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
