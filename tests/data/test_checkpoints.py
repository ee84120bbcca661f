"""A fit that is killed goes on from its checkpoint, to the same bits."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hoijax.config import Capacity
from hoijax.data.checkpoints import FOLDER, keeper, load_checkpoint, remove_checkpoints, save_checkpoint
from hoijax.optimize.fit import Saved
from hoijax.optimize.step import FitState, Trace
from hoijax.types import SdfGrid

ROOT = Path(__file__).resolve().parents[2]


def make_saved(done: int, size: int = 3) -> Saved:
    numbers = jnp.arange(size, dtype=jnp.float32) + done
    counts = np.full((1, 2), 7, np.int32)
    trace = Trace(np.full((1, 2), 0.5, np.float32), {"l1_joint": np.ones((1, 2), np.float32)}, counts, counts, counts)
    state = FitState({"params": numbers}, {"nu": numbers, "empty": {}})
    grid = SdfGrid(jnp.ones((2, 2, 2)), jnp.zeros(3), jnp.float32(0.1))
    return Saved(1, done, state, grid, Capacity(64, 8), (trace,) * done, ("a note", "über"))


def assert_same(one: Saved, two: Saved) -> None:
    assert jax.tree.structure(one) == jax.tree.structure(two)
    for left, right in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        np.testing.assert_array_equal(left, right)


def test_the_newest_comes_back_whole_and_alone(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER / "cup" / "key"
    for done in (1, 2, 12):
        save_checkpoint(folder, make_saved(done))
    found = load_checkpoint(folder, make_saved(1).state)
    assert found is not None
    assert_same(found, make_saved(12))
    assert [path.name for path in folder.iterdir()] == ["3"]
    remove_checkpoints(folder)
    assert [*tmp_path.iterdir()] == []


def test_none_where_there_is_none_or_none_that_fits(tmp_path: Path) -> None:
    like = make_saved(1).state
    assert load_checkpoint(tmp_path / "nothing", like) is None
    save_checkpoint(tmp_path / "key", make_saved(1, size=4))
    assert load_checkpoint(tmp_path / "key", like) is None  # of other shapes
    save_checkpoint(tmp_path / "damaged", make_saved(1))
    for file in (tmp_path / "damaged").rglob("*"):
        if file.is_file():
            file.write_bytes(b"")
    assert load_checkpoint(tmp_path / "damaged", like) is None


def test_a_keeper_waits_its_time(tmp_path: Path) -> None:
    eager, patient = keeper(tmp_path / "eager", 0.0), keeper(tmp_path / "patient", 3600.0)
    for done in (1, 2):
        eager(make_saved(done))
        patient(make_saved(done))
    found = load_checkpoint(tmp_path / "eager", make_saved(1).state)
    assert found is not None
    assert found.done == 2
    assert not (tmp_path / "patient").exists()


@pytest.mark.slow
def test_reconstruct_goes_on_after_kill_9(tmp_path: Path) -> None:
    """Killed after a checkpoint, started again: the same history as without the kill, and nothing is left behind."""
    scenes = tmp_path / "scenes"
    python = [sys.executable]
    subprocess.run([*python, "experiments/make_scenes.py", f"--out={scenes}", "--names=ball"], cwd=ROOT, check=True)
    steps = ["--config.image_size=128", "--config.block_steps=2", "--config.render.steps=30", "--config.hoi.steps=30"]
    command = [*python, "experiments/reconstruct.py", f"--data={scenes}", "--checkpoint_seconds=0", *steps]
    subprocess.run([*command, f"--out={tmp_path / 'whole'}"], cwd=ROOT, check=True, capture_output=True)

    cut = tmp_path / "cut"
    process = subprocess.Popen(
        [*command, f"--out={cut}"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 240
    # os.walk passes over folders that vanish under its eyes, which rglob does not
    while not any(name.isdigit() and int(name) > 3 for _, folders, _ in os.walk(cut) for name in folders):
        assert process.poll() is None, "ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not [*cut.rglob("result.json")]

    again = subprocess.run([*command, f"--out={cut}"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert "goes on after step" in again.stderr + again.stdout
    one, two = (next((tmp_path / name).rglob("history.npz")) for name in ("whole", "cut"))
    with np.load(one) as left, np.load(two) as right:
        assert left.files == right.files
        for name in left.files:
            np.testing.assert_array_equal(left[name], right[name])
    assert not (cut / FOLDER).exists()
