"""How a run begins and ends: Ctrl-C, two runs on one folder, other options, a look at it while it goes on."""

import os
import signal
import time

import pytest

from hoijax.dataset.ledger import counts, read_ledger

pytestmark = pytest.mark.slow


def test_ctrl_c_ends_after_what_is_in_work(light, tree, tmp_path, standing, wait_until) -> None:
    data, out = tree(60), tmp_path / "out"
    program = light(data, out, seconds=0.3)
    assert wait_until(lambda: len(standing(out)) > 1)
    os.killpg(program.process.pid, signal.SIGINT)  # as a terminal does: to every process
    status, _, errors = program.end()
    assert status == 130
    assert "ends after what is in work" in errors
    assert "the same command goes on" in errors
    assert "Traceback" not in errors
    assert program.gone()
    done = standing(out)
    assert 1 < len(done) < 60
    assert counts(read_ledger(out)) == {"waiting": 60 - len(done), "done": len(done), "failed": 0}
    assert not list(out.rglob(".*"))
    assert light(data, out, seconds=0.0).end()[0] == 0
    assert done.items() <= standing(out).items()


def test_a_second_ctrl_c_ends_at_once(light, tree, tmp_path, standing, wait_until) -> None:
    data, out = tree(6), tmp_path / "out"
    (data / "cup" / "hold_4" / "wait").touch()
    program = light(data, out)
    assert wait_until(lambda: len(standing(out)) == 5)
    program.process.send_signal(signal.SIGINT)
    time.sleep(1.5)
    assert program.process.poll() is None, "it did not wait for what is in work"
    program.process.send_signal(signal.SIGINT)
    assert program.end(20)[0] == 130
    assert program.gone()
    assert counts(read_ledger(out)) == {"waiting": 1, "done": 5, "failed": 0}


def test_only_one_run_writes_to_a_folder_and_all_may_look(light, tree, tmp_path, standing, wait_until, start) -> None:
    data, out = tree(6), tmp_path / "out"
    gate = data / "cup" / "hold_4" / "wait"
    gate.touch()
    program = light(data, out)
    assert wait_until(lambda: out.exists() and len(standing(out)) == 5)
    status, _, errors = light(data, out).end()
    assert status == 2
    assert f"process {program.process.pid} on {os.uname().nodename}" in errors
    assert "Traceback" not in errors
    status, seen, errors = start("experiments/dataset_run.py", f"--out={out}", "--status").end()
    assert status == 0, errors
    assert "6 samples: 1 waiting, 5 done, 0 failed" in seen
    assert f"driven by process {program.process.pid}" in seen
    program.kill()
    assert program.gone(), "a worker in the middle of its work outlived its driver"
    _, seen, _ = start("experiments/dataset_run.py", f"--out={out}", "--status").end()
    assert "which was killed" in seen
    gate.unlink()
    assert light(data, out).end()[0] == 0, "the lock outlived its holder"


def test_an_old_folder_takes_only_the_options_that_it_began_with(light, tree, tmp_path, standing) -> None:
    data, out = tree(4), tmp_path / "out"
    assert light(data, out).end()[0] == 0
    before = standing(out)
    status, _, errors = light(data, out, "--config.image_size=320", "--config.hoi.steps=7").end()
    assert status == 2
    assert "image_size" in errors
    assert "steps" in errors
    assert "--overwrite" in errors
    assert standing(out) == before
    assert light(data, out, "--config.seed=5", "--overwrite").end()[0] == 0
    assert not before.items() & standing(out).items()


def test_a_body_file_that_is_none_ends_the_run_before_it_wastes_time(start, tree, tmp_path) -> None:
    data, out = tree(4), tmp_path / "out"
    bad = tmp_path / "body.npz"
    bad.write_bytes(b"no body")
    options = (f"--data={data}", f"--out={out}", f"--body={bad}", "--workers=1")
    status, _, errors = start("experiments/dataset_run.py", *options).end()
    assert status == 2
    assert "no worker could start" in errors
    assert "body.npz" in errors
    assert "Traceback" not in errors
    assert counts(read_ledger(out)) == {"waiting": 4, "done": 0, "failed": 0}
