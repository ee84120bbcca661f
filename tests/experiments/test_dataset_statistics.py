"""The program: a run that is killed goes on, and what was called wrongly says so."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hoijax.data.synthetic import synthetic_sample
from hoijax.data.write import save_sample

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "experiments" / "dataset_statistics.py"

pytestmark = pytest.mark.slow

if not sys.platform.startswith("linux"):
    pytest.skip("finds processes by /proc", allow_module_level=True)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("scenes") / "tree"
    made = synthetic_sample("bottle")
    for number in range(4):
        save_sample(made, tree / made.category / f"hold_{number}")
    return tree


def command(*flags: str) -> list[str]:
    return [sys.executable, str(PROGRAM), *flags]


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    return subprocess.run(command(*flags), capture_output=True, text=True, env=environment, timeout=300)


def tables(out: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted((out / "tables").iterdir())}


def test_a_killed_run_goes_on_and_ends_in_the_same_numbers(scenes: Path, tmp_path: Path) -> None:
    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    process = subprocess.Popen(
        command(f"--data={scenes}", f"--out={stopped}", "--workers=1"),
        env=environment,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + 200
    while len(rows(stopped)) < 2 and time.monotonic() < end and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = len(rows(stopped))
    assert 2 <= kept < 4
    assert not (stopped / "index.html").exists()
    again = run(f"--data={scenes}", f"--out={stopped}", "--workers=2")
    assert again.returncode == 0, again.stderr
    assert f"4 samples ({kept} known already), 0 left out" in again.stdout
    shutil.rmtree(whole, ignore_errors=True)
    assert run(f"--data={scenes}", f"--out={whole}", "--workers=1").returncode == 0
    assert tables(stopped) == tables(whole)


def test_a_worker_that_dies_costs_no_sample(scenes: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    call = command(f"--data={scenes}", f"--out={tmp_path / 'out'}", "--workers=2")
    process = subprocess.Popen(call, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    killed = 0
    while process.poll() is None and not killed:
        for child in workers(process.pid)[:1]:
            os.kill(child, signal.SIGKILL)
            killed = child
        time.sleep(0.02)
    said, _ = process.communicate(timeout=300)
    assert killed
    assert process.returncode == 0
    assert "4 samples (0 known already), 0 left out" in said


def test_an_interrupt_ends_the_run_with_samples_waiting(scenes: Path, tmp_path: Path) -> None:
    many, out = tmp_path / "many", tmp_path / "out"
    for number in range(40):
        shutil.copytree(scenes / "bottle" / "hold_0", many / "bottle" / f"hold_{number}")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    call = command(f"--data={many}", f"--out={out}", "--workers=2")
    process = subprocess.Popen(call, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while len(rows(out)) < 3 and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, said = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "the same command goes on" in said
    assert 3 <= len(rows(out)) < 30


def workers(pid: int) -> list[int]:
    """The worker processes that a process has started."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    except OSError:  # one ended while we looked
        return []


def rows(out: Path) -> list[Path]:
    return [path for path in (out / "rows").glob("*.json") if not path.name.startswith("parts_")]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--data=/nowhere"], "is not a folder"),
        (["--data={empty}"], "holds no sample"),
        (["--data={tree}", "--groups={empty}/none.json"], "none.json: cannot be read"),
        (["--data={tree}", "more"], "not a flag: more"),
    ],
)
def test_bad_calls_end_with_a_sentence(flags: list[str], said: str, scenes: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    given = [flag.format(empty=empty, tree=scenes) for flag in flags]
    done = run(*given, f"--out={tmp_path / 'out'}")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
