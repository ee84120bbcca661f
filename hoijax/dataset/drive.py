"""The driver: keeps every worker supplied, enters what comes back, and decides when it is over."""

import sqlite3
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from hoijax.dataset.crew import Crew
from hoijax.dataset.ledger import record, record_losses
from hoijax.dataset.tasks import Lost, Outcome, Task

ROW = 3  # tasks in a worker's row, of which one is in work: the next ones are there when it is done
SUSPECT = 2  # a task that was in the hands of so many dead workers is given alone, when the others are done
LOSSES = 3  # after so many it is failed, if it was alone the last time
GOODBYE = 60.0  # seconds that workers without work may take to go
TICK = 0.2  # seconds between two looks at whether the run was asked to end


class Ending(NamedTuple):
    """How a run ended, and why. "finished": nothing is left to be given."""

    kind: Literal["finished", "asked", "full", "workers"]
    reason: str = ""


@dataclass
class _Desk:
    """What is where: fresh tasks, those given back, suspects, and what each worker has in hand."""

    fresh: Iterator[Task]
    left: int  # how many of these are left
    again: deque[Task] = field(default_factory=deque)
    suspects: deque[Task] = field(default_factory=deque)
    hands: dict[str, dict[str, Task]] = field(default_factory=dict)
    crew: int = 0  # workers that lived together at most
    deaths: int = 0  # workers that died since the last outcome

    def next(self) -> Task | None:
        """The next task that may share a row; suspects are put by."""
        while task := self.again.popleft() if self.again else self._fresh():
            if task.losses < SUSPECT:
                return task
            self.suspects.append(task)
        return None

    def _fresh(self) -> Task | None:
        self.left -= 1
        return next(self.fresh, None)

    def empty(self) -> bool:
        """Whether nothing is left to be given, and nobody has anything in hand."""
        task = self.next()
        if task:
            self.again.appendleft(task)
        return not (task or self.suspects or any(self.hands.values()))


Report = Callable[[Outcome | Lost], None]


def drive(
    ledger: sqlite3.Connection,
    crew: Crew,
    tasks: Iterable[Task],
    asked: Callable[[], int],
    report: Report,
    row: int = ROW,
    count: int | None = None,
) -> Ending:
    """Has all tasks done. `asked`: how often the user asked for the end; once: what is in work is finished; twice: not.

    `report` hears of each outcome once it is in the ledger, and of each dead worker. `row`: tasks that a worker has at a
    time. `count`: how many tasks there are, if known. No worker is left at the end.
    """
    desk, ending = _Desk(iter(tasks), sys.maxsize if count is None else count), None
    while True:
        if ending is None:
            _supply(desk, crew, row)
            if asked():
                ending = Ending("asked", "ended as asked")
            elif desk.empty():
                ending = Ending("finished")
            if ending:
                crew.stop()
                left = time.monotonic()
        if ending and (not crew.workers() or asked() > 1 or _overdue(ending, left)):
            crew.kill()
            return ending
        found = _entered(desk, crew, ledger, report)
        if found and ending is None:
            crew.stop()
            ending, left = found, time.monotonic()


def _overdue(ending: Ending, left: float) -> bool:
    """Whether workers that have nothing more to do take too long to go."""
    return ending.kind == "finished" and time.monotonic() - left > GOODBYE


def _supply(desk: _Desk, crew: Crew, row: int) -> None:
    """Fills the rows of all workers, shortest first; suspects go alone, and last.

    Rows shorten towards the end, so that nobody is idle while others have tasks in their row.
    """
    names = crew.workers()
    desk.crew = max(desk.crew, len(names))
    for name in names:
        desk.hands.setdefault(name, {})
    open_rows = [name for name in names if not any(t.losses >= SUSPECT for t in desk.hands[name].values())]
    given: dict[str, list[Task]] = {}
    while open_rows:
        name = min(open_rows, key=lambda each: len(desk.hands[each]))
        room = min(row, max(1, desk.left // len(names)))
        task = desk.next() if len(desk.hands[name]) < room else None
        if task is None:
            break
        desk.hands[name][task.name] = task
        given.setdefault(name, []).append(task)
    for name in open_rows:
        if desk.suspects and not desk.hands[name]:
            task = desk.suspects.popleft()
            desk.hands[name][task.name] = task
            given[name] = [task]
    for name, tasks in given.items():
        crew.give(name, tasks)


def _entered(desk: _Desk, crew: Crew, ledger: sqlite3.Connection, report: Report) -> Ending | None:
    """Takes what has come and enters it in one commit. An ending, if anything of it forbids to go on."""
    outcomes: list[Outcome] = []
    lost: list[str] = []
    ending: Ending | None = None
    for item in crew.take(TICK):
        if isinstance(item, Lost):
            report(item)
            failed, names = _given_back(desk, item)
            outcomes += failed
            lost += names
            if item.hopeless and not crew.workers():
                ending = Ending("workers", f"no worker could start: {item.reason}")
            elif desk.deaths > 2 * desk.crew + LOSSES + 1:
                ending = Ending(
                    "workers", f"{desk.deaths} workers in a row died before anything was done: {item.reason}"
                )
            continue
        desk.hands.get(item.worker, {}).pop(item.name, None)
        if item.state == "waiting":
            ending = Ending("full", item.reason)
        else:
            desk.deaths = 0
            outcomes.append(item)
    try:
        if lost:
            record_losses(ledger, lost)
        record(ledger, outcomes)
    except sqlite3.Error as error:  # what is not entered is found again, or done again, by the next run
        return Ending("full", f"the ledger cannot be written ({error})")
    for outcome in outcomes:
        report(outcome)
    return ending


def _given_back(desk: _Desk, lost: Lost) -> tuple[list[Outcome], list[str]]:
    """A dead worker's tasks go back: those that have failed now, and the names of those that may be why it died."""
    tasks = list(desk.hands.pop(lost.worker, {}).values())
    if lost.hopeless:
        desk.again.extendleft(reversed(tasks))
        return [], []
    tasks = [task._replace(losses=task.losses + 1) for task in tasks]
    desk.deaths += 1
    if len(tasks) == 1 and tasks[0].losses >= LOSSES:
        desk.deaths = 0
        return [Outcome(tasks[0].name, "failed", "worker", lost.reason, worker=lost.worker)], []
    desk.again.extendleft(reversed(tasks))
    return [], [task.name for task in tasks]
