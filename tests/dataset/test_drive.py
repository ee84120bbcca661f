"""The driver, with a crew that lives in this process: who gets what, and what becomes of the tasks of the dead."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from hoijax.dataset.drive import LOSSES, ROW, SUSPECT, Ending, drive
from hoijax.dataset.ledger import add_samples, counts, losses, open_ledger, rows
from hoijax.dataset.tasks import Lost, Outcome, Task
from hoijax.presets import PRESETS


class Rehearsal:
    """A crew whose workers do one task at each look. `deadly` tasks kill them, `full` ones find no room."""

    def __init__(self, count: int, deadly: Sequence[str] = (), full: Sequence[str] = (), hopeless: int = 0) -> None:
        self.rows: dict[str, list[Task]] = {f"w{i}": [] for i in range(count)}
        self.begun: list[tuple[str, str]] = []
        self.longest, self.alone = 0, True
        self.deadly, self.full, self.hopeless = deadly, full, hopeless
        self.stopping, self.born = False, count

    def workers(self) -> list[str]:
        return list(self.rows)

    def give(self, worker: str, tasks: Sequence[Task]) -> None:
        assert not self.stopping
        self.rows[worker] += tasks
        self.longest = max(self.longest, len(self.rows[worker]))
        if any(task.losses >= SUSPECT for task in self.rows[worker]):
            self.alone &= len(self.rows[worker]) == 1

    def take(self, timeout: float) -> list[Outcome | Lost]:
        news: list[Outcome | Lost] = []
        for name in list(self.rows):
            if self.hopeless:
                self.hopeless -= 1
                del self.rows[name]
                news.append(Lost(name, "no such file", hopeless=True))
            elif self.stopping:
                del self.rows[name]
            elif self.rows[name]:
                news.append(self.done(name, self.rows[name].pop(0)))
        return news

    def done(self, name: str, task: Task) -> Outcome | Lost:
        self.begun.append((name, task.name))
        if task.name in self.deadly:
            del self.rows[name]
            self.rows[f"w{self.born}"] = []
            self.born += 1
            return Lost(name, "killed by signal 9")
        if task.name in self.full:
            return Outcome(task.name, "waiting", "write", "no room left", worker=name)
        return Outcome(task.name, "done", seconds={"fit": 1.0}, worker=name)

    def stop(self) -> None:
        self.stopping = True

    def kill(self) -> None:
        self.rows.clear()


@pytest.fixture
def run(tmp_path):
    """Drives a crew through so many tasks: how it ended, the ledger, what was reported."""

    def go(crew: Rehearsal, count: int, asked=lambda: 0, known: bool = True, former: int = 0):
        names = [f"s{i:03}" for i in range(count)]
        ledger = open_ledger(tmp_path, PRESETS["hoijax"](), Path("/data"))
        add_samples(ledger, {name: Path("/data") / name for name in names})
        tasks = (Task(name, Path("/data") / name, tmp_path / name, former) for name in names)
        heard: list[Outcome | Lost] = []
        ending = drive(ledger, crew, tasks, asked, heard.append, **({"count": count} if known else {}))
        assert crew.workers() == []
        return ending, ledger, heard

    return go


@pytest.mark.parametrize("known", [True, False])
def test_every_task_is_done_once(run, known) -> None:
    crew = Rehearsal(3)
    ending, ledger, heard = run(crew, 40, known=known)
    assert ending == Ending("finished")
    assert counts(ledger) == {"waiting": 0, "done": 40, "failed": 0}
    assert (
        sorted(name for _, name in crew.begun) == sorted({one.name for one in heard}) == sorted(set(heard_names(heard)))
    )
    assert crew.longest == ROW


def heard_names(heard: list[Outcome | Lost]) -> list[str]:
    return [one.name for one in heard if isinstance(one, Outcome)]


def test_rows_shorten_so_that_all_end_together(run) -> None:
    crew = Rehearsal(4)
    run(crew, 8)
    assert {name for name, _ in crew.begun} == {"w0", "w1", "w2", "w3"}
    assert max(sum(name == own for own, _ in crew.begun) for name in ("w0", "w1", "w2", "w3")) == 2


def test_nothing_to_do_is_finished_at_once(run) -> None:
    assert run(Rehearsal(2), 0)[0] == Ending("finished")


def test_a_deadly_task_fails_alone_and_all_others_are_done(run) -> None:
    crew = Rehearsal(1, deadly=["s002", "s003"])
    ending, ledger, heard = run(crew, 12)
    assert ending == Ending("finished")
    assert [(row.name, row.stage, row.reason) for row in rows(ledger, "failed")] == [
        ("s002", "worker", "killed by signal 9"),
        ("s003", "worker", "killed by signal 9"),
    ]
    assert counts(ledger)["done"] == 10
    assert crew.alone
    assert sum(name == "s002" for _, name in crew.begun) <= LOSSES
    assert sum(isinstance(one, Lost) for one in heard) >= LOSSES


def test_losses_are_remembered_by_the_next_run(run) -> None:
    crew = Rehearsal(2, deadly=["s000"])
    ending, ledger, _ = run(crew, 1, asked=lambda: int(bool(crew.begun)))
    assert ending.kind == "asked"
    assert losses(ledger) == {"s000": 1}


def test_a_suspect_of_a_former_run_is_tried_alone_once(run) -> None:
    crew = Rehearsal(2, deadly=["s000"])
    _, ledger, _ = run(crew, 3, former=SUSPECT)
    assert crew.alone
    assert [name for _, name in crew.begun].count("s000") == 1
    assert counts(ledger) == {"waiting": 0, "done": 2, "failed": 1}


def test_when_all_is_deadly_the_run_ends_before_much_is_blamed(run) -> None:
    crew = Rehearsal(2, deadly=[f"s{i:03}" for i in range(50)])
    ending, ledger, _ = run(crew, 50)
    assert ending.kind == "workers"
    assert counts(ledger) == {"waiting": 50, "done": 0, "failed": 0}


def test_a_full_disk_ends_the_run_and_leaves_the_rest_waiting(run) -> None:
    ending, ledger, _ = run(Rehearsal(2, full=["s003"]), 30)
    assert ending == Ending("full", "no room left")
    assert counts(ledger)["failed"] == 0
    assert 0 < counts(ledger)["waiting"] < 30


def test_one_worker_that_cannot_start_is_done_without_but_not_all(run) -> None:
    ending, ledger, heard = run(Rehearsal(3, hopeless=1), 9)
    assert ending == Ending("finished")
    assert counts(ledger)["done"] == 9
    assert sum(isinstance(one, Lost) for one in heard) == 1
    assert losses(ledger) == {}


def test_when_no_worker_can_start_the_run_says_why(run) -> None:
    ending, ledger, _ = run(Rehearsal(2, hopeless=2), 9)
    assert ending.kind == "workers"
    assert "no such file" in ending.reason
    assert counts(ledger)["waiting"] == 9


def test_asked_once_it_ends_in_order(run) -> None:
    crew = Rehearsal(2)
    ending, ledger, _ = run(crew, 30, asked=lambda: int(len(crew.begun) >= 6))
    assert ending.kind == "asked"
    assert counts(ledger)["done"] == len(crew.begun) == 6
