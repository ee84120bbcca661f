"""What becomes of a task that cannot be done, and how an error is told."""

import errno
from pathlib import Path

import pytest

from hoijax.dataset.clock import CompileClock
from hoijax.dataset.reconstruct import Kit, StageError, staged
from hoijax.dataset.sample_files import reason, undone
from hoijax.dataset.tasks import VANISHED, Outcome, Settings, Task
from hoijax.dataset.worker import outcome_of
from hoijax.presets import PRESETS

CONFIG = PRESETS["hoijax"]()


@pytest.fixture
def task(tmp_path) -> Task:
    return Task("cup/a_1", tmp_path / "data" / "cup" / "a_1", tmp_path / "out" / "cup" / "a_1")


def outcome(task: Task, **options: bool) -> Outcome:
    return outcome_of(task, Settings(CONFIG, **options), Kit(CONFIG, None, None, CompileClock()))


def test_a_sample_that_is_gone_has_vanished(task) -> None:
    found = outcome(task)
    assert (found.state, found.stage, found.reason) == ("failed", "read", VANISHED)


def test_a_sample_that_is_incomplete_says_what_it_lacks(task) -> None:
    task.folder.mkdir(parents=True)
    found = outcome(task)
    assert (found.state, found.stage) == ("failed", "read")
    assert "person_mask.png" in found.reason


def test_what_stands_in_the_way_is_told_before_any_work(task) -> None:
    task.folder.mkdir(parents=True)
    task.out.mkdir(parents=True)
    found = outcome(task)
    assert (found.state, found.stage) == ("failed", "write")
    assert str(task.out) in found.reason


def test_a_finished_result_is_not_made_again(task) -> None:
    task.out.mkdir(parents=True)
    (task.out / "result.json").write_text("{}")
    assert outcome(task) == Outcome("cup/a_1", "done")
    assert outcome(task, overwrite=True).state == "failed"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_not_the_samples_fault(task, number) -> None:
    task.out.parent.mkdir(parents=True)
    for stage in ("write", "fit"):  # a long fit writes checkpoints
        found = undone(task, raised(stage, OSError(number, "no room")), {})
        assert found.state == "waiting"
        assert "MB are free" in found.reason
    assert undone(task, raised("read", OSError(number, "no room")), {}).state == "failed"
    assert undone(task, raised("write", OSError(errno.EACCES, "not yours")), {}).state == "failed"


def raised(stage: str, error: Exception) -> StageError:
    with pytest.raises(StageError) as caught, staged(stage, {}):
        raise error
    return caught.value


def test_an_unexpected_error_says_where_it_came_from() -> None:
    error = raised("prepare", KeyError("x"))
    assert (
        reason(error.__cause__)
        == f"KeyError: 'x' ({Path(__file__).name}:{error.__cause__.__traceback__.tb_next.tb_lineno})"
    )
