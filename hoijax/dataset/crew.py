"""What every engine offers: workers by name, tasks for them, and what comes back."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from hoijax.dataset.tasks import Lost, Outcome, Task


@runtime_checkable
class Crew(Protocol):
    """Workers, here or elsewhere. Only one process drives a crew, from one thread."""

    def workers(self) -> list[str]:
        """Names of the living workers. A worker that died is replaced, under another name, until `stop`."""

    def give(self, worker: str, tasks: Sequence[Task]) -> None:
        """Puts tasks at the end of a worker's row; does not wait. A worker that is gone is no error: `take` tells."""

    def take(self, timeout: float) -> list[Outcome | Lost]:
        """What has come; waits at most so many seconds for the first. All outcomes of a worker come before its loss.

        A task of a lost worker for which no outcome came is undone.
        """

    def stop(self) -> None:
        """Every worker finishes what is in its work now and goes; tasks in its row that it has not begun are dropped.

        Does not wait: `take` goes on to bring outcomes, and `workers` is empty in the end. Who was told to go is not
        reported as lost, unless it dies of something else first.
        """

    def kill(self) -> None:
        """Ends every worker at once, and waits until they are gone. May follow `stop`, and be called again."""
