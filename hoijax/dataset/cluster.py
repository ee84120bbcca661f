"""The crew of workers on a Ray cluster: placement, health and transport are Ray's; it is imported only here."""

import hashlib
import logging
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hoijax.dataset.actor import MARK, Hello, Need, Orders, Post, versions
from hoijax.dataset.machine import WORKER_BYTES, cores
from hoijax.dataset.tasks import Lost, Outcome, Settings, Task, Work

ANSWER = 15.0  # seconds in which a cluster must answer
FORMER = 60.0  # seconds in which the workers of a driver that died must be gone
LOOK = 5.0  # seconds between two looks at what the cluster has room for
STORE = 80_000_000  # bytes of the object store of a cluster that is started here: outcomes are small
FORWARDED = ("JAX_", "XLA_")  # the driver's variables with these beginnings are its workers' too, as on one machine


class ClusterError(RuntimeError):
    """A cluster that cannot be used, in one sentence."""


@dataclass
class _Member:
    """An actor: "asked" until it has said where it is, then "working"; "parked" where it cannot work."""

    actor: Any
    state: str = "asked"
    name: str = ""
    host: str = ""
    core: int | None = None


class RayCrew:
    """A `Crew` of one actor for each GPU, or for each CPU. Make it inside `connected`, end it with `kill`.

    `count`: workers, None: as many as the cluster has room for, also when it grows; in any case at most `most`.
    `notice` hears what the user should know while the run goes on, such as a node that is not used as it lacks
    something; it is the run's error when none is left. `work`: what the workers do, None: reconstruct.
    """

    def __init__(
        self,
        settings: Settings,
        data: Path,
        out: Path,
        count: int | None,
        most: int,
        notice: Callable[[str], None],
        work: Work | None = None,
    ) -> None:
        self._settings, self._out, self._notice, self._work = settings, out.resolve(), notice, work
        self._count, self._most, self._gpu = count, most, gpus()[0] > 0
        body = str(settings.body) if settings.body else None
        mark = secrets.token_hex()
        (self._out / MARK).write_text(mark)
        self._need = Need(str(data.resolve()), str(self._out), body, mark, versions(), self._gpu)
        self._calls: dict[Any, _Member] = {}  # the one call of each actor that has not been answered
        self._stopping = False
        self._looked, self._idle = 0.0, time.monotonic()
        self._fill()
        if count and min(count, most) > room(self._gpu):
            notice(f"{count} workers are asked for, the cluster has room for {room(self._gpu)}; the others wait")

    def workers(self) -> list[str]:
        return [member.name for member in self._calls.values() if member.state == "working"]

    def give(self, worker: str, tasks: Sequence[Task]) -> None:
        for member in self._calls.values():
            if member.state == "working" and member.name == worker:
                member.actor.give.remote(list(tasks))

    def take(self, timeout: float) -> list[Outcome | Lost]:
        ray = _ray()
        self._fill()
        calls = list(self._calls)
        if not calls:
            time.sleep(timeout)
            return []
        ray.wait(calls, num_returns=1, timeout=timeout)
        ready, _ = ray.wait(calls, num_returns=len(calls), timeout=0)
        return [item for call in ready for item in self._answered(call)]

    def stop(self) -> None:
        self._stopping = True
        for call, member in list(self._calls.items()):
            if member.state == "working":
                member.actor.stop.remote()
            else:
                self._dismiss(self._calls.pop(call))

    def kill(self) -> None:
        ray = _ray()
        self._stopping = True
        if ray.is_initialized():
            for member in self._calls.values():
                self._dismiss(member)
            if self._calls:
                ray.wait(list(self._calls), num_returns=len(self._calls), timeout=FORMER)
        self._calls.clear()
        (self._out / MARK).unlink(missing_ok=True)

    def _fill(self) -> None:
        """As many actors as there should be; those for which there is no room yet are placed by Ray when there is."""
        if self._stopping or time.monotonic() < self._looked + LOOK:
            return
        self._looked = time.monotonic()
        wanted = max(1, min(self._most, room(self._gpu) if self._count is None else self._count))
        for _ in range(wanted - len(self._calls)):
            self._start()
        if self.workers():
            self._idle = self._looked
        elif self._looked > self._idle + 4 * LOOK:
            self._notice(f"no worker lives; waits for a node with a free {'GPU' if self._gpu else 'CPU'}")
            self._idle = float("inf")

    def _start(self) -> None:
        ray = _ray()
        share = {"num_gpus": 1, "num_cpus": 0} if self._gpu else {"num_cpus": 1, "memory": WORKER_BYTES}
        variables = {name: value for name, value in os.environ.items() if name.startswith(FORWARDED)}
        options = {
            "name": f"worker-{secrets.token_hex(8)}",  # named, so that the next driver can see whether it still lives
            "max_concurrency": 4,  # a call that waits for outcomes must not keep others waiting
            "max_restarts": 0,
            "max_task_retries": 0,
            "runtime_env": {"env_vars": variables},
        }
        actor = ray.remote(Post).options(**share, **options).remote()
        self._calls[actor.hello.remote(self._need)] = _Member(actor)

    def _answered(self, call: Any) -> list[Outcome | Lost]:
        """What an actor has answered, or how it died."""
        ray, member = _ray(), self._calls.pop(call)
        try:
            answer = ray.get(call)
        except ray.exceptions.RayError as error:
            return self._died(member, error)
        if isinstance(answer, Hello):
            return self._welcomed(member, answer)
        outcomes = [item._replace(worker=member.name) for item in answer if isinstance(item, Outcome)]
        lost = [item._replace(worker=member.name) for item in answer if isinstance(item, Lost)]
        if lost and not self._stopping:
            self._park(member)
        elif lost or None in answer:
            self._dismiss(member)
        else:
            self._calls[member.actor.take.remote()] = member
        return [*outcomes, *lost]

    def _welcomed(self, member: _Member, hello: Hello) -> list[Outcome | Lost]:
        """An actor that was placed gets to work, if its node has what it needs."""
        if hello.fault:
            self._park(member)
            if all(other.state == "parked" for other in self._calls.values()):
                return [Lost(hello.host, hello.fault, hopeless=True)]
            self._notice(f"a node is not used: {hello.fault}")
            return []
        taken = {other.core for other in self._calls.values() if other.host == hello.host}
        core = None if self._gpu else next(i for i in range(len(taken) + 1) if i not in taken)
        name = f"{hello.host}:{hello.process}"
        member.name = name if name not in self.workers() else f"{name}:{secrets.token_hex(2)}"
        member.state, member.host, member.core = "working", hello.host, core
        self._calls[member.actor.begin.remote(Orders(self._settings, core, self._gpu, self._work))] = member
        return []

    def _died(self, member: _Member, error: Exception) -> list[Outcome | Lost]:
        """An actor that does not answer is gone for good: should it live after all, it ends now."""
        self._dismiss(member)
        self._looked = 0.0  # so that another takes its place at once
        if member.state == "parked":
            return []
        ray = _ray()
        dead = isinstance(error, ray.exceptions.RayActorError)
        broken = not dead or getattr(error, "actor_init_failed", False)
        return [Lost(member.name or "a worker that was starting", how(error), hopeless=broken)]

    def _park(self, member: _Member) -> None:
        """It stays and does nothing, so that Ray puts no other where none can work."""
        member.state = "parked"
        self._calls[member.actor.take.remote()] = member

    def _dismiss(self, member: _Member) -> None:
        _ray().kill(member.actor, no_restart=True)


@contextmanager
def connected(address: str, out: Path) -> Iterator[None]:
    """Within, this process is a driver of the cluster: at HOST:PORT, "auto" (one that runs here), or "" (started here).

    Waits for the workers of a driver that died on the same OUT. Raises ClusterError.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if not address:
        _lock_own()
    ray = _ray()
    if address:
        _check_answers(address)
    own: dict[str, Any] = {"num_cpus": cores(), "include_dashboard": False, "object_store_memory": STORE}
    try:
        ray.init(
            address=address or "local",
            namespace=f"hoijax-{hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:16]}",
            log_to_driver=False,
            logging_level=logging.ERROR,
            **({} if address else own),
        )
    except (Exception, SystemExit) as error:
        raise ClusterError(f"--ray_address={address}: no connection to the cluster ({_line(error)})") from error
    try:
        _wait_for_former(out)
        yield
    finally:
        ray.shutdown()


def gpus() -> tuple[int, int]:
    """GPUs of the cluster, and the CPUs for each of them where they are fewest; 0 if JAX is told to use the CPU."""
    nodes = [node for node in _resources() if node.get("GPU", 0) >= 1]
    if os.environ.get("JAX_PLATFORMS") == "cpu" or not nodes:
        return 0, 0
    return sum(int(node["GPU"]) for node in nodes), min(int(node.get("CPU", 0) // node["GPU"]) for node in nodes)


def room(gpu: bool) -> int:
    """Workers that the living nodes bear: one for each GPU, or one for each CPU as far as memory allows."""
    if gpu:
        return gpus()[0]
    nodes = _resources()
    return sum(min(int(node.get("CPU", 0)), int(node.get("memory", 0) // WORKER_BYTES)) for node in nodes)


def _resources() -> list[dict[str, float]]:
    """What each living node has."""
    return [node["Resources"] for node in _ray().nodes() if node["Alive"]]


def how(error: BaseException) -> str:
    """In a line: how an actor died, from what Ray tells of it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if any("No module named 'hoijax'" in line for line in lines):
        return "a node cannot import hoijax; install the same environment on all nodes"
    told = [line for line in lines if "because" in line or "unavailable" in line] or lines[-1:]
    return told[0][:500] if told else type(error).__name__


def _lock_own() -> None:
    """Nobody else gets into a cluster that is started here: a token that lives as long as this process.

    Ray reads it when it is imported; by itself it would leave one in the home folder, or (before 2.59) ask for none.
    """
    if "RAY_AUTH_MODE" not in os.environ:
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex())


def _wait_for_former(out: Path) -> None:
    """Until no worker of a driver that died writes to OUT. Ray ends them, but not in the same moment."""
    util, until = _ray().util, time.monotonic() + FORMER
    while names := util.list_named_actors():
        if time.monotonic() > until:
            raise ClusterError(f"{out}: {len(names)} workers of another run on this cluster still write here")
        time.sleep(0.2)


def _check_answers(address: str) -> None:
    """Ray itself would try for minutes. Raises ClusterError when there is no cluster."""
    if address != "auto":
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit() or "/" in address:
            raise ClusterError(f"--ray_address={address}: expected HOST:PORT, auto, or nothing")
        try:
            socket.create_connection((host, int(port)), timeout=ANSWER / 4).close()
        except OSError as error:
            raise ClusterError(f"--ray_address={address}: nobody answers there ({error})") from error
    command = [sys.executable, "-m", "ray.scripts.scripts", "status"]
    where = [] if address == "auto" else [f"--address={address}"]
    try:
        done = subprocess.run([*command, *where], capture_output=True, text=True, timeout=ANSWER)
    except subprocess.TimeoutExpired:
        raise ClusterError(f"--ray_address={address}: no Ray cluster answers there") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise ClusterError(f"--ray_address={address}: no Ray cluster to use ({last})")


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def _ray() -> Any:
    """Ray; it is no part of the plain installation. Raises ClusterError."""
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ClusterError("the engine ray needs Ray: pip install 'hoijax[cluster]'") from error
    return ray
