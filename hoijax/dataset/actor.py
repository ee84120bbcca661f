"""A worker on a node of a cluster: it works in a thread of its own, so that it can be spoken to meanwhile.

Nothing here knows the cluster's software: `hoijax.dataset.cluster` makes an actor of `Post`.
"""

import os
import queue
import socket
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import hoijax
from hoijax.dataset.tasks import Lost, Outcome, Settings, Stopped, Task, Work

MARK = ".cluster"  # a file in OUT for as long as the run lasts: who reads its text sees the same folder


class Need(NamedTuple):
    """What a node must have to take part. Plain texts, which every version can read.

    `mark`: the text of OUT/.cluster. `versions`: {package: version} of the driver. `gpu`: JAX must find one.
    """

    data: str
    out: str
    body: str | None
    mark: str
    versions: Mapping[str, str]
    gpu: bool


class Orders(NamedTuple):
    """What a worker is to do, and on what. `core`: its rank among those of the machine, None: all. `work`: None:
    reconstruct."""

    settings: Settings
    core: int | None
    gpu: bool
    work: Work | None


class Hello(NamedTuple):
    """Where a worker runs, and what is wrong there (empty: nothing)."""

    host: str
    process: int
    fault: str


class Post:
    """One worker. All methods may be called at the same time, from different threads."""

    def __init__(self) -> None:
        self._row: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[Outcome | Lost | None] = queue.SimpleQueue()
        self._stopped = threading.Event()

    def hello(self, need: Need) -> Hello:
        """Where this is, and whether the node has what is needed."""
        return Hello(socket.gethostname(), os.getpid(), fault(need))

    def begin(self, orders: Orders) -> list[Outcome | Lost | None]:
        """Starts to work. No news yet."""
        threading.Thread(target=self._live, args=(orders,), daemon=True).start()
        return []

    def give(self, tasks: Sequence[Task]) -> None:
        """Puts tasks at the end of the row."""
        for task in tasks:
            self._row.put(task)

    def stop(self) -> None:
        """Nothing more is begun."""
        self._stopped.set()
        self._row.put(None)

    def take(self) -> list[Outcome | Lost | None]:
        """What has come since the last call; waits for the first. None: this was all, the work has ended."""
        news = [self._news.get()]
        while not self._news.empty():
            news.append(self._news.get())
        return news

    def _live(self, orders: Orders) -> None:
        """The life of the worker, from its core to its last word."""
        try:
            if orders.core is not None:
                _settle(orders.core)
            if orders.gpu:
                _check_gpu()
            (orders.work or _reconstructing())(orders.settings, self._next, self._report)
        except SystemExit:  # a process of the host died: this one goes too, and the cluster starts another
            os._exit(1)
        except BaseException as error:
            self._news.put(Lost("", f"{socket.gethostname()}: {type(error).__name__}: {error}", hopeless=True))
        finally:
            self._news.put(None)

    def _next(self, timeout: float | None) -> Task | None:
        """The worker's `Take`."""
        if self._stopped.is_set():
            raise Stopped
        try:
            task = self._row.get(timeout=timeout)
        except queue.Empty:
            return None
        if task is None or self._stopped.is_set():
            raise Stopped
        return task

    def _report(self, outcomes: Sequence[Outcome]) -> None:
        """The worker's `Give`."""
        for outcome in outcomes:
            self._news.put(outcome)


def versions() -> dict[str, str]:
    """What must be the same on all nodes: the options and the numbers depend on it."""
    return {"hoijax": hoijax.__version__, **{name: version(name) for name in ("jax", "jaxlib")}}


def fault(need: Need) -> str:
    """What this node lacks, in a sentence; empty if nothing."""
    host, own = socket.gethostname(), versions()
    for name, wanted in need.versions.items():
        if own.get(name) != wanted:
            return f"{host}: has {name} {own.get(name)}, the driver {wanted}; install the same on all nodes"
    if not os.path.isdir(need.data):
        return f"{host}: does not see --data={need.data}; all nodes must see it at this path"
    if need.body and not os.path.isfile(need.body):
        return f"{host}: does not see --body={need.body}; all nodes must see it at this path"
    try:
        same = (Path(need.out) / MARK).read_text() == need.mark
    except OSError:
        same = False
    if not same:
        kind = "another folder stands there" if os.path.isdir(need.out) else "no such folder"
        return f"{host}: does not see --out={need.out} ({kind}); all nodes must share it, at this path"
    return ""


def _settle(core: int) -> None:
    """This thread, and all that it starts, stays on one core; see `hoijax.dataset.local.places` for why."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core % len(cores)]})


def _reconstructing() -> Work:
    """The usual work, imported only where it is done: it takes seconds, and JAX counts the cores."""
    from hoijax.dataset.worker import work

    return work


def _check_gpu() -> None:
    import jax

    if jax.default_backend() != "gpu":
        raise RuntimeError(
            f"the cluster counts a GPU here, but JAX finds only {jax.default_backend()}; install hoijax[gpu] on this "
            "node, or set JAX_PLATFORMS=cpu for the driver to use the cluster's CPUs"
        )
