"""Nothing is lost: kill -9 of the driver and of workers at random moments, and the same command until all is done."""

import random
import time

import pytest

from hoijax.dataset.ledger import counts, names_in, read_ledger, rows

pytestmark = pytest.mark.slow

SAMPLES = 250
KILLS = 9


def test_killed_at_random_moments_it_goes_on_where_it_was(light, tree, tmp_path, standing, pattern, wait_until) -> None:
    chance = random.Random(7)
    data, out = tree(SAMPLES), tmp_path / "out"
    finished: dict[str, tuple[int, int]] = {}
    hurt = 0
    for _ in range(KILLS):
        program = light(data, out)
        if chance.random() < 0.3:  # while it starts
            time.sleep(chance.uniform(0.5, 4.0))
        else:  # while it works
            goal = len(finished) + chance.randint(1, 20)
            assert wait_until(lambda goal=goal: len(standing(out)) >= goal)
            time.sleep(chance.uniform(0.0, 0.1))
            if chance.random() < 0.5:
                program.kill(chance.choice(program.workers()))
                hurt += 1
                time.sleep(chance.uniform(0.0, 0.5))
        program.kill()
        assert program.gone(), "a process outlived its driver"
        now = standing(out)
        assert finished.items() <= now.items(), "a finished folder was touched"
        for name in now.keys() - finished.keys():
            sizes = {file.name: file.stat().st_size for file in (out / name).iterdir()}
            assert sizes == {file.name: file.stat().st_size for file in pattern.iterdir()}, "half a result"
        finished = now
    assert hurt > 1, "no worker was killed: take another seed"
    status, _, errors = light(data, out).end()
    assert status == 0, errors
    assert finished.items() <= standing(out).items()
    assert len(standing(out)) == SAMPLES
    assert not list(out.rglob(".*")), "something half written is left"
    ledger = read_ledger(out)
    assert counts(ledger) == {"waiting": 0, "done": SAMPLES, "failed": 0}
    assert max(row.attempts for row in rows(ledger, "done")) == 1


def test_killed_in_the_middle_of_doing_all_anew_it_goes_on(light, tree, tmp_path, standing, wait_until) -> None:
    data, out = tree(60), tmp_path / "out"
    assert light(data, out, seconds=0.0).end()[0] == 0
    first = standing(out)
    program = light(data, out, "--overwrite", seconds=0.2)
    assert wait_until(lambda: sum(first[name] != now for name, now in standing(out).items()) > 5)
    program.kill()
    assert program.gone()
    between = standing(out)
    again = {name for name in between if between[name] != first[name]}
    assert 5 < len(again) < 60
    assert light(data, out, "--overwrite", seconds=0.0).end()[0] == 0
    last = standing(out)
    assert len(last) == 60
    assert all(last[name] != first[name] for name in last), "an old result was taken for a new one"
    assert all(last[name] == between[name] for name in again), "a new result was made twice"
    assert not list(out.rglob(".*"))


def test_a_sample_that_kills_its_workers_is_set_aside_alone(light, tree, tmp_path) -> None:
    data, out = tree(20), tmp_path / "out"
    (data / "ball" / "hold_3" / "kill").touch()
    status, _, errors = light(data, out, "--workers=2").end()
    assert status == 1, errors
    ledger = read_ledger(out)
    (failed,) = rows(ledger, "failed")
    assert (failed.name, failed.stage) == ("ball/hold_3", "worker")
    assert "killed by signal 9" in failed.reason
    assert len(names_in(ledger, "done")) == 19
    (data / "ball" / "hold_3" / "kill").unlink()
    assert light(data, out).end()[0] == 1, "a failed sample is not tried again unasked"
    assert light(data, out, "--retry_failed").end()[0] == 0


def test_when_every_worker_dies_the_run_ends_and_nothing_has_failed(light, tree, tmp_path) -> None:
    data, out = tree(40), tmp_path / "out"
    for sample in data.glob("*/*"):
        (sample / "kill").touch()
    status, _, errors = light(data, out, "--workers=2").end()
    assert status == 2
    assert "workers in a row died" in errors
    assert counts(read_ledger(out))["done"] == 0
    assert counts(read_ledger(out))["waiting"] > 30
