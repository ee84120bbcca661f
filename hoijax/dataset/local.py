"""The crew of processes on this machine: one pipe for each, and on a CPU one core for each."""

import multiprocessing
import os
import signal
import socket
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from hoijax.dataset.parent import end_with_parent
from hoijax.dataset.tasks import Lost, Outcome, Settings, Stopped, Task, Work


class Place(NamedTuple):
    """Where a worker runs: the cores that it may use (empty: all), and its own environment variables."""

    cores: tuple[int, ...] = ()
    environment: Mapping[str, str] = {}


class _Worker(NamedTuple):
    process: BaseProcess
    pipe: Connection
    place: Place


class LocalCrew:
    """A `Crew` of one process for each place. Whoever makes one ends it with `kill`, in a `finally`."""

    def __init__(self, settings: Settings, places: Sequence[Place], work: Work | None = None) -> None:
        self._settings, self._work = settings, work
        self._found: dict[str, _Worker] = {}
        self._stopping = False
        for place in places:
            self._start(place)

    def workers(self) -> list[str]:
        return list(self._found)

    def give(self, worker: str, tasks: Sequence[Task]) -> None:
        if worker in self._found:
            with suppress(OSError):  # it just died, and `take` will tell
                self._found[worker].pipe.send(list(tasks))

    def take(self, timeout: float) -> list[Outcome | Lost]:
        ready = wait([each.pipe for each in self._found.values()], timeout)
        if not self._found:
            time.sleep(timeout)
        news: list[Outcome | Lost] = []
        for name, worker in list(self._found.items()):
            if worker.pipe in ready:
                news += self._read(name, worker)
        return news

    def stop(self) -> None:
        self._stopping = True
        for worker in self._found.values():
            with suppress(OSError):
                worker.pipe.send(None)

    def kill(self) -> None:
        self._stopping = True
        for worker in self._found.values():
            worker.process.kill()
        for worker in self._found.values():
            worker.process.join()
            worker.pipe.close()
        self._found.clear()

    def _start(self, place: Place) -> None:
        """A spawned process, as a fork of one that uses JAX may hang; it begins with its cores and its environment."""
        context = multiprocessing.get_context("spawn")
        own, theirs = context.Pipe()
        process = context.Process(target=_run, args=(self._settings, theirs, self._work))
        with _standing_in(place):
            process.start()
        theirs.close()  # so that the pipe ends when the worker does
        self._found[f"{socket.gethostname()}:{process.pid}"] = _Worker(process, own, place)

    def _read(self, name: str, worker: _Worker) -> list[Outcome | Lost]:
        """What a worker has sent; if it is gone, that too, and another takes its place."""
        news: list[Outcome | Lost] = []
        try:
            while worker.pipe.poll():
                message = worker.pipe.recv()
                if isinstance(message, Lost):
                    self._remove(name)
                    return [*news, message._replace(worker=name)]
                news += [outcome._replace(worker=name) for outcome in message]
        except (EOFError, OSError):  # the end, maybe in the middle of a message
            code = self._remove(name)
            if not (self._stopping and code == 0):
                news.append(Lost(name, _how(code)))
            if not self._stopping:
                self._start(worker.place)
        return news

    def _remove(self, name: str) -> int:
        """Waits until a worker that closed its pipe is gone. Its exit code."""
        worker = self._found.pop(name)
        worker.process.join(10)
        if worker.process.exitcode is None:
            worker.process.kill()
            worker.process.join()
        worker.pipe.close()
        return worker.process.exitcode or 0


def places(count: int, environments: Sequence[Mapping[str, str]] = ({},)) -> list[Place]:
    """Places for so many workers: each its share of the cores that this process may use, and one of the environments.

    XLA runs as many threads as the process has cores, and a step of one image does not fill two: two processes with a
    core each get 1.6 times as much done as one with both.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    shares = [tuple(cores[i::count]) or tuple(cores[i % len(cores) :][:1]) if cores else () for i in range(count)]
    return [Place(share, environments[i % len(environments)]) for i, share in enumerate(shares)]


@contextmanager
def _standing_in(place: Place) -> Iterator[None]:
    """This thread's cores and this process's environment, while a child is started that inherits them.

    Libraries count the cores when they are imported, so the child must have its own before its first line. It also
    inherits that signals are held back: Ctrl-C in a terminal and a batch system's SIGTERM reach every process, and it
    is the driver's to decide what they mean.
    """
    before, cores = dict(os.environ), None
    resource_tracker.ensure_running()  # starting it lets the signals through again, so it must run already
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    if place.cores:
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, place.cores)
    os.environ.update(place.environment)
    try:
        yield
    finally:
        if cores is not None:
            os.sched_setaffinity(0, cores)
        os.environ.clear()
        os.environ.update(before)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _run(settings: Settings, pipe: Connection, work: Work | None) -> None:
    """The life of a worker process. Without `work` it reconstructs."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    waiting: list[Task] = []

    def take(timeout: float | None) -> Task | None:
        wanted = 0 if waiting else timeout
        while pipe.poll(wanted):
            try:
                tasks = pipe.recv()
            except EOFError:  # the driver is gone, and this process goes too
                tasks = None
            if tasks is None:
                raise Stopped
            waiting.extend(tasks)
            wanted = 0
        return waiting.pop(0) if waiting else None

    def give(outcomes: Sequence[Outcome]) -> None:
        pipe.send(list(outcomes))

    try:
        (work or _reconstructing())(settings, take, give)
    except Exception as error:
        if not isinstance(error, (ValueError, OSError, ImportError)):  # those are a file or a package that is missing
            traceback.print_exc()
        pipe.send(Lost("", f"{type(error).__name__}: {error}", hopeless=True))
    finally:
        pipe.close()


def _reconstructing() -> Work:
    """The usual work, imported only where it is done: it takes seconds."""
    from hoijax.dataset.worker import work

    return work


def _how(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"ended with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    return f"killed by signal {-code} ({name})" + (": out of memory?" if -code == signal.SIGKILL else "")
